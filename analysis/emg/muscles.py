"""Which muscle a channel listens to, by its name."""

from __future__ import annotations

from enum import StrEnum


class Muscle(StrEnum):
    """What a channel stands for. A nameless channel of a band around the calf is `CALF`."""

    SOLEUS = "soleus"
    GASTROCNEMIUS = "gastrocnemius"
    CALF = "calf"
    TIBIALIS_ANTERIOR = "tibialis_anterior"
    OTHER = "other"


CALF = frozenset({Muscle.SOLEUS, Muscle.GASTROCNEMIUS, Muscle.CALF})
"""Muscles whose burst is a plantar flexion."""

_BEGINNINGS = {
    "sol": Muscle.SOLEUS,
    "gas": Muscle.GASTROCNEMIUS,
    "gm": Muscle.GASTROCNEMIUS,
    "gl": Muscle.GASTROCNEMIUS,
    "mg": Muscle.GASTROCNEMIUS,
    "lg": Muscle.GASTROCNEMIUS,
    "tib": Muscle.TIBIALIS_ANTERIOR,
    "ta": Muscle.TIBIALIS_ANTERIOR,
    "calf": Muscle.CALF,
    "triceps_surae": Muscle.CALF,
    "emg": Muscle.CALF,
    "ch": Muscle.CALF,
    "x": Muscle.CALF,
}


def muscle_of(channel: str) -> Muscle:
    """Muscle of a channel: `soleus`, `gastroc_med`, `tib_ant`, `emg_soleus_uv`; a number is somewhere on the calf."""
    name = channel.strip().lower().removeprefix("emg_").removesuffix("_uv")
    if name in ("tib_post", "tibialis_posterior"):
        return Muscle.OTHER
    if not name or name.isdigit():
        return Muscle.CALF
    for beginning, muscle in _BEGINNINGS.items():
        if name == beginning or name.startswith(beginning if len(beginning) > 2 else f"{beginning}_"):
            return muscle
        if len(beginning) <= 2 and name.removeprefix(beginning).isdigit():
            return muscle
    return Muscle.OTHER
