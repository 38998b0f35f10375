"""Answers of earlier runs that count beside those of this one: each of them once, and of the same models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from relgate.domain.response import Measurement, Response, Side

Draw = tuple[Side, str | None, int, bool, float, int | None]
"""A call to a case by its side, hop, trial, purpose, milliseconds and tokens: no two take the same time."""

Models = Mapping[tuple[Side, str], frozenset[str]]
"""By side and target the model ids that answered."""


class OwnAnswers:
    """Tells the answers that a run asked for from copies of kept ones, which were scored again.

    Args:
        rows: calls that are there already; where all of them took the same time they tell no copy.
    """

    def __init__(self, rows: Iterable[Measurement] = ()) -> None:
        self._seen: set[tuple[str, str, Draw]] = set()
        self.add(rows)

    def add(self, rows: Iterable[Measurement]) -> None:
        """Note the calls of one run."""
        found = [(row, draw) for row in rows if (draw := _draw(row)) is not None]
        if len({draw[4] for _, draw in found}) > 1:
            self._seen.update((row.suite, row.case_id, draw) for row, draw in found)

    def fresh(self, rows: Iterable[Measurement]) -> tuple[Measurement, ...]:
        """Those of some calls that are no copy of a noted one."""
        return tuple(row for row in rows if (row.suite, row.case_id, _draw(row)) not in self._seen)


def models_of(rows: Iterable[Measurement]) -> Models:
    """The models that gave these answers, where they say so."""
    found: dict[tuple[Side, str], set[str]] = {}
    for row in rows:
        if isinstance(row.outcome, Response) and row.outcome.model and row.outcome.served_by:
            found.setdefault((row.side, row.outcome.served_by), set()).add(row.outcome.model)
    return {key: frozenset(models) for key, models in found.items()}


def of_these_models(rows: Sequence[Measurement], models: Models) -> tuple[Measurement, ...]:
    """The calls without the answers that a target gave by a model of which nothing is among these."""

    def is_other(row: Measurement) -> bool:
        said = row.outcome
        if not isinstance(said, Response) or not said.model or not said.served_by:
            return False
        now = models.get((row.side, said.served_by))
        return now is not None and said.model not in now

    return tuple(row for row in rows if not is_other(row))


def _draw(row: Measurement) -> Draw | None:
    latency = row.outcome.latency_ms
    if latency is None:
        return None
    tokens = row.outcome.tokens if isinstance(row.outcome, Response) else None
    return row.side, row.hop, row.trial, row.confirmation, latency, tokens
