"""The recording file: one SQLite file a session, appended to, readable after a kill at any instant.

`application_id` is 0x534F4C52 ("SOLR"), `user_version` the version of this format, 1. Tables:

    header(key, value)      one JSON value a key: `RecordingHeader`, field by field
    anchors(id, clock_ns, wall_ns, zone, utc_offset_s)
                            the clock of the arrival stamps against the wall clock
    wrote(id, clock_ns, characteristic, payload)
                            what was written to the device
    characteristics(id, name)
                            the characteristics that occur in `packets`
    packets(id, count, arrival_ns, characteristic, size, payload)
                            one row a flush, about one to two seconds of packets in the order received:
                            arrival_ns count x int64, characteristic count x uint16 (an id of
                            `characteristics`), size count x uint32 (bytes of each payload), payload: all
                            payloads one after another; everything little-endian
    row_columns(id, name)   columns of an imported sample file, `t_s` not among them
    rows(id, count, rate_hz, data)
                            up to `ROWS_A_CHUNK` rows of that file, packed as `drivers.recording.row_codec` says

A row of packets costs one insert however many packets it holds, which is why a day of one-sample packets is
written and read in a second. The journal is a write-ahead log, every flush a transaction that is synced to
the disk; closing folds the log into the file, so that what is handed to a colleague is one file.
"""

from __future__ import annotations

from drivers.recording.digest import ContentDigest, content_digest
from drivers.recording.format import Anchor, RecordingHeader, Write
from drivers.recording.reader import Quality, Recording, open_recording
from drivers.recording.text import from_text, write_text
from drivers.recording.writer import RecordingWriter

__all__ = [
    "Anchor",
    "ContentDigest",
    "Quality",
    "Recording",
    "RecordingHeader",
    "RecordingWriter",
    "Write",
    "content_digest",
    "from_text",
    "open_recording",
    "write_text",
]
