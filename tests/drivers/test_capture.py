"""`soleus drivers decode`: JSON lines in, blocks and refused packets out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.capture import decode_capture, decode_file
from drivers.errors import RecordingError
from drivers.packets import RawPacket
from drivers.recording import RecordingHeader, RecordingWriter
from drivers.registry import UnknownDriverError

DATA = "FB005C82-02E7-F387-1CAD-8ACD2D8DF0C8"
ONE_G = "02" + (780 * 10**15).to_bytes(8, "little").hex() + "01" + "e80300000000" * 2
LINE = json.dumps({"arrival_ns": 5, "characteristic": DATA, "hex": ONE_G, "more": [1]})
BAD = json.dumps({"arrival_ns": 6, "characteristic": DATA, "hex": "0203"})
SETTINGS = '{"settings": {"rate_hz": 50, "unknown": {}}}'
BLOCK = {
    "modality": "acc",
    "unit": "m/s2",
    "stream": None,
    "t_s": pytest.approx([0.0, 0.02]),
    "values": [[pytest.approx(9.80665), 0.0, 0.0]] * 2,
}
ERROR = {"error": {"reason": "truncated frame", "hex": "0203"}}


def test_blocks_and_errors_are_printed_as_the_contract_says() -> None:
    assert list(decode_capture([SETTINGS, LINE, "", BAD], "polar-pmd")) == [BLOCK, ERROR]


def test_settings_may_be_left_out() -> None:
    (block,) = decode_capture([LINE], "polar-pmd")
    assert block["t_s"] == pytest.approx([0, 1 / 200])


@pytest.mark.parametrize("lines", [[], [SETTINGS], ["", " "]])
def test_a_capture_of_nothing_gives_nothing(lines: list[str]) -> None:
    assert list(decode_capture(lines, "polar-pmd")) == []


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        "1",
        "{}",
        SETTINGS,
        '{"arrival_ns": 1.5, "characteristic": "x", "hex": ""}',
        '{"arrival_ns": true, "characteristic": "x", "hex": ""}',
        '{"arrival_ns": 9223372036854775808, "characteristic": "x", "hex": ""}',
        '{"arrival_ns": NaN, "characteristic": "x", "hex": ""}',
        '{"arrival_ns": 1, "characteristic": 1, "hex": ""}',
        '{"arrival_ns": 1, "characteristic": "x", "hex": "0"}',
        '{"arrival_ns": 1, "characteristic": "x", "hex": "zz"}',
        '{"arrival_ns": 1, "characteristic": "x"}',
        "[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_no_packet_is_named_by_its_number(bad: str | bytes) -> None:
    with pytest.raises(RecordingError, match="capture, line 4") as caught:
        list(decode_capture([SETTINGS, "", LINE, bad], "polar-pmd"))
    assert caught.value.line == 4


@pytest.mark.parametrize("first", ['{"settings": 5}', '{"settings": {}, "recording": []}', "{}"])
def test_a_first_line_that_is_neither_is_refused(first: str) -> None:
    with pytest.raises(RecordingError):
        list(decode_capture([first], "polar-pmd"))


@pytest.mark.parametrize("rate", ["null", "-1", "0", "NaN", "1e999", '"x"', "[]", "true", "1e300"])
def test_a_rate_that_is_none_is_as_good_as_not_stated(rate: str) -> None:
    (block,) = decode_capture([f'{{"settings": {{"rate_hz": {rate}}}}}', LINE], "polar-pmd")
    assert block["t_s"] == pytest.approx([0, 1 / 200])


def test_an_unknown_driver_is_an_error() -> None:
    with pytest.raises(UnknownDriverError):
        list(decode_capture([LINE], "nosuch"))


@given(st.lists(st.tuples(st.binary(max_size=40), st.sampled_from("12")), max_size=20))
def test_any_payload_gives_json_without_nan(payloads: list[tuple[bytes, str]]) -> None:
    lines = [
        json.dumps({"arrival_ns": i, "characteristic": DATA.replace("82", f"8{which}"), "hex": p.hex()})
        for i, (p, which) in enumerate(payloads)
    ]
    for printed in decode_capture(lines, "polar-pmd"):
        json.dumps(printed, allow_nan=False)


@pytest.mark.parametrize("form", ["plain", "gzip", "sqlite"])
def test_a_file_may_be_a_capture_or_a_recording(tmp_path: Path, form: str) -> None:
    path = tmp_path / "capture"
    content = "\n".join([SETTINGS, LINE, BAD]).encode()
    if form == "sqlite":
        with RecordingWriter(path, RecordingHeader("polar-pmd", settings={"rate_hz": 50})) as writer:
            writer.append(RawPacket(5, DATA.lower(), bytes.fromhex(ONE_G)))
            writer.append(RawPacket(6, DATA.lower(), bytes.fromhex("0203")))
    else:
        path.write_bytes(gzip.compress(content) if form == "gzip" else content)
    assert list(decode_file(path, "polar-pmd")) == [BLOCK, ERROR]


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        list(decode_file(tmp_path / "nowhere", "polar-pmd"))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"\n" * 99 + LINE.encode())[:-9])
    with pytest.raises(RecordingError, match="damaged or cut short"):
        list(decode_file(tmp_path / "cut.gz", "polar-pmd"))
    assert list(decode_file(Path("/dev/null"), "polar-pmd")) == []
