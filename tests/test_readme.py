"""The README says what the code does: its table, its commands, its glossary, its worked example."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from analysis.samples import STANDARD_GRAVITY_MPS2, Modality
from drivers import registry, table
from drivers.packets import RawPacket
from drivers.protocols.nus_layout import TX
from tracker.cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BEGIN, END = "<!-- sensors:begin -->", "<!-- sensors:end -->"
WORDS = (
    "plantar flexion", "dorsiflexion", "shank", "soleus", "gastrocnemius", "contraction", "calf pump",
    "soleus push-up", "heel raise", "ankle pump", "step", "pedal stroke", "bounce", "envelope", "onset", "peak", "end",
    "baseline", "gap", "worn", "session", "recording", "day",
)  # fmt: skip
"""The names of the field, as the house's plan lists them."""


def section(title: str) -> str:
    """Text of one `##` section."""
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_table_of_sensors_is_the_drivers_own() -> None:
    """Between its marks lies what `drivers.table` makes, to the letter."""
    assert README.split(BEGIN)[1].split(END)[0].strip() == table.markdown().strip()


def test_the_first_two_commands_are_one_line_each() -> None:
    """The first ```sh block ends in the demo, the second in the whole test suite."""
    first, second = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert first.strip().endswith("soleus demo")
    assert "-m pytest" in second


def test_every_command_is_there_or_where_to_see_it() -> None:
    """Each command is named, or the README says that `soleus --help` lists them all."""
    missing = [name for name in COMMANDS if f"soleus {name}" not in README]
    assert not missing or "`soleus --help` lists all commands" in README


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`soleus ([a-z]+)", README))))
def test_no_command_is_promised_that_is_not_there(name: str) -> None:
    """Whatever the text calls `soleus NAME` is a command."""
    assert name in COMMANDS


@pytest.mark.parametrize("word", WORDS)
def test_the_glossary_has_the_names_of_the_field(word: str) -> None:
    """Every word of the field is in the glossary."""
    assert re.search(rf"\b{word}\b", section("Glossary"))


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README))))
def test_links_lead_somewhere(path: str) -> None:
    """Each relative link is a file of this checkout."""
    assert (ROOT / path).exists()


def test_the_worked_example_of_the_open_profile() -> None:
    """Its bytes decode to what the sentence above them says, and are those of the profile's own document."""
    text = section("The open profile soleus-nus")
    (shown,) = re.findall(r"^```hex\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert shown in (ROOT / "drivers/devices/soleus_nus.md").read_text(encoding="utf-8")
    payload = bytes.fromhex(shown)
    assert len(payload) == 20
    decoder = registry.driver("soleus-nus").decoder({"rate_hz": 100})
    blocks = {b.modality: b.values[0] for b in [*decoder.feed(RawPacket(0, TX, payload)), *decoder.finish()]}
    np.testing.assert_allclose(blocks[Modality.ACC], [0, 0, STANDARD_GRAVITY_MPS2])
    np.testing.assert_allclose(np.degrees(blocks[Modality.GYR]), [0, -99.976, 0], atol=5e-4)
    assert int.from_bytes(payload[2:4], "little") == 65534
    assert int.from_bytes(payload[4:8], "little") == 10_000_000
