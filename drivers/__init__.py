"""Devices: radio, packet layouts, clocks, recordings, virtual sensors."""
