"""Reminders that know what the leg did: rules, the engine that applies them, and what it decides."""
