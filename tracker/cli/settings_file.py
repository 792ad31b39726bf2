"""Changing one line of the settings file and leaving all others as they are."""

from __future__ import annotations

import json
import re
import tomllib
from itertools import pairwise

from tracker.cli.export import write_private
from tracker.errors import ConfigError
from tracker.home import Home

Value = str | int | float | bool


def write_key(home: Home, key: str, value: Value | None, table: str | None = None) -> None:
    """Set a key, or take it out.

    Args:
        home: whose settings.
        key: bare.
        value: None to take it out.
        table: in which it stands; None: above the first table, where the keys of the whole program are.

    Raises:
        ConfigError: the file cannot be written, or is laid out so that a line cannot be changed.
    """
    text = home.settings.read_text(encoding="utf-8") if home.settings.exists() else ""
    line = "" if value is None else f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
    before, own, after = _cut(text, table)
    if table is not None and not own and line:
        before, own = _ended(before) + ("\n" if before else ""), f"[{table}]\n"
    changed = before + _changed(own, key, line) + after
    if not _says(changed, key, value, table):
        raise ConfigError(f"{key} cannot be set in {home.settings} as it is laid out: change it there by hand.")
    home.create()
    try:
        write_private(home.settings, changed)
    except ConfigError as error:
        raise ConfigError(
            f"{home.settings} cannot be written: mend its permissions (chmod u+w) or set SOLEUS_HOME to another folder."
        ) from error


def _cut(text: str, table: str | None) -> tuple[str, str, str]:
    """The file before, in and after the table; the header is in it."""
    headers = [match.start() for match in re.finditer(r"^[ \t]*\[", text, re.MULTILINE)] + [len(text)]
    if table is None:
        return "", text[: headers[0]], text[headers[0] :]
    for start, end in pairwise(headers):
        if re.match(rf"[ \t]*\[[ \t]*[\"']?{table}[\"']?[ \t]*\]", text[start:end]):
            return text[:start], text[start:end], text[end:]
    return text, "", ""


def _changed(own: str, key: str, line: str) -> str:
    found = re.compile(rf"^[ \t]*[\"']?{key}[\"']?[ \t]*=.*(\n|\Z)", re.MULTILINE)
    if found.search(own):
        return found.sub(lambda _: line, own, count=1)
    body = own.rstrip("\n") if own.strip() else ""
    rest = own[len(body) :].removeprefix("\n")
    return f"{_ended(body)}{line}{rest}" if line else own


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _says(text: str, key: str, value: Value | None, table: str | None) -> bool:
    try:
        known = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    held = known if table is None else known.get(table, {})
    return isinstance(held, dict) and held.get(key) == value
