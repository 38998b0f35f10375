"""What changed between two releases, which suites reach it, and which changes a failing suite suspects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from relgate.domain.case import Suite
from relgate.domain.digest import short
from relgate.domain.gate import GateResult
from relgate.domain.release import Release
from relgate.domain.verdict import Alarm, CriticalMiss


@dataclass(frozen=True, slots=True)
class Change:
    """One artifact that differs; ``before`` is None when it is new, ``after`` when it is gone."""

    kind: str
    name: str
    before: str | None
    after: str | None
    reached_by: tuple[str, ...]

    @property
    def key(self) -> str:
        """``kind/name``."""
        return f"{self.kind}/{self.name}"


def changed_artifacts(
    baseline: Release,
    candidate: Release,
    suites: Sequence[Suite],
    *,
    untouched: Collection[str] = (),
    differing: Collection[str] = (),
) -> tuple[Change, ...]:
    """Every artifact, and the application's code, whose digest or version differs.

    Args:
        baseline: the release before.
        candidate: the release after.
        suites: the suites of the run.
        untouched: names of the suites that the releases declare untouched: nothing that changed reaches them.
        differing: of these, those that differ all the same. Nobody knows what reaches them, so everything
            that changed counts.
    """
    before, after = _artifacts(baseline), _artifacts(candidate)
    changes = []
    for key in dict.fromkeys([*after, *before]):
        if before.get(key) == after.get(key):
            continue
        kind, name = key
        reached = tuple(
            s.name
            for s in suites
            if s.name in differing
            or (
                s.name not in untouched
                and reaches(s, kind, name, candidate, baseline)
                and not (kind == "model" and only_judges(s, name, candidate, baseline))
            )
        )
        changes.append(Change(kind, name, before.get(key), after.get(key), reached))
    return tuple(changes)


def _artifacts(release: Release) -> Mapping[tuple[str, str], str]:
    found = {(a.kind, a.name): f"{a.version}@{short(a.digest)}" for a in release.artifacts}
    code = release.application
    found["application_code", code.value if code.kind != "recording" else "recording"] = (
        f"{short(code.code_digest)}"
    )
    for name, route in release.routes.items():
        found["route", name] = " -> ".join(str(target) for target in route.chain)
    return {key: value for key, value in found.items() if value}


def reaches(suite: Suite, kind: str, name: str, *releases: Release) -> bool:
    """Whether the suite's route can reach the artifact.

    A model is reached when the route's chain names it or no route does, a route by its own name, and a
    prompt of a chat application by its route; the application's own route answers every suite of a chat
    application, whatever route that says to measure. Everything else is reached by every suite, for a Python
    application may use it.
    """
    if kind == "route":
        return suite.route in (None, name) or any(name in asked_routes(suite, each) for each in releases)
    if kind == "model" and not any(_names(release, name) for release in releases):
        return True
    for release in releases:
        routes = [release.routes[each] for each in asked_routes(suite, release) if each in release.routes]
        if kind == "model" and routes:
            if any(target.model == name for route in routes for target in route.chain):
                return True
            continue
        if kind == "prompt" and release.application.kind == "chat":
            prompts = [a.name for a in release.of_kind("prompt")]
            if name == release.application.value or len(prompts) == 1:
                return True
            continue
        return True
    return False


def only_judges(suite: Suite, model: str, *releases: Release) -> bool:
    """Whether a model scores a suite's answers and gives none of them: it scores both sides alike.

    A Python application or a deployed one may ask any model by itself.
    """
    if any(release.application.kind not in ("chat", "recording") for release in releases):
        return False
    judges = {str(s.options.get("model", "")).rpartition("/")[2] for s in suite.scorers if s.name == "judge"}
    return model in judges and not any(_names(release, model) for release in releases)


def asked_routes(suite: Suite, release: Release) -> tuple[str, ...]:
    """The routes that answer a suite: its own, and that of a chat application."""
    chat = (release.application.value,) if release.application.kind == "chat" else ()
    return tuple(dict.fromkeys(name for name in (suite.route, *chat) if name))


def _names(release: Release, model: str) -> bool:
    return any(target.model == model for route in release.routes.values() for target in route.chain)


def suspect_groups(
    changes: Sequence[Change],
    gates: Iterable[GateResult],
    alarms: Iterable[Alarm] = (),
    critical: Iterable[CriticalMiss] = (),
) -> tuple[tuple[str, ...], ...]:
    """The changed artifacts that a failing suite's route reaches, ``kind/name``, likeliest first.

    What the most failing suites reach comes first, then what the fewest other suites reach: a fault there
    would have shown in them too. What nothing tells apart is one group, in the order of the changes.
    """
    gates = tuple(gates)
    failing = {g.suite for g in gates if g.result == "fail" and g.role in ("require", "guard")}
    failing |= {g.suite for g in gates if g.proven_worse and g.role == "require"}
    failing |= {a.suite for a in alarms} | {m.suite for m in critical if m.confirmed}
    groups: dict[tuple[int, int], list[str]] = {}
    for change in changes:
        reached = set(change.reached_by)
        if failing & reached:
            groups.setdefault((-len(failing & reached), len(reached - failing)), []).append(change.key)
    return tuple(tuple(groups[rank]) for rank in sorted(groups))
