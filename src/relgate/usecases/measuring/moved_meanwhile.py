"""A run that goes on with answers of another model than now answers measures neither of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relgate.domain.case import CaseKey
from relgate.domain.response import Measurement
from relgate.usecases.measuring.kept_answers import Tally
from relgate.usecases.preparing.own_answers import models_of
from relgate.usecases.preparing.prepare import Prepared

_STEP = "measure it anew with the model that answers now: run again with `--reuse never`"


def held_for_a_moved_model(
    prepared: Prepared, tally: Tally, measured: Mapping[CaseKey, Sequence[Measurement]]
) -> Prepared:
    """The run with a hold where a target's kept answers are of other models than those that it gave now.

    Args:
        prepared: the run.
        tally: of which cases answers were kept, and which were asked.
        measured: what this run measured.
    """
    if not tally.reused:
        return prepared
    rows = [row for held in measured.values() for row in held if not row.stored]
    before = models_of(row for row in rows if (row.suite, row.case_id) not in tally.asked[row.side])
    now = models_of(row for row in rows if (row.suite, row.case_id) not in tally.kept[row.side])
    holds = tuple(
        (
            f"{target} answered as {', '.join(sorted(before[side, target]))} before and as "
            f"{', '.join(sorted(now[side, target]))} now: what was kept is of another model",
            _STEP,
        )
        for side, target in sorted(before)
        if not before[side, target] & now.get((side, target), before[side, target])
    )
    return prepared.held_for_its_answers(holds, attempt=not prepared.uncounted) if holds else prepared
