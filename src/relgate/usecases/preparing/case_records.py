"""The cases of the suites of a run as the registry keeps them, to compare later runs with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

from relgate.decision.sealing import sealed_ids
from relgate.decision.unchanged import sample_digest
from relgate.domain.case import Case, Suite
from relgate.domain.digest import canonical_json, digest_json
from relgate.domain.long_cases import LongCases
from relgate.domain.run import CaseRecord, RecordBlock, RecordBlocks, SuiteRecord, SuiteSettings
from relgate.late import np

_AT_ONCE = 1000
_TAGS_DIGITS = 16


class LongCaseRecords(RecordBlocks):
    """The records of a long suite, made as they are asked for.

    Args:
        suite: the suite.
        cases: its cases.
        scored_by: digests of what scores the suite and of the project's own scorers.
    """

    def __init__(self, suite: Suite, cases: LongCases, scored_by: tuple[str, str]) -> None:
        self._suite = suite
        self._cases = cases
        self._scored_by = scored_by

    def __len__(self) -> int:
        return len(self._suite.all_cases)

    def __iter__(self) -> Iterator[CaseRecord]:
        for block in self.blocks(_AT_ONCE):
            digests = block.digests.hex()
            for place, case_id in enumerate(block.ids):
                if (protected := block.protected.get(place)) is not None:
                    yield protected
                    continue
                yield CaseRecord(case_id, f"sha256:{digests[64 * place : 64 * place + 64]}")

    def blocks(self, size: int) -> Iterator[RecordBlock]:
        """See ``RecordBlocks``."""
        rest = canonical_json(list(self._scored_by))[1:]
        total, critical = self._cases.total, self._cases.critical
        for begin in range(0, len(self), size):
            cases = self._cases[begin : begin + size]
            assert isinstance(cases, LongCases)
            others = self._suite.regressions[max(0, begin - total) : max(0, begin + size - total)]
            first, last = np.searchsorted(critical.numbers, (begin, begin + size))
            may_not_miss = critical.numbered(critical.numbers[first:last])
            numbered = zip(may_not_miss.numbers.tolist(), may_not_miss, strict=True)
            protected = {number - begin: self._record(case) for number, case in numbered}
            protected |= {place: self._record(case) for place, case in enumerate(others, len(cases))}
            hexes = self._cases.digests[begin : begin + size].tobytes().hex().encode()
            versions = [
                hashlib.sha256(b'["sha256:%b",%b' % (hexes[at : at + 64], rest)).digest()
                for at in range(0, len(hexes), 64)
            ]
            behind = range(len(cases), len(cases) + len(others))
            versions += [bytes.fromhex(protected[place].digest.removeprefix("sha256:")) for place in behind]
            yield RecordBlock([*cases.ids, *(case.id for case in others)], b"".join(versions), protected)

    @overload
    def __getitem__(self, index: int) -> CaseRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CaseRecord]: ...
    def __getitem__(self, index: int | slice) -> CaseRecord | Sequence[CaseRecord]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return self._record(self._suite.all_cases[index])

    def _record(self, case: Case) -> CaseRecord:
        return _case_record(self._suite, case, self._scored_by)


def suite_records(suites: Iterable[Suite], plugins: str) -> tuple[SuiteRecord, ...]:
    """The suites of this run as the registry keeps them.

    Args:
        suites: the suites.
        plugins: digest of the project's own scorers; another scorer is another version of every case.
    """
    return tuple(
        SuiteRecord(
            suite.name,
            suite.kind,
            tuple(gate.document() for gate in suite.gates),
            _case_records(suite, (suite.scoring_digest, plugins)),
            digest_json([suite.cases_digest, suite.clustered]),
            _settings(suite, plugins),
        )
        for suite in suites
    )


def _settings(suite: Suite, plugins: str) -> SuiteSettings:
    return SuiteSettings(
        scoring=suite.scoring_digest,
        plugins=plugins,
        scorers=tuple(digest_json(spec.document()) for spec in suite.scorers),
        clustered=suite.clustered,
        slices=tuple(suite.slices),
        route=suite.route or "",
        sealed=bool(sealed_ids(suite)),
        traffic=sample_digest(suite) if suite.traffic else "",
    )


def as_scored_then(
    now: Sequence[SuiteRecord], suites: Sequence[Suite], before: Iterable[SuiteRecord]
) -> tuple[SuiteRecord, ...]:
    """The suites of this run with their cases in the versions that they would have had in an earlier one.

    What scores a suite enters the version of each of its cases. So laid over the earlier run, a case is
    another one only where it asks or expects something else.

    Args:
        now: the suites of this run as the registry keeps them.
        suites: the same suites, in the same order.
        before: the suites of the earlier run; one of which it is not known what scored it changes nothing.
    """
    known = {record.suite: record.settings for record in before}
    found = []
    for record, suite in zip(now, suites, strict=True):
        old = known.get(record.suite)
        same = old is None or scored_alike(record.settings, old)
        found.append(
            record
            if old is None or same
            else replace(record, cases=_case_records(suite, (old.scoring, old.plugins)))
        )
    return tuple(found)


def scored_alike(now: SuiteSettings | None, before: SuiteSettings | None) -> bool:
    """Whether the same scores a suite; so it is where that is not known."""
    if now is None or before is None:
        return True
    return (now.scoring, now.plugins) == (before.scoring, before.plugins)


def _case_records(suite: Suite, scored_by: tuple[str, str]) -> Sequence[CaseRecord]:
    if isinstance(suite.cases, LongCases):
        return LongCaseRecords(suite, suite.cases, scored_by)
    return tuple(_case_record(suite, case, scored_by, _tags_digest(case)) for case in suite.all_cases)


def _case_record(suite: Suite, case: Case, scored_by: tuple[str, str], tags: str = "") -> CaseRecord:
    version = digest_json([case.digest, *scored_by])
    harmful = suite.kind == "safety" and case.tags.get("harmful") is True
    record = CaseRecord(case.id, version, case.critical, case.regression, harmful, tags=tags)
    return replace(record, content=case.digest) if record.protected else record


def _tags_digest(case: Case) -> str:
    return _digest_of_tags(case.tags, case.cluster) if case.tags or case.cluster is not None else _NO_TAGS


def _digest_of_tags(tags: Mapping[str, Any], cluster: str | None) -> str:
    return digest_json([tags, cluster])[-_TAGS_DIGITS:]


_NO_TAGS = _digest_of_tags({}, None)
"""Of most cases."""
