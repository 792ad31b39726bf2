"""Byte layouts and conversations of the device families, shared by their drivers; no I/O."""
