"""Which attempt a run is: what its count goes by, and whether it is a further one (verdict.md 5.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from relgate.decision.pooling import is_top_up
from relgate.domain.case import Suite
from relgate.domain.digest import digest_json
from relgate.domain.release import Release
from relgate.domain.run import AttemptKey, SuiteRecord
from relgate.store import Registry
from relgate.usecases.preparing.baseline import Baseline
from relgate.usecases.preparing.exposure import golden_of
from relgate.usecases.preparing.staleness import is_steady


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """Which attempt a run is.

    Attributes:
        key: what counts attempts together.
        number: the attempt's number, from 1.
        again: whether measuring the candidate another time is a further attempt.
        continued: the earlier runs of the candidate that answer anew in this one, newest first.
        draws: whether anything is asked live and may answer otherwise the next time.
        judged: every earlier whole run of the candidate against the baseline, newest first.
        by_labels: the suites that labels judged in the newest of the candidate's runs that any judged: more
            labels of them are a further attempt.
    """

    key: AttemptKey
    number: int
    again: bool
    continued: tuple[str, ...] = ()
    draws: bool = False
    judged: tuple[str, ...] = ()
    by_labels: frozenset[str] = frozenset()


def count_attempt(
    registry: Registry,
    candidate: Release,
    baseline: Baseline,
    golden_digest: str,
    records: Sequence[SuiteRecord],
    *,
    screen: bool,
    taken_again: bool,
    labels: Mapping[str, frozenset[str]],
    lines: Mapping[str, str] | None = None,
    drawn_anew: int = 0,
) -> AttemptCount:
    """Count a run among the attempts of its line.

    A candidate that was judged before is judged in a further attempt where anything is asked that may answer
    otherwise, and where its cases, or the lines of its traffic samples, are not those of an earlier run.
    Judging the same answers to the same cases again is the same attempt, unless other labels judge them now:
    looking at each batch of labels until one passes promoted .17 of candidates on the boundary (100 to 400
    labels, by 20 at a time).

    Args:
        registry: where runs are.
        candidate: the candidate.
        baseline: what it is compared with.
        golden_digest: over the golden cases as they are now.
        records: the suites as they are now.
        screen: whether the run is a screen, which is no attempt.
        taken_again: whether answers that were measured before are judged again.
        labels: per suite the ids of its labels (``labels.label_id``).
        lines: digest of each suite's traffic sample.
        drawn_anew: how many runs without a verdict showed what this one asks anew (``find_unfinished``).
    """
    fresh = key_of(candidate, baseline, golden_digest)
    judged = registry.judged_runs(fresh, candidate.digest, _recorded(candidate))
    key, runs = _continued(registry, fresh, judged, records)
    draws = answers_anew(candidate, baseline)
    anew = draws and not (screen or taken_again)
    before = {} if screen else _labels_judged(registry, runs)
    again = anew or (
        not screen
        and (
            _has_other_cases(registry, runs, records)
            or any(ids != labels.get(suite, frozenset()) for suite, ids in before.items())
            or _sampled_otherwise(registry, key, runs, lines or {})
        )
    )
    number = registry.next_attempt(key, candidate.digest, again=again, discarded=0 if screen else drawn_anew)
    every = tuple(run for _, run in judged)
    return AttemptCount(key, number, again, runs if anew else (), draws, every, frozenset(before))


def golden_digest(suites: Sequence[Suite]) -> str:
    """Over the cases of the golden suites as they are now."""
    return digest_json(sorted(suite.cases_digest for suite in golden_of(suites)))


def next_attempt(registry: Registry, line: Release, baseline: Baseline, suites: Sequence[Suite]) -> int:
    """Which attempt another candidate of a release line would be, judged on these suites.

    Args:
        registry: where runs are.
        line: any release of the line.
        baseline: what it is compared with.
        suites: as they are now.
    """
    key = key_of(line, baseline, golden_digest(suites))
    if (others := registry.continued_set(key)) is not None:
        key = _continuing(key, others)
    return registry.next_attempt(key, "")


def _labels_judged(registry: Registry, runs: Iterable[str]) -> dict[str, frozenset[str]]:
    """The suites that labels judged in the newest run that any judged, each with the ids of its labels."""
    for run in runs:
        card = registry.scorecard(run)
        judged = {gate["suite"] for gate in card.get("gates", ()) if "labels" in gate.get("method", "")}
        before = {part["suite"]: frozenset(part["label_ids"]) for part in card.get("judges", ())}
        if looked := judged & before.keys():
            return {suite: before[suite] for suite in looked}
    return {}


def _sampled_otherwise(
    registry: Registry, key: AttemptKey, runs: Collection[str], lines: Mapping[str, str]
) -> bool:
    """Whether a traffic sample has other lines than in the newest run that had or compared it."""
    compared: dict[str, str] = {}
    for run, suite, settings in registry.judged_settings(key):
        if run in runs and settings.traffic is not None:
            compared.setdefault(suite, settings.traffic)
    if any(digest != compared.get(suite, digest) for suite, digest in lines.items()):
        return True
    for run in runs:
        for part in registry.scorecard(run).get("unchanged", ()):
            compared.setdefault(part["suite"], part.get("digest", ""))
    return any(digest and lines.get(suite, digest) != digest for suite, digest in compared.items())


def key_of(candidate: Release, baseline: Baseline, golden_digest: str) -> AttemptKey:
    """The key of a golden set that continues no earlier one.

    A recorded baseline is known by name and version too: its file, and with it its digest, grows with the
    golden set. A baseline that is asked is known by its digest alone.
    """
    release = baseline.release
    return AttemptKey(
        line=candidate.name,
        baseline_digest="" if release is None else release.digest,
        golden_digest=golden_digest,
        recorded_baseline=None if release is None else _recorded(release),
    )


def answers_anew(candidate: Release, baseline: Baseline) -> bool:
    """Whether anything is asked live and may answer otherwise the next time."""
    asked = [candidate]
    if baseline.release is not None and baseline.stored is None:
        asked.append(baseline.release)
    return not all(is_steady(release) for release in asked)


def _continued(
    registry: Registry, key: AttemptKey, judged: Iterable[tuple[str, str]], records: Iterable[SuiteRecord]
) -> tuple[AttemptKey, tuple[str, ...]]:
    """The key that attempts are counted under, and the earlier runs of this candidate under it.

    A golden set that only grew is the same set, continued: adding one case gives no fresh alpha to a
    candidate that was judged on the others. A recorded candidate is found by its name and version too, for
    the lines that answer new cases make its digest another. Another candidate that is judged on the grown
    set has attempts before it as well.
    """
    now = tuple(records)
    chosen: AttemptKey | None = None
    runs: list[str] = []
    for golden_digest, run_id in judged:
        same = golden_digest == (chosen or key).golden_digest
        if same or (chosen is None and is_top_up(registry.suites(run_id), now)):
            chosen = _continuing(key, golden_digest)
            runs.append(run_id)
    if chosen is None and (others := registry.continued_set(key)) is not None:
        chosen = _continuing(key, others)
    return chosen or key, tuple(runs)


def _continuing(key: AttemptKey, golden_digest: str) -> AttemptKey:
    if golden_digest == key.golden_digest:
        return key
    return replace(key, golden_digest=golden_digest, judged_digest=key.golden_digest)


def _has_other_cases(registry: Registry, runs: Iterable[str], now: Iterable[SuiteRecord]) -> bool:
    """Whether the cases are those of none of these runs, of which there is at least one.

    What scores them counts for nothing: it judges the same answers. Tags count, for they choose the cases of
    a gate. A suite that is gone holds by a rule of its own.
    """
    present = {(suite.suite, suite.cases_digest) for suite in now}
    found = [registry.case_digests(run) for run in runs]
    return bool(found) and not any(present <= before.items() for before in found)


def _recorded(release: Release) -> tuple[str, str] | None:
    return (release.name, release.version) if release.application.kind == "recording" else None
