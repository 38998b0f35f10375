"""How a run is named where its answers are kept: by its process, and by the candidate that it asks."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from relgate.domain.digest import digest_json


def name_run(candidate_digest: str) -> str:
    """A name that no other run has."""
    return f"{os.getpid()}.{_begun(os.getpid())}-{secrets.token_hex(8)}{_mark(candidate_digest)}"


def asks(run: str, candidate_digest: str) -> bool:
    """Whether a run asks, or asked, this candidate."""
    return run.endswith(_mark(candidate_digest))


def is_going_on(run: str) -> bool:
    """Whether a run of this machine is still going on beside this one.

    Numbers of processes come again, in containers at once: where the system tells when one began, both count.
    """
    number, _, begun = run.partition("-")[0].partition(".")
    pid = int(number)
    if pid == os.getpid() or not _is_alive(pid):
        return False
    return not begun or (now := _begun(pid)) == "" or now == begun


def _mark(candidate_digest: str) -> str:
    return "-" + digest_json(candidate_digest).removeprefix("sha256:")[:16]


def _begun(pid: int) -> str:
    """When a process began, in ticks since the machine did; "" where that is not known."""
    fields = _told_of(pid)
    return fields[19] if len(fields) > 19 else ""


def _told_of(pid: int) -> list[str]:
    """Fields 3 and on of what the system tells of a process; none where it does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return []
    return stat.rpartition(")")[2].split()  # the name before may hold anything


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return _told_of(pid)[:1] not in (["Z"], ["X"])  # it ended, and nobody has asked for its status yet
