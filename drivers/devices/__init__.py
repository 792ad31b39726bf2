"""One file a device family; each defines `DRIVER`."""
