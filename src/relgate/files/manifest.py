"""From a manifest to a release: every file digested, every reference checked, all problems at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relgate.domain.digest import digest_bytes, digest_json
from relgate.domain.errors import InputError, Problem
from relgate.domain.release import (
    ApplicationSpec,
    Artifact,
    Price,
    Provider,
    Release,
    Route,
    Secret,
    Target,
)
from relgate.files.artifact_files import digest_file, read_artifacts
from relgate.files.artifact_models import ARTIFACT_KINDS, OtherArtifact
from relgate.files.checking import Check
from relgate.files.code import find_code
from relgate.files.context_lengths import check_context_lengths
from relgate.files.deployed_model import command_application, http_application
from relgate.files.environment import check_variables
from relgate.files.manifest_model import APPLICATION_KINDS, Manifest, PriceEntry
from relgate.files.paths import is_folder, resolved
from relgate.files.reading import decode, nearby, read_bytes, shown, tidy
from relgate.files.references import (
    check_artifact_references,
    check_baseline,
    check_chat,
    check_prices,
    check_routes,
    check_versions,
)
from relgate.files.suite_folders import below, find_suites
from relgate.files.wire import did_you_mean, prune, validate
from relgate.files.yamldoc import MAX_BYTES, Loc, YamlDocument, parse_yaml


@dataclass(frozen=True, slots=True)
class LoadedManifest:
    """A manifest as it was read.

    Attributes:
        path: as given.
        document: the YAML, with places.
        text: the file's text.
        model: None when its shape is wrong.
        value: the part of the document whose shape is right.
        problems: what is wrong so far; ``resolve_release`` raises them together with its own.
    """

    path: Path
    document: YamlDocument
    text: str
    model: Manifest | None
    value: dict[str, Any]
    problems: tuple[Problem, ...] = ()


_MISSING = "name one that is there, or let `relgate init` write candidate.yaml"


def load_manifest(path: Path, *, extra_artifact_kinds: Collection[str] = ()) -> LoadedManifest:
    """Read a manifest and check its shape.

    Args:
        path: the manifest.
        extra_artifact_kinds: kinds that the project registered through the catalog; relgate's own do no harm.

    Raises:
        InputError: the file is no YAML mapping. Other problems are kept for ``resolve_release``, so that
            the user gets all of them at once.
    """
    text = decode(
        read_bytes(path, limit=MAX_BYTES, missing=nearby(path) or _MISSING),
        path,
    )
    document, problems = parse_yaml(text, path)
    if document is None:
        raise InputError(tidy(problems))
    value = dict(document.value)
    registered = set(extra_artifact_kinds) - set(ARTIFACT_KINDS)
    wrong: list[Loc] = []
    artifacts = value.get("artifacts")
    if isinstance(artifacts, dict):
        for kind in artifacts:
            if kind not in ARTIFACT_KINDS and kind not in registered:
                remedy = did_you_mean(kind, [*ARTIFACT_KINDS, *registered])
                place = document.key_place(("artifacts", kind))
                problems.append(Problem(place, f"unknown artifact kind {kind!r}", remedy=remedy))
        extra = {kind: named for kind, named in artifacts.items() if kind in registered}
        value["artifacts"] = {kind: named for kind, named in artifacts.items() if kind not in extra}
        for kind, named in extra.items():
            _check_extra_kind(document, kind, named, problems, wrong)
    model, found, more_wrong = validate(Manifest, document, value)
    problems += found
    return LoadedManifest(
        path, document, text, model, prune(document.value, [*wrong, *more_wrong]), tuple(problems)
    )


def _check_extra_kind(
    document: YamlDocument, kind: str, named: Any, problems: list[Problem], wrong: list[Loc]
) -> None:
    loc: Loc = ("artifacts", kind)
    if not isinstance(named, dict):
        problems.append(Problem(document.place(loc), f"artifacts.{kind} should be a mapping"))
        wrong.append(loc)
        return
    for name, entry in named.items():
        _, found, more_wrong = validate(OtherArtifact, document, entry, within=(*loc, name))
        problems += found
        wrong += more_wrong


def resolve_release(
    loaded: LoadedManifest, *, environment: Mapping[str, str] | None, golden_sets: Path | None = None
) -> Release:
    """Read and digest every file of a manifest and check every reference.

    Args:
        loaded: the manifest.
        environment: where ``${VAR}`` will come from; only looked at, never put in. None where nobody will be
            asked, so that none is needed.
        golden_sets: where else ``suites:`` may lie, besides beside the manifest.

    Raises:
        InputError: with every problem of the manifest.
    """
    check = Check(loaded.document, loaded.value, loaded.path.parent, list(loaded.problems))
    artifacts = read_artifacts(check)
    check_versions(check)
    check_baseline(check)
    check_artifact_references(check)
    check_prices(check)
    check_routes(check)
    check_context_lengths(check, artifacts)
    services = _services(check)
    given_later = environment is None or "services" in loaded.document.value
    check_variables(check, environment or {}, given_later=given_later)
    application = _application(check, artifacts)
    suites = _suites(check, golden_sets)
    if check.problems or loaded.model is None or application is None:
        raise InputError(tidy(check.problems))
    model = loaded.model
    routes = {name: _route(name, loaded) for name in model.routes}
    dependencies = {name: entry.model_dump(exclude_none=True) for name, entry in model.dependencies.items()}
    return Release(
        name=model.release,
        version=model.version,
        owner=model.owner,
        digest=_digest(artifacts, routes, dependencies, application, model.deterministic),
        path=loaded.path,
        application=application,
        baseline=model.baseline,
        rollback_to=model.rollback_to,
        artifacts=tuple(artifacts),
        providers={name: _provider(name, model) for name in model.providers},
        routes=routes,
        dependencies=dependencies,
        services=services,
        suites=suites,
        deterministic=model.deterministic,
        manifest_text=loaded.text,
    )


@dataclass(frozen=True, slots=True)
class ReleaseDraft:
    """A release of what is sound in a manifest, so that what depends on it can be checked all the same.

    Attributes:
        release: without a digest; with artifacts only when all of them can be read.
        application_known: whether the application's kind is.
        application_sound: whether what the application names is there.
    """

    release: Release
    application_known: bool
    application_sound: bool


def draft_release(loaded: LoadedManifest, *, golden_sets: Path | None = None) -> ReleaseDraft:
    """What can be said of a release whose manifest is wrong; how it is wrong ``resolve_release`` says."""
    check = Check(loaded.document, loaded.value, loaded.path.parent)
    artifacts = read_artifacts(check)
    if check.problems:
        artifacts = []
    routes = {name: _draft_route(name, check.get("routes", name, "chain")) for name in check.names("routes")}
    before = len(check.problems)
    application = _application(check, artifacts)
    sound = application is not None and len(check.problems) == before
    known = [check.get(key) for key in ("release", "version")]
    release = Release(
        name=str(known[0] or ""),
        version=str(known[1] or ""),
        owner="",
        digest="",
        path=loaded.path,
        application=application or ApplicationSpec("python", ""),
        # A wrong baseline is none at all: the holder of production is not what was meant.
        baseline=check.get("baseline") or ("none" if "baseline" in loaded.document.value else None),
        artifacts=tuple(artifacts),
        routes=routes,
        services=tuple(each for each in _services(check) if not find_code(each).what),
        suites=_suites(check, golden_sets) or None,
        manifest_text=loaded.text,
    )
    return ReleaseDraft(release, application is not None, sound)


def _draft_route(name: str, chain: Any) -> Route:
    hops = [hop.partition("/") for hop in chain or () if isinstance(hop, str)]
    return Route(name, tuple(Target(provider, model) for provider, _, model in hops))


def _services(check: Check) -> tuple[str, ...]:
    references = []
    for index, entry in enumerate(check.get("services") or []):
        reference = entry.get("python")
        if reference is None:
            continue
        code = find_code(reference)
        if code.what:
            check.at(("services", index, "python"), code.what, code.remedy, repr(reference))
        references.append(reference)
    return tuple(references)


def _application(check: Check, artifacts: list[Artifact]) -> ApplicationSpec | None:
    loc: Loc = ("application",)
    written = check.names("application")
    if len(written) > 1:
        check.at_key(loc, "application should be exactly one kind", f"keep one of {', '.join(written)}")
        return None
    entry = check.mapping("application")
    if not entry:
        if isinstance(check.document.value.get("application"), dict) and not written:
            check.at(loc, "application is empty", f"write one of {', '.join(APPLICATION_KINDS)}")
        return None
    kind, value = next(iter(entry.items()))
    if kind == "python":
        code = find_code(value)
        if code.what:
            check.at((*loc, kind), code.what, code.remedy, repr(value))
        named = [a.digest for a in artifacts if a.kind == "application_code"]
        return ApplicationSpec("python", value, None, digest_json(sorted(named)) if named else code.digest)
    if kind == "recording":
        path = resolved(check.folder / value)
        content = digest_file(check, (*loc, kind), path, value)
        return ApplicationSpec("recording", value, path, content or digest_bytes(b""))
    if kind == "http":
        return http_application(check, (*loc, kind), value)
    if kind == "command":
        code_digests = [a.digest for a in artifacts if a.kind == "application_code"]
        return command_application(check, (*loc, kind), value, code_digests)
    check_chat(check, value)
    return ApplicationSpec("chat", value)


def _suites(check: Check, golden_sets: Path | None) -> tuple[Path, ...] | None:
    written = check.get("suites")
    if written is None:
        return None
    folders = []
    for index, name in enumerate(written):
        beside = [check.folder / name, *([golden_sets / name] if golden_sets else [])]
        folder = next((each for each in beside if is_folder(each)), None)
        if folder is None:
            check.at(("suites", index), "no such folder", "write it relative to the manifest", repr(name))
        elif golden_sets is not None and not below(find_suites(golden_sets), [folder]):
            what = "no suite of the golden-set folder lies in this folder"
            check.at(("suites", index), what, f"name a folder below {shown(golden_sets)}", repr(name))
        else:
            folders.append(folder)
    return tuple(folders)


def _provider(name: str, model: Manifest) -> Provider:
    entry = model.providers[name]
    return Provider(
        name=name,
        base_url=entry.base_url,
        api_key=Secret(entry.api_key) if entry.api_key else None,
        region=entry.region,
        requests_per_minute=entry.requests_per_minute,
        tokens_per_minute=entry.tokens_per_minute,
        max_concurrency=entry.max_concurrency,
        timeout_seconds=entry.timeout_seconds,
        connect_timeout_seconds=entry.connect_timeout_seconds,
        first_byte_timeout_seconds=entry.first_byte_timeout_seconds,
        retry_seconds=entry.retry_seconds,
        price=_price(entry.price) if entry.price else None,
        prices={model: _price(price) for model, price in entry.prices.items()},
    )


def _price(entry: PriceEntry) -> Price:
    return Price(entry.input_per_million, entry.output_per_million)


def _route(name: str, loaded: LoadedManifest) -> Route:
    assert loaded.model is not None
    entry = loaded.model.routes[name]
    return Route(
        name=name,
        chain=tuple(Target.parse(hop) for hop in entry.chain),
        degraded=tuple(entry.degraded),
        approved_for=tuple(entry.approved_for),
        allowed_regions=tuple(entry.allowed_regions),
    )


def _digest(
    artifacts: list[Artifact],
    routes: Mapping[str, Route],
    dependencies: Mapping[str, Mapping[str, Any]],
    application: ApplicationSpec,
    deterministic: bool,
) -> str:
    return digest_json(
        {
            "artifacts": sorted([a.kind, a.name, a.version, a.digest] for a in artifacts),
            "routes": {
                name: {
                    "chain": [str(hop) for hop in route.chain],
                    "degraded": route.degraded,
                    "approved_for": route.approved_for,
                    "allowed_regions": route.allowed_regions,
                }
                for name, route in routes.items()
            },
            "dependencies": {
                name: {key: value for key, value in entry.items() if key not in ("url", "description")}
                for name, entry in dependencies.items()
            },
            "application": {
                "kind": application.kind,
                "value": "" if application.kind == "recording" else application.value,
                "code_digest": application.code_digest,
            },
            "deterministic": deterministic,
        }
    )
