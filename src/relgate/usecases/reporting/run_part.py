"""What is needed to find and repeat a run: its id, times, seed and the versions of what measured it."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from relgate.domain.scorecard import RunPart

LIBRARIES = ("relgate", "pytest", "pytest-xdist", "pydantic", "numpy", "scipy", "sqlalchemy", "aiohttp")


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def run_part(
    started: datetime, seed: int, baseline: str | None, backends: dict[str, dict[str, list[str]]]
) -> RunPart:
    """A new id, with the run's times, seed, named baseline, versions, and what answered it."""
    return RunPart(
        id=f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
        started=_iso(started),
        finished=_iso(now()),
        seed=seed,
        baseline_given=baseline or "",
        versions=_versions(),
        backends=backends,
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _versions() -> dict[str, str]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
