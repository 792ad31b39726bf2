"""The application: commands, store, review."""
