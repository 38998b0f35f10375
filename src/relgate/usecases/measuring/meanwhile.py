"""What a run needs after its calls, imported while the first answers are on their way."""

from __future__ import annotations

import sys

from relgate.stats import late

ENGINE_WAITS_SECONDS = 0.0005
"""How long the engine's thread waits for the interpreter at most: it has calls to begin."""


def import_what_judges() -> None:
    """Import what computes; to be called once the engine runs."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(ENGINE_WAITS_SECONDS)
    try:
        late.import_now()
    finally:
        sys.setswitchinterval(usual)
