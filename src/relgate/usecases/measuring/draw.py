"""What one run shows and draws: remembered from the first outcome that it shows until it is recorded."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from relgate.domain.case import CaseKey
from relgate.domain.errors import RegistryError
from relgate.domain.response import Outcome, Response
from relgate.domain.run import UnfinishedRun
from relgate.store import Registry
from relgate.usecases.measuring.live_run import LiveRun
from relgate.usecases.measuring.meanwhile import uninterrupted
from relgate.usecases.measuring.measured_cases import Rows
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.unfinished import kept_text
from relgate.usecases.run_name import name_run


class Draw:
    """What a run shows, and what becomes of it.

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
        unfinished = self.ended and self._prepared.draws
        drawn = bool(unfinished or self._prepared.unfinished.gone_on_with)
        return kept_text(self._live.answers.count, drawn=drawn)

    def show(self, key: CaseKey, rows: Rows) -> None:
        """Note that the calls of a case are shown; of what is sealed nothing is.

        The first one makes the run one to be remembered: of a live candidate the first that was asked here,
        and may be otherwise the next time. A run that goes on with another one stands in its place.
        """
        if self._begun or key in self._prepared.sealed:
            return
        if any(_is_measured(row.outcome) for row in rows) and (not self._draws or self._is_asked(key, rows)):
            self._begin()

    def show_recorded(self) -> None:
        """Note that cases of a long recording, none of which is sealed, are shown."""
        if not (self._begun or self._draws):
            self._begin()

    @property
    def _draws(self) -> bool:
        return bool(self._prepared.draws and self._live.answers.run)

    def _is_asked(self, key: CaseKey, rows: Rows) -> bool:
        asked = self._live.measurer.tally.asked
        return any(key in asked[row.side] and _is_measured(row.outcome) for row in rows)

    def _begin(self) -> None:
        self._begun = True
        prepared = self._prepared
        if prepared.unfinished.gone_on_with:
            return
        candidate = prepared.candidate.digest
        run = UnfinishedRun(
            self._live.answers.run or name_run(candidate),
            self._began,
            draws=self._draws,
            suites=tuple(plan.suite.name for plan in prepared.plans),
        )
        # a screen decides nothing: whoever goes on with a stopped run takes none of its answers
        drawn_anew = () if prepared.screen else prepared.unfinished.drawn_anew
        # whether the registry can be written to is told when the run is recorded
        with uninterrupted(), suppress(RegistryError):
            self._registry.begin(prepared.attempt_key, candidate, run, drawn_anew)
            self.ended = (run.id,)


def _is_measured(outcome: Outcome) -> bool:
    return isinstance(outcome, Response) or outcome.kind == "application"
