"""Channel names tell the muscles of the calf from the rest."""

from __future__ import annotations

import pytest

from analysis.emg.muscles import Muscle, muscle_of


@pytest.mark.parametrize(
    ("channel", "muscle"),
    [
        ("soleus", Muscle.SOLEUS),
        ("emg_soleus_uv", Muscle.SOLEUS),
        ("gastroc_med", Muscle.GASTROCNEMIUS),
        ("GM", Muscle.GASTROCNEMIUS),
        ("mg", Muscle.GASTROCNEMIUS),
        ("tib_ant", Muscle.TIBIALIS_ANTERIOR),
        ("ta", Muscle.TIBIALIS_ANTERIOR),
        ("tibialis_posterior", Muscle.OTHER),
        ("peroneus", Muscle.OTHER),
        ("glutaeus", Muscle.OTHER),
        ("1", Muscle.CALF),
        ("emg_8_uv", Muscle.CALF),
        ("ch3", Muscle.CALF),
    ],
)
def test_muscle_of(channel: str, muscle: Muscle) -> None:
    """A number is somewhere on the calf; what is not known is another muscle."""
    assert muscle_of(channel) is muscle
