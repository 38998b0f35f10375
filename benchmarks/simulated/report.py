"""The calibration report as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from simulated.bounds import POWER_LESS, SIZE_AT_MOST, error
from simulated.cells import Measured
from simulated.peers import RESAMPLES, Compared, __version__
from simulated.policies import Claim


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was measured, and how.

    Attributes:
        date: day of the run.
        machine: processor, cores, Python.
        command: what was typed.
        seed: of all draws.
        repetitions: of the cheap cells.
        long: of the same cells in the long form.
        cpu: CPU seconds.
        wall: seconds, None where some results were kept from an earlier sitting.
        cells: every gate kind.
        claims: policy experiments by name.
        compared: beside other rules.
    """

    date: str
    machine: str
    command: str
    seed: int
    repetitions: int
    long: int
    cpu: float
    wall: float | None
    cells: Sequence[Measured]
    claims: Mapping[str, Sequence[Claim]]
    compared: Sequence[Compared]

    @property
    def misses(self) -> list[str]:
        """What lies outside what was stated."""
        found = [
            f"{m.cell.name}: passed {m.passed:.3f}, failed {m.failed:.3f} ({m.repetitions} repetitions)"
            for m in self.cells
            if not m.holds
        ]
        found += [
            f"{claim.name}: {claim.rate:.3f} ({claim.repetitions} repetitions)"
            for claims in self.claims.values()
            for claim in claims
            if not claim.holds
        ]
        return found

    @property
    def unreached(self) -> list[str]:
        """Powers below the study's figure less what is allowed, by however little."""
        return [
            f"{m.cell.name}: {m.rate:.3f}, {m.cell.figure:g} in the study"
            for m in self.cells
            if m.cell.figure is not None and m.rate < m.cell.figure - POWER_LESS
        ] + [
            f"{claim.name}: {claim.rate:.3f}, {claim.study} in the study"
            for claims in self.claims.values()
            for claim in claims
            if claim.at_least is not None and claim.rate < claim.at_least
        ]


def render(report: Report) -> str:
    """The whole page."""
    sizes = [m for m in report.cells if m.cell.figure is None]
    powers = [m for m in report.cells if m.cell.figure is not None]
    alone = [m for m in sizes if not m.cell.clusters]
    clustered = [m for m in sizes if m.cell.clusters]
    hours = report.cpu * report.long / report.repetitions / 3600.0
    took = f"{report.cpu / 60:.0f} minutes of CPU"
    took = (
        f"{took} in several sittings" if report.wall is None else f"{report.wall / 60:.0f} minutes and {took}"
    )
    if report.repetitions != report.long:
        took += f"; the long form ({report.long} repetitions) would take about {hours:.1f} hours of CPU"
    parts = [
        "# Calibration",
        f"Measured on {report.date} ({report.machine}) by `{report.command}`, seed {report.seed}, "
        f"{report.repetitions} repetitions per cell (fewer where a method is slow; each row says how many). "
        f"It took {took}.",
        "Every figure comes from the code that judges a run (`relgate.decision`), on data whose truth is "
        "known. The bounds stood in `benchmarks/simulated/bounds.py` before anything was measured:",
        _bounds(),
        "`passed` and `failed` are shares of the runs, `error` is one Monte-Carlo standard error at the "
        "bound. A bound is missed when a share lies more than two of them beyond it. On the boundary both "
        "sides are errors, so both have the bound; zero tolerance rejects by policy, so only its pass side "
        'has one. Pass or fail has no "all ties" on a boundary: a difference that is the same in every case '
        "is 0 or 1 there.",
        "## What missed its bound",
        "\n".join(f"- {miss}" for miss in report.misses) or "Nothing.",
        f"## Powers below the study's figure less {POWER_LESS:.2f}",
        "By however little, so also by less than the draws of this run can tell:",
        "\n".join(f"- {line}" for line in report.unreached) or "None.",
    ]
    if alone:
        parts += ["## Size, every case a unit of its own", _cells(alone)]
    if clustered:
        parts += [
            "## Size, clusters",
            'Correlation .2 inside a cluster of 3 to 36 cases. In "catastrophe" data whole clusters break at '
            "once. Fewer than 12 clusters and catastrophe data are reported only.",
            _cells(clustered),
        ]
    if powers:
        parts += ["## Power", _powers(powers)]
    for name, claims in report.claims.items():
        parts += [f"## {name}", _claims(claims)]
    if report.compared:
        parts += ["## Beside other rules, on the same data", _peers(report.compared)]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _bounds() -> str:
    rows = [
        [rule, "reported only" if bound is None else f"at most {bound:.3f}"]
        for rule, bound in SIZE_AT_MOST.items()
    ]
    return _table(["methods", "size"], [*rows, ["power", f"the study's figure less {POWER_LESS:.2f}"]])


def _where(measured: Measured) -> str:
    cell = measured.cell
    return f"{cell.n} in {cell.clusters} clusters" if cell.clusters else str(cell.n)


def _cells(found: Sequence[Measured]) -> str:
    rows = []
    for m in sorted(found, key=lambda m: m.cell.kind):
        bound = SIZE_AT_MOST[m.cell.rule]
        rows.append(
            [
                m.cell.kind,
                m.cell.data,
                _where(m),
                f"{m.passed:.3f}",
                f"{m.failed:.3f}",
                "reported" if bound is None else f"{bound:.3f}",
                "" if bound is None else f"{error(bound, m.repetitions):.3f}",
                str(m.repetitions),
                "" if m.holds else "**missed**",
            ]
        )
    head = ["gate", "data", "n", "passed", "failed", "bound", "error", "repetitions", ""]
    return _table(head, rows)


def _powers(found: Sequence[Measured]) -> str:
    rows = [
        [
            m.cell.kind,
            m.cell.data,
            _where(m),
            f"{m.rate:.3f}",
            f"{m.cell.figure:.3f}",
            str(m.repetitions),
            "" if m.holds else "**missed**",
        ]
        for m in found
    ]
    return _table(["gate", "truth", "n", "decided", "study", "repetitions", ""], rows)


def _claims(claims: Sequence[Claim]) -> str:
    rows = []
    for claim in claims:
        bounds = [f"at most {claim.at_most:.3f}"] if claim.at_most is not None else []
        bounds += [f"at least {claim.at_least:.3f}"] if claim.at_least is not None else []
        rows.append(
            [
                claim.name,
                f"{claim.rate:.3f}",
                f"{error(claim.rate, claim.repetitions):.3f}",
                ", ".join(bounds) or "reported",
                claim.study,
                str(claim.repetitions),
                "" if claim.holds else "**missed**",
            ]
        )
    return _table(["what", "share", "error", "bound", "study", "repetitions", ""], rows)


def _peers(compared: Sequence[Compared]) -> str:
    rows = [
        [
            c.name,
            f"{c.relgate:.3f}",
            "-" if c.statgate is None else f"{c.statgate:.3f}",
            f"{c.plain:.3f}",
            str(c.repetitions),
        ]
        for c in compared
    ]
    peer = (
        f"statgate {__version__} with {RESAMPLES} resamples and alpha .10, which is a one-sided .05."
        if __version__
        else "statgate is not installed where this ran."
    )
    words = (
        "Shares promoted. On the boundary .05 may be; of identical candidates as many as possible. "
        f"{peer} \"The mean must not drop\" promotes when the candidate's mean is at least the baseline's."
    )
    head = ["world", "relgate", "statgate", "the mean must not drop", "repetitions"]
    return words + "\n\n" + _table(head, rows)
