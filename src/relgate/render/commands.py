"""Commands in what a report says, so that who copies one can type it as it stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from relgate.domain.scorecard import Scorecard

_COMMAND = re.compile(r"`[^`]*`|^relgate .*")
_GLUE = "\N{NO-BREAK SPACE}"
_READING = re.compile(r"\brelgate (show|promote|diff|judge \w+)\b")
"""Commands of a report that read the registry."""

_COMPARED = re.compile(r"(\brelgate diff \S+) RELEASE\b")

HOLDS_PRODUCTION = "nothing to do: it holds production"


def judge_against(what: str, holder: str, compared: str) -> str:
    """The next step where a verdict compared with another release than would be replaced."""
    return (
        f"judge {what} against {holder}, which holds production (`--baseline production`): this run compared "
        f"with {compared}"
    )


def mend_what_fled(what: str) -> str:
    """The next step where production was taken from a content that would take it again."""
    return f"mend what {what} was taken out of production for, then judge the next version"


def next_step(text: str, run_id: str, case: str | None, release: str) -> str:
    """A next step whose commands can be typed.

    Args:
        text: the step, with ``RUN``, ``CASE`` and ``RELEASE`` in its commands.
        run_id: the run.
        case: a case that is worth a look, None where there is none.
        release: the candidate, ``name@version``.
    """
    shown = f"relgate show {run_id} {'CASE' if case is None else shlex.quote(case)}"
    named = {
        "relgate show RUN CASE": shown,
        "relgate show RUN`": f"relgate show {run_id}`",
        "relgate show RUN --": f"relgate show {run_id} --",
        " sample RUN ": f" sample {run_id} ",
        "relgate promote RELEASE": f"relgate promote {shlex.quote(release)}",
    }
    for placeholder, command in named.items():
        text = text.replace(placeholder, command)
    return _COMPARED.sub(lambda found: f"{found.group(1)} {shlex.quote(release)}", text)


def example_case(document: Mapping[str, Any]) -> str | None:
    """The id of a critical case that rejects, else of the worst case, of a scorecard; None without any."""
    critical = document.get("critical", ())
    cases = [*(miss for miss in critical if miss.get("confirmed")), *document.get("worst", ()), *critical]
    return str(cases[0]["case_id"]) if cases else None


def next_of(card: Scorecard) -> str:
    """The next step of a scorecard, ready to be typed."""
    release = f"{card.release.name}@{card.release.version}"
    return next_step(card.verdict.next_step, card.run.id, example_case(card.document()), release)


def at_registry(text: str, registry: str) -> str:
    """A text whose commands name the registry.

    Args:
        text: what is said.
        registry: as it was named on the command line, "" where it was not.
    """
    option = f" --registry {shlex.quote(registry)}" if registry else ""
    return _READING.sub(lambda found: found.group() + option, text)


def glued(text: str) -> str:
    """A text in which no space of a command can end a line; ``unglued`` undoes it."""
    return _COMMAND.sub(lambda found: found.group().replace(" ", _GLUE), text)


def unglued(line: str) -> str:
    """What ``glued`` made of a space is a space again."""
    return line.replace(_GLUE, " ")
