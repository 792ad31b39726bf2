"""Numbers of `pump_sets`. Written by `python -m tests.train_pumps`, from the same seeds the same to the last digit."""

MIDDLE = (
    0.662,
    2.344,
    -3.311,
    -3.127,
    0.913,
)
SPREAD = (
    0.170,
    1.575,
    1.584,
    0.884,
    0.459,
)
WEIGHTS = (
    -4.553,
    0.196,
    1.800,
    -3.049,
    1.781,
    0.030,
    -0.094,
    0.438,
    0.065,
    0.655,
    0.366,
    0.409,
    -0.154,
    -0.902,
    -0.168,
    -2.979,
    1.326,
    -0.071,
    0.227,
    -0.340,
    -0.020,
)
