"""A whole gate policy simulated: how often it promotes, rejects and alarms under a known truth."""

from relgate.decision.simulation.simulate import (
    LEAST_GATE,
    LEAST_IDENTICAL,
    Chance,
    GateChance,
    Remedy,
    Simulation,
    remedies,
    simulate,
)

__all__ = [
    "LEAST_GATE",
    "LEAST_IDENTICAL",
    "Chance",
    "GateChance",
    "Remedy",
    "Simulation",
    "remedies",
    "simulate",
]
