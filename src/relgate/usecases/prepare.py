"""Everything before the first call: files read, releases resolved, gates spread, feasibility known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relgate.applications.recording import Rows
from relgate.catalog import Catalog
from relgate.decision.feasibility import Feasibility, feasibility
from relgate.decision.policy import attempt_alpha, policy_digest
from relgate.domain.case import Case, Suite
from relgate.domain.digest import digest_json
from relgate.domain.errors import Problem
from relgate.domain.release import Release
from relgate.domain.response import Side
from relgate.domain.run import AttemptKey
from relgate.store import Registry, StoredVerdict
from relgate.usecases.baseline import Baseline, find_baseline
from relgate.usecases.inputs import Sources, read_inputs
from relgate.usecases.options import RunOptions
from relgate.usecases.plan_suite import SuitePlan, plan_suite
from relgate.usecases.trials import TrialPlan


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready for its first call.

    Attributes:
        candidate: the release under test.
        baseline: what it is compared with.
        plans: suites in order of their folders.
        rows: recordings per side, None for callable applications.
        trials: which trials are asked.
        policy_digest: all gates, digested before the first call.
        attempt_key: what counts attempts together.
        attempt: which attempt this would be.
        alpha: promote-side alpha of this attempt.
        judged_key: identifies a verdict that would be the same again.
        stored: the verdict stored under this key, if any.
        same_digest: whether candidate and baseline are the same release.
        left_out: names of the suites that it left out.
        feasibility: per gate whether it can pass.
        notes: what the reader must know, whatever part of the cases is run (``notes_of`` has the rest).
    """

    candidate: Release
    baseline: Release | None
    plans: tuple[SuitePlan, ...]
    rows: Mapping[Side, Rows | None]
    trials: TrialPlan
    policy_digest: str
    attempt_key: AttemptKey
    attempt: int
    alpha: float
    judged_key: str
    stored: StoredVerdict | None
    same_digest: bool
    left_out: tuple[str, ...]
    feasibility: tuple[Feasibility, ...]
    notes: tuple[str, ...]

    @property
    def suites(self) -> tuple[Suite, ...]:
        """The suites of the run."""
        return tuple(plan.suite for plan in self.plans)

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that are measured."""
        return ("candidate",) if self.baseline is None else ("candidate", "baseline")

    def notes_of(self, *, attempt: bool) -> tuple[str, ...]:
        """What the reader of a run must know that is an attempt, or of one that is none (a partial one)."""
        if not attempt or self.attempt == 1:
            return self.notes
        return (
            *self.notes,
            f"attempt {self.attempt} on these golden sets: promote-side alpha {self.alpha:g} instead of "
            "0.05; a promote would be one on a tuned set",
        )

    def calls_of(self, plan: SuitePlan, case: Case) -> int:
        """Planned calls of one case, both sides."""
        hops = len(plan.hops) or 1
        return hops * sum(len(self.trials.trials(side, plan.suite, case)) for side in self.sides)


def prepare(
    options: RunOptions, catalog: Catalog, registry: Registry, problems: Sequence[Problem] = ()
) -> Prepared:
    """Read and check everything; nothing is called.

    Args:
        options: what to do.
        catalog: what can be named.
        registry: where releases are looked up.
        problems: what is wrong with plugins; scorers that are not known may be theirs.

    Raises:
        InputError: everything that is wrong, at once.
    """
    sources = Sources(
        manifest=options.manifest,
        golden_sets=options.golden_sets,
        environment=options.environment,
        catalog=catalog,
        whole_catalog=not problems,
        chosen=tuple(options.suites),
    )

    def find(release: Release) -> Baseline:
        return find_baseline(
            release,
            options.baseline,
            registry,
            base=options.folder,
            environment=options.environment,
            golden_sets=options.golden_sets,
            artifact_kinds=catalog.artifact_kinds,
        )

    inputs = read_inputs(sources, find, problems)
    baseline, releases, rows, suites = inputs.baseline, inputs.releases, inputs.rows, inputs.suites
    candidate = releases["candidate"]
    same = baseline.release is not None and baseline.release.digest == candidate.digest
    plans = [
        plan_suite(suite, judging, candidate, first=baseline.release is None)
        for suite, judging in zip(suites, inputs.judgings, strict=True)
    ]
    policy = policy_digest(suites)
    key = AttemptKey(
        line=candidate.name,
        baseline_digest=baseline.release.digest if baseline.release else "",
        golden_digest=_golden_digest(suites),
    )
    attempt = registry.next_attempt(key, candidate.digest)
    judged_key = _judged_key(candidate, baseline, suites, policy, options, catalog.plugins_digest)
    alpha = attempt_alpha(attempt)
    trials = TrialPlan(
        deterministic=all(release.deterministic for release in releases.values()),
        override=options.trials,
        rows={str(side): found for side, found in rows.items()},
    )
    return Prepared(
        candidate=candidate,
        baseline=baseline.release,
        plans=tuple(plans),
        rows=rows,
        trials=trials,
        policy_digest=policy,
        attempt_key=key,
        attempt=attempt,
        alpha=alpha,
        judged_key=judged_key,
        stored=registry.judged(judged_key),
        same_digest=same,
        left_out=inputs.left_out,
        feasibility=tuple(
            feasibility(gate, plan.suite, alpha=alpha, single_trial=trials.single(plan.suite))
            for plan in plans
            for gate in plan.gates
        ),
        notes=_notes(baseline, candidate, registry) + inputs.notes,
    )


def _golden_digest(suites: Sequence[Suite]) -> str:
    golden = [s for s in suites if s.kind == "golden"] or list(suites)
    return digest_json(sorted(s.cases_digest for s in golden))


def _judged_key(
    candidate: Release,
    baseline: Baseline,
    suites: Sequence[Suite],
    policy: str,
    options: RunOptions,
    plugins: str,
) -> str:
    return digest_json(
        {
            "release": [candidate.name, candidate.version, candidate.digest],
            "baseline": baseline.release.digest if baseline.release else None,
            "plugins": plugins,
            # not in the release's digest, but another endpoint may be another system
            "endpoints": {name: provider.base_url for name, provider in candidate.providers.items()},
            "suites": sorted(s.digest for s in suites),
            "policy": policy,
            "trials": options.trials,
        }
    )


def _notes(baseline: Baseline, candidate: Release, registry: Registry) -> tuple[str, ...]:
    notes = [baseline.note] if baseline.note else []
    known = registry.release(candidate.name, candidate.version)
    if known is not None and known.digest != candidate.digest:
        notes.append(
            f"{candidate.label} was recorded before with another content; the version was used twice"
        )
    twins = [
        r
        for r in registry.releases()
        if r.digest == candidate.digest and (r.name, r.version) != (candidate.name, candidate.version)
    ]
    if twins:
        notes.append(f"equal in content to {twins[0].name}@{twins[0].version} under another version")
    return tuple(notes)
