"""Identity: a suite that nothing changed can reach is the same on both sides at any n (verdict.md 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from relgate.decision.changes import asked_routes, reaches
from relgate.decision.measurements import Cell, SuiteData, Trial
from relgate.decision.outcomes import trial_outcome
from relgate.domain.case import Suite
from relgate.domain.gate import GateResult
from relgate.domain.metric import Metric
from relgate.domain.release import ApplicationSpec, Release
from relgate.domain.response import Failure, Measurement, ScorerFailure
from relgate.late import special

SENTINELS = 20
"""Cases that must agree before a suite counts as untouched."""

ASSUMED_FLIP_RATE = 0.08
"""Flip rate of a stochastic system that no pilot has measured (verdict.md, its world)."""

_FALSE_ALARM = 0.01


def is_untouched(suite: Suite, baseline: Release, candidate: Release) -> bool:
    """Whether everything that the suite's route can reach is equal in both releases.

    An application that is called knows more than its route, so doubt counts as reach: only the models and
    prompts that belong to other routes may differ, and these routes themselves. Never claimed of recordings:
    they say nothing of what answered.
    """
    releases = (baseline, candidate)
    if suite.route is None or not _says_its_code(candidate.application):
        return False
    if any(
        _surroundings(baseline, suite)[key] != value for key, value in _surroundings(candidate, suite).items()
    ):
        return False
    before, after = ({(a.kind, a.name): (a.version, a.digest) for a in r.artifacts} for r in releases)
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return not any(_may_read(suite, kind, name, releases) for kind, name in changed)


def _says_its_code(application: ApplicationSpec) -> bool:
    """Whether equal manifests mean equal code: of what is deployed only its build says so (verdict.md 4)."""
    if application.http is not None:
        return application.http.build is not None
    return application.kind in ("python", "chat", "command")


def _surroundings(release: Release, suite: Suite) -> Mapping[str, object]:
    """What counts beside artifacts: application, the routes that answer, endpoints and dependencies."""
    routes = {name: release.routes.get(name) for name in asked_routes(suite, release)}
    application = release.application
    return {
        "application": (application.kind, application.value, application.code_digest, release.deterministic),
        "routes": routes,
        "endpoints": {
            name: (p.base_url, p.region, p.timeout_seconds, p.requests_per_minute, p.price)
            for name, p in release.providers.items()
        },
        "dependencies": release.dependencies,
        "services": release.services,
    }


def _may_read(suite: Suite, kind: str, name: str, releases: Sequence[Release]) -> bool:
    """Whether the suite's route could read a changed artifact: it does, or no other route owns it."""
    return reaches(suite, kind, name, *releases) and not (
        kind == "prompt" and _is_prompt_of_another(suite, name, releases)
    )


def _is_prompt_of_another(suite: Suite, name: str, releases: Sequence[Release]) -> bool:
    """A prompt belongs to the route of its name; a chat application's only prompt belongs to every route."""
    alone = any(
        r.application.kind == "chat" and (len(r.of_kind("prompt")) == 1 or r.application.value == name)
        for r in releases
    )
    return name != suite.route and not alone and all(name in release.routes for release in releases)


def allowed_flips(n: int, flip_rate: float) -> int:
    """The smallest k with P(Bin(n, psi) > k) <= .01."""
    return next(
        k for k in range(n + 1) if k == n or 1.0 - float(special.bdtr(k, n, flip_rate)) <= _FALSE_ALARM
    )


def disagreement(
    pairs: Sequence[tuple[Measurement, Measurement]],
    metrics: Mapping[str, Metric],
    *,
    deterministic: bool,
    flip_rate: float,
) -> str:
    """Why sentinel answers of candidate and baseline show two systems; "" when they agree.

    Equal to the byte for a deterministic application; else at most as many score flips as one system shows.
    """
    if deterministic:
        differ, allowed = sum(not _same_answer(*pair) for pair in pairs), 0
        what = "differ"
    else:
        differ, allowed = (
            sum(_flipped(*pair, metrics) for pair in pairs),
            allowed_flips(len(pairs), flip_rate),
        )
        what = "flip"
    if differ <= allowed:
        return ""
    return (
        f"declared untouched but differs: {differ} of {len(pairs)} sentinel answers {what} "
        f"(at most {allowed} of one system would)"
    )


def _same_answer(candidate: Measurement, baseline: Measurement) -> bool:
    mine, theirs = candidate.outcome, baseline.outcome
    if isinstance(mine, Failure) or isinstance(theirs, Failure):
        return isinstance(mine, Failure) and isinstance(theirs, Failure) and mine.message == theirs.message
    return (mine.output, mine.tool_calls, mine.retrieved) == (
        theirs.output,
        theirs.tool_calls,
        theirs.retrieved,
    )


def _flipped(candidate: Measurement, baseline: Measurement, metrics: Mapping[str, Metric]) -> bool:
    mine, theirs = trial_outcome(_trial(candidate), metrics), trial_outcome(_trial(baseline), metrics)
    return mine is not None and theirs is not None and mine != theirs


def _trial(row: Measurement) -> Trial:
    return Trial(
        {s.metric: s.value for s in row.scores if not isinstance(s, ScorerFailure)},
        frozenset(s.metric for s in row.scores if isinstance(s, ScorerFailure)),
    )


def mirrored(data: SuiteData) -> SuiteData:
    """The suite with the candidate's measurements on both sides: one system stands for the other."""
    values: dict[Cell, Mapping[str, tuple[float, ...]]] = dict(data.values)
    for (side, metric, hop), scores in data.values.items():
        if side == "candidate":
            values["baseline", metric, hop] = scores
    return replace(data, values=values, paired=True)


def pass_identical(result: GateResult, why: str) -> GateResult:
    """``pass (identical)``: a relative gate between equal systems passes at any n, unless it erred."""
    if result.result == "error":
        return result
    return replace(
        result,
        result="pass",
        identical=True,
        needed=None,
        basis="",
        proven_worse=False,
        message=f"identical: {why}",
    )
