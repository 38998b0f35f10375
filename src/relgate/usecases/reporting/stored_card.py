"""A stored verdict shown again: what it says, as things are now."""

from __future__ import annotations

from contextlib import suppress

from relgate.domain.errors import RegistryError
from relgate.domain.scorecard import Scorecard
from relgate.render.commands import HOLDS_PRODUCTION
from relgate.store import Registry, StoredVerdict
from relgate.usecases.inspect_registry import step_now
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.reporting.build_scorecard import numbered
from relgate.usecases.reporting.waivers import waiver_parts


def stored_card(stored: StoredVerdict, registry: Registry, prepared: Prepared) -> Scorecard:
    """The scorecard of a stored verdict with today's waivers; what is in production is not promoted again.

    It is the newest verdict on the release from now on.
    """
    with suppress(RegistryError):  # it is given all the same where nothing can be written
        registry.serve(stored.run_id)
    card = Scorecard.model_validate(stored.scorecard)
    update: dict[str, object] = {"waivers": waiver_parts(registry, prepared.candidate.name)}
    if card.verdict.decision == "promote":
        here = registry.run(stored.run_id)
        update["next_step"] = HOLDS_PRODUCTION if prepared.standing.holds else step_now(registry, here)
    return numbered(card.model_copy(update={"verdict": card.verdict.model_copy(update=update)}))
