"""Stored verdicts as the registry gives them: served again, and what later runs say against them."""

from __future__ import annotations

from datetime import UTC, datetime

from relgate.domain.run import ReleaseRow
from relgate.store import served_verdicts
from relgate.store.database import Database
from relgate.store.rows import StoredVerdict


class VerdictAccess:
    """The part of the registry that serves verdicts again; every method is one transaction."""

    _database: Database

    def judged(self, judged_key: str) -> StoredVerdict | None:
        """The last whole verdict under this key."""
        with self._database.read() as connection:
            return served_verdicts.judged(connection, judged_key)

    def spoken_against(self, run_id: str) -> tuple[str, str] | None:
        """The later run of the same content that speaks against the promote of a run, with its reason."""
        with self._database.read() as connection:
            return served_verdicts.spoken_against(connection, run_id)

    def serve(self, run_id: str) -> None:
        """Remember that the verdict of a run was given again: it is the newest on its content now."""
        with self._database.write() as connection:
            served_verdicts.serve(connection, run_id)

    def spoken_against_since(
        self, digest: str, baseline: ReleaseRow | None, moment: datetime
    ) -> tuple[str, str] | None:
        """The run that began after a moment and speaks against a content, with its reason.

        Args:
            digest: of the release.
            baseline: what it is compared with.
            moment: when what speaks for it was answered.
        """
        begun = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._database.read() as connection:
            number = served_verdicts.newest_begun(connection, begun)
            return served_verdicts.speaking_against(connection, digest, baseline, number)
