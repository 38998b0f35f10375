"""A release's artifacts as the registry keeps them, its application's code among them."""

from __future__ import annotations

from relgate.domain.release import Release
from relgate.domain.run import RECORDING, ArtifactRow


def artifact_rows(release: Release) -> tuple[ArtifactRow, ...]:
    """One row per artifact, without content; the application's code or recording comes last."""
    code = release.application
    kind, name = RECORDING if code.kind == "recording" else (RECORDING[0], code.value)
    rows = [
        ArtifactRow(a.kind, a.name, a.version, a.digest, str(a.path) if a.path else "")
        for a in release.artifacts
    ]
    if code.code_digest and (kind, name) not in {(row.kind, row.name) for row in rows}:
        rows.append(ArtifactRow(kind, name, "", code.code_digest, str(code.path or "")))
    return tuple(rows)
