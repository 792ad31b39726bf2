"""Errors of the application that a person can mend."""

from __future__ import annotations


class ConfigError(Exception):
    """A setting or an argument cannot be used; the text is one sentence."""


class StoreError(Exception):
    """The database cannot be used; the text is one sentence with the path and the fix."""


class NothingFound(Exception):  # noqa: N818 - not a fault: exit code 1 with one sentence
    """What was asked for is not there."""
