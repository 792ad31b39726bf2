"""Labelled recordings in, scores out."""
