"""Sample files of the user: read into canonical rows, written from decoded samples."""

from tracker.samplefile.columns import AccUnit, EmgUnit, GyrUnit, ReadOptions
from tracker.samplefile.reading import SampleFile, read_sample_file
from tracker.samplefile.report import ModalityReport, SampleFileReport
from tracker.samplefile.writing import SamplesWritten, write_samples

__all__ = [
    "AccUnit",
    "EmgUnit",
    "GyrUnit",
    "ModalityReport",
    "ReadOptions",
    "SampleFile",
    "SampleFileReport",
    "SamplesWritten",
    "read_sample_file",
    "write_samples",
]
