"""The cases of the suites of a run as the registry keeps them, to compare later runs with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import overload

from relgate.domain.case import Case, Suite
from relgate.domain.digest import canonical_json, digest_json
from relgate.domain.long_cases import LongCases
from relgate.domain.run import CaseRecord, SuiteRecord, SuiteSettings

_AT_ONCE = 1000


class LongCaseRecords(Sequence[CaseRecord]):
    """The records of a long suite, made as they are asked for.

    Args:
        suite: the suite.
        cases: its cases.
        plugins: digest of the project's own scorers.
    """

    def __init__(self, suite: Suite, cases: LongCases, plugins: str) -> None:
        self._suite = suite
        self._cases = cases
        self._plugins = plugins

    def __len__(self) -> int:
        return len(self._suite.all_cases)

    def __iter__(self) -> Iterator[CaseRecord]:
        rest = canonical_json([self._suite.scoring_digest, self._plugins])[1:].decode()
        may_not_miss = self._cases.critical
        critical = dict(zip(may_not_miss.numbers.tolist(), may_not_miss, strict=True))
        for begin in range(0, self._cases.total, _AT_ONCE):
            digests = self._cases.digests[begin : begin + _AT_ONCE].tobytes().hex()
            for place, case_id in enumerate(self._cases.ids[begin : begin + _AT_ONCE]):
                own = f'["sha256:{digests[64 * place : 64 * place + 64]}",{rest}'
                if (case := critical.get(begin + place)) is not None:
                    yield _case_record(self._suite, case, self._plugins)
                    continue
                yield CaseRecord(case_id, f"sha256:{hashlib.sha256(own.encode()).hexdigest()}")
        yield from (_case_record(self._suite, case, self._plugins) for case in self._suite.regressions)

    @overload
    def __getitem__(self, index: int) -> CaseRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CaseRecord]: ...
    def __getitem__(self, index: int | slice) -> CaseRecord | Sequence[CaseRecord]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return _case_record(self._suite, self._suite.all_cases[index], self._plugins)


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
            _case_records(suite, plugins),
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
    )


def case_version(case: Case, settings: SuiteSettings) -> str:
    """The version that a case has under these settings."""
    return digest_json([case.digest, settings.scoring, settings.plugins])


def _case_records(suite: Suite, plugins: str) -> Sequence[CaseRecord]:
    if isinstance(suite.cases, LongCases):
        return LongCaseRecords(suite, suite.cases, plugins)
    return tuple(_case_record(suite, case, plugins) for case in suite.all_cases)


def _case_record(suite: Suite, case: Case, plugins: str) -> CaseRecord:
    version = digest_json([case.digest, suite.scoring_digest, plugins])
    harmful = suite.kind == "safety" and case.tags.get("harmful") is True
    record = CaseRecord(case.id, version, case.critical, case.regression, harmful)
    return replace(record, content=case.digest) if record.protected else record
