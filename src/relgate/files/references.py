"""Whether what one part of a manifest names stands in another part of it."""

from __future__ import annotations

from relgate.domain.release import Target
from relgate.files.checking import Check
from relgate.files.paths import is_file
from relgate.files.reading import nearby
from relgate.files.versions import unpinned_model_id, unpinned_reference, unpinned_version
from relgate.files.wire import did_you_mean
from relgate.files.yamldoc import Loc

PIN = "pin it: a number, a date or a digest"


def check_versions(check: Check) -> None:
    """Every version is pinned; baseline and rollback target may be aliases."""
    version = check.get("version")
    if version is not None and (reason := unpinned_version(version)):
        check.at(("version",), f"version {reason}", PIN, repr(version))
    for key in ("baseline", "rollback_to"):
        reference = check.get(key)
        if reference is not None and not _is_path(reference) and (reason := unpinned_reference(reference)):
            remedy = "name a version or an alias such as production"
            check.at((key,), f"{key} {reason}", remedy, repr(reference))
    for kind, name, entry in check.entries():
        version, model_id = entry.get("version"), entry.get("id")
        if version is not None and (reason := unpinned_version(version)):
            check.at(("artifacts", kind, name, "version"), f"version {reason}", PIN, repr(version))
        if kind in ("model", "embedding_model", "reranker") and isinstance(model_id, str):
            reason = unpinned_model_id(model_id)
            if reason:
                remedy = "pin it: name the dated or numbered model"
                check.at(("artifacts", kind, name, "id"), f"model id {reason}", remedy, repr(model_id))


def _is_path(reference: str) -> bool:
    return reference.endswith((".yaml", ".yml")) or "/" in reference or "\\" in reference


def check_baseline(check: Check) -> None:
    """A baseline that is a path is there."""
    baseline = check.get("baseline")
    if baseline is not None and _is_path(baseline) and not is_file(check.folder / baseline):
        remedy = nearby(check.folder / baseline) or "paths are relative to the manifest's folder"
        check.at(("baseline",), "no such file", remedy, repr(baseline))


def check_artifact_references(check: Check) -> None:
    """Models name known providers; an index names a corpus and an embedding model at their versions."""
    for kind, name, entry in check.entries():
        provider = entry.get("provider")
        if isinstance(provider, str) and provider not in check.names("providers"):
            remedy = did_you_mean(provider, check.names("providers"), none="there are no providers")
            check.at(("artifacts", kind, name, "provider"), f"unknown provider {provider!r}", remedy)
        if kind == "retrieval_index":
            for key, other in (("corpus", "retrieval_corpus"), ("embedding_model", "embedding_model")):
                reference = entry.get(key)
                if isinstance(reference, str):
                    _check_reference(check, ("artifacts", kind, name, key), other, reference)


def _check_reference(check: Check, loc: Loc, kind: str, reference: str) -> None:
    name, at, version = reference.partition("@")
    if not at or not name or not version:
        check.at(loc, "should be name@version", "such as help@17", repr(reference))
        return
    entries = check.mapping("artifacts", kind)
    known = [
        f"{other}@{entry['version']}"
        for other, entry in entries.items()
        if isinstance(entry, dict) and "version" in entry
    ]
    sound = name not in check.names("artifacts", kind) or any(each.startswith(f"{name}@") for each in known)
    if sound and reference not in known:
        remedy = did_you_mean(reference, known, none=f"there are no {kind} artifacts")
        check.at(loc, f"no {kind} is {reference!r}", remedy)


def check_prices(check: Check) -> None:
    """Prices of single models are those of known ones."""
    models = check.names("artifacts", "model")
    for provider in check.mapping("providers"):
        for model in check.names("providers", provider, "prices"):
            if model not in models:
                remedy = did_you_mean(model, models, none="there are no model artifacts")
                check.at(("providers", provider, "prices", model), f"unknown model {model!r}", remedy)


def check_routes(check: Check) -> None:
    """Each hop is a known provider and a known model, in an allowed region."""
    providers, models = check.names("providers"), check.names("artifacts", "model")
    for name, route in check.mapping("routes").items():
        for index, text in enumerate(route.get("chain", [])):
            loc: Loc = ("routes", name, "chain", index)
            try:
                target = Target.parse(text)
            except ValueError:
                check.at(loc, "a hop should be provider/model", value=repr(text))
                continue
            if target.provider not in providers:
                remedy = did_you_mean(target.provider, providers, none="there are no providers")
                check.at(loc, f"unknown provider {target.provider!r}", remedy, repr(text))
            elif target.model not in models:
                remedy = did_you_mean(target.model, models, none="there are no model artifacts")
                check.at(loc, f"unknown model {target.model!r}", remedy, repr(text))
            else:
                _check_region(check, loc, target, route.get("allowed_regions") or [])


def _check_region(check: Check, loc: Loc, target: Target, allowed: list[str]) -> None:
    provider = check.mapping("providers").get(target.provider)
    if not allowed or provider is None:
        return
    region = provider.get("region")
    if region is None:
        check.at(loc, f"provider {target.provider!r} has no region", f"give it one of {', '.join(allowed)}")
    elif region not in allowed:
        what = f"provider {target.provider!r} is in region {region!r}"
        check.at(loc, what, f"the route allows {', '.join(allowed)}")


def chat_prompt_name(check: Check, route: str) -> str | None:
    """The prompt of a chat application: the one with the route's name, else the only one, else None."""
    prompts = check.names("artifacts", "prompt")
    return route if route in prompts else prompts[0] if len(prompts) == 1 else None


def check_chat(check: Check, route: str) -> None:
    """A chat application: its route is there, its models have ids, and one prompt is meant."""
    loc: Loc = ("application", "chat")
    routes = check.names("routes")
    if route not in routes:
        check.at(loc, f"unknown route {route!r}", did_you_mean(route, routes, none="there are no routes"))
        return
    prompts = check.names("artifacts", "prompt")
    name = chat_prompt_name(check, route)
    if not prompts:
        check.at(loc, "a chat application needs a prompt artifact", f"add artifacts.prompt.{route}")
    elif name is None:
        remedy = f"name one of them {route!r}: {', '.join(prompts)}"
        check.at(loc, "which prompt is meant is not clear", remedy)
    else:
        entry = check.mapping("artifacts", "prompt", name)
        if entry and "path" not in check.names("artifacts", "prompt", name):
            remedy = "a chat application renders the file"
            check.at(("artifacts", "prompt", name), "'path' is missing", remedy)
    for text in check.mapping("routes").get(route, {}).get("chain", []):
        model = text.partition("/")[2]
        entry = check.mapping("artifacts", "model", model)
        if entry and "id" not in check.names("artifacts", "model", model):
            remedy = "a chat application sends the id to the provider"
            check.at(("artifacts", "model", model), "'id' is missing", remedy)
