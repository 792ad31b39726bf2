"""Devices: packet layouts, clocks, recordings, virtual sensors."""
