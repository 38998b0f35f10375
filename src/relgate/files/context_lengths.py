"""Whether the models of a route can hold a prompt at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from relgate.domain.release import Artifact
from relgate.files.checking import Check
from relgate.files.references import chat_prompt_name

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def check_context_lengths(check: Check, artifacts: list[Artifact]) -> None:
    """A prompt that a hop cannot hold is a problem that names each such hop.

    Its words are a lower bound of its tokens, and its placeholders count nothing: there is no false alarm.
    Hops are those of a chat application's route, of the route of the prompt's name, and the models that it
    declares with ``compatible_models``.
    """
    for prompt in artifacts:
        if prompt.kind != "prompt" or prompt.content is None:
            continue
        text = prompt.content.decode("utf-8", errors="replace")
        words = len(_PLACEHOLDER.sub("", text).split())
        lengths = dict(_hops(check, prompt.name))
        small = {hop: length for hop, length in lengths.items() if length < words}
        if small:
            hops = ", ".join(f"{hop} ({length})" for hop, length in small.items())
            what = f"the prompt has at least {words} tokens, more than the context length of {hops}"
            remedy = "shorten it, or name models that hold it"
            check.at_key(("artifacts", "prompt", prompt.name), what, remedy)


def _hops(check: Check, prompt: str) -> Iterator[tuple[str, int]]:
    """Each hop that gets the prompt, and its context length in tokens where it is known."""
    routes = [prompt]
    route = check.get("application", "chat")
    if isinstance(route, str) and chat_prompt_name(check, route) == prompt:
        routes.append(route)
    chains = [check.mapping("routes", name).get("chain") or [] for name in routes]
    in_chains = [hop for chain in chains for hop in chain]
    declared = check.mapping("artifacts", "prompt", prompt).get("compatible_models") or []
    reached = {hop.partition("/")[2] for hop in in_chains}
    hops = [(hop, hop.partition("/")[2]) for hop in in_chains]
    hops += [(f"model {name}", name) for name in declared if name not in reached]
    for hop, model in hops:
        length = check.mapping("artifacts", "model", model).get("context_length")
        if isinstance(length, int):
            yield hop, length
