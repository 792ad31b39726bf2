"""The reliability diagram: confidence against the share that is right, as text or as a picture."""

from __future__ import annotations

from pathlib import Path

from analysis.scoring import FEW_IN_BIN, Bin, Calibration
from drivers.errors import RecordingError
from tracker.errors import ConfigError

PLOT_ENDINGS = (".png", ".svg")
_WIDTH = 46


def text_diagram(made: Calibration) -> str:
    """One line a bin: `#` up to the share that is right, `|` at the mean confidence; few events in brackets."""
    lines = [f"confidence    right 0 %{'100 %':>{_WIDTH - 4}}      events"]
    lines += [_line(one) for one in made.bins]
    return "\n".join(lines)


def _line(one: Bin) -> str:
    head = f"{one.low:.1f} to {one.high:.1f}"
    if one.share_right is None or one.mean_confidence is None:
        return f"{head:>20} {'':{_WIDTH + 1}}  {'0':>10}"
    bar = list(("#" * round(_WIDTH * one.share_right)).ljust(_WIDTH + 1))
    bar[round(_WIDTH * one.mean_confidence)] = "|"
    events = f"{one.events:,}" if one.events >= FEW_IN_BIN else f"({one.events})"
    return f"{head:>20} {''.join(bar)}  {events:>10}"


def plot(path: Path, parts: dict[str, Calibration]) -> None:
    """Draw the diagrams of all parts side by side.

    Raises:
        ConfigError: matplotlib is not installed, or the name has another ending.
        RecordingError: the file cannot be written.
    """
    if path.suffix.lower() not in PLOT_ENDINGS:
        raise ConfigError(f"{path}: a diagram ends in {' or '.join(PLOT_ENDINGS)}.")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("--plot needs matplotlib: pip install matplotlib, or leave --plot out.") from error
    figure = Figure(figsize=(5.0 * len(parts), 5.0), layout="constrained")
    for axes, (title, made) in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts.items(), strict=True):
        seen = [b for b in made.bins if b.events]
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        axes.plot([b.mean_confidence for b in seen], [b.share_right for b in seen], marker="o")
        for b in seen:
            axes.annotate(
                f"{b.events:,}", (b.mean_confidence, b.share_right), textcoords="offset points", xytext=(6, -10)
            )
        axes.set(
            title=title, xlabel="mean confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02), aspect="equal"
        )
    try:
        figure.savefig(path)
    except OSError as fault:
        raise RecordingError(f"the diagram cannot be written ({fault.strerror or fault})", path) from fault
