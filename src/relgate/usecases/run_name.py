"""How a run is named where its answers are kept: by its process, and by the candidate that it asks."""

from __future__ import annotations

import os
import secrets

from relgate.domain.digest import digest_json


def name_run(candidate_digest: str) -> str:
    """A name that no other run has."""
    return f"{os.getpid()}-{secrets.token_hex(8)}{_mark(candidate_digest)}"


def asks(run: str, candidate_digest: str) -> bool:
    """Whether a run asks, or asked, this candidate."""
    return run.endswith(_mark(candidate_digest))


def is_going_on(run: str) -> bool:
    """Whether a run of this machine is still going on beside this one."""
    pid = int(run.partition("-")[0])
    return pid != os.getpid() and _is_alive(pid)


def _mark(candidate_digest: str) -> str:
    return "-" + digest_json(candidate_digest).removeprefix("sha256:")[:16]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
