"""The draw of one run: remembered from the first outcome that it shows until it is recorded."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from relgate.domain.case import CaseKey
from relgate.domain.errors import RegistryError
from relgate.domain.response import Outcome, Response
from relgate.domain.run import UnfinishedRun
from relgate.store import Registry
from relgate.usecases.measuring.live_run import LiveRun
from relgate.usecases.measuring.measured_cases import Rows
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.unfinished import kept_text


class Draw:
    """What a live run shows, and what becomes of it.

    Args:
        registry: where runs without a verdict are remembered.
        prepared: the run.
        live: its engine.
        started: when it began.
        replayed: the draw whose answers are replayed; "" where nothing is.

    Attributes:
        name: of this draw, in the registry and where its answers are kept; "" where nobody is asked.
        ended: what stands for this run among those without a verdict.
    """

    def __init__(
        self, registry: Registry, prepared: Prepared, live: LiveRun, started: datetime, replayed: str = ""
    ) -> None:
        self._registry = registry
        self._prepared = prepared
        self._live = live
        self._began = started.isoformat()
        self._begun = False
        self.name = replayed or live.answers.run
        self.ended: tuple[str, ...] = ()

    @property
    def kept(self) -> str:
        """What becomes of the answers where the run ends without a verdict; "" where it has none."""
        drawn = bool(self.ended or self._prepared.unfinished.gone_on_with)
        return kept_text(self._live.answers.count, drawn=drawn)

    def show(self, key: CaseKey, rows: Rows) -> None:
        """Note that the calls of a case are shown.

        The first that was asked here, and may be otherwise the next time, makes the run one to be remembered.
        A run that goes on with another one stands in its place.
        """
        if self._begun or not self._is_drawn(key, rows):
            return
        self._begun = True
        prepared, run = self._prepared, self._live.answers.run
        if prepared.unfinished.gone_on_with:
            return
        with suppress(RegistryError):  # whether it can be written to is told when the run is recorded
            self._registry.begin(
                prepared.attempt_key,
                prepared.candidate.digest,
                UnfinishedRun(run, self._began),
                prepared.unfinished.drawn_anew,
            )
            self.ended = (run,)

    def _is_drawn(self, key: CaseKey, rows: Rows) -> bool:
        """Whether these calls were asked in this run and measured; what is sealed is shown to nobody."""
        if not (self._prepared.draws and self._live.answers.run) or key in self._prepared.sealed:
            return False
        asked = self._live.measurer.tally.asked
        return any(key in asked[row.side] and _is_measured(row.outcome) for row in rows)


def _is_measured(outcome: Outcome) -> bool:
    return isinstance(outcome, Response) or outcome.kind == "application"
