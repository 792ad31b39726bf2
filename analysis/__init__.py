"""The science: arrays in, events and counts out. Imports neither floor above it."""
