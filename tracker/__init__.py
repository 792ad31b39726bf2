"""The application: commands, live session, store, review, reminders, service."""
