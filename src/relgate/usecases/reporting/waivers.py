"""The waivers of a release line, as every report shows them."""

from __future__ import annotations

from relgate.domain.scorecard import WaiverPart
from relgate.store import Registry


def waiver_parts(registry: Registry, line: str) -> list[WaiverPart]:
    """Every promotion against the verdict, oldest first."""
    return [
        WaiverPart(release=w.release, version=w.version, reason=w.reason, at=w.at, by=w.by)
        for w in registry.waivers(line)
    ]
