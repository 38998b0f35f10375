"""relgate's own modules are imported as any others are, past pytest's rewriting of assertions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_REWRITERS = "_pytest.assertion.rewrite"


@contextmanager
def not_rewritten() -> Iterator[None]:
    """Nothing that is imported inside is looked at by pytest's import hook, and the bytecode is Python's own.

    pytest rewrites every module of a distribution that holds a plugin, as if its assertions were tests: it
    costs a fifth of the time of these imports, and much more where nobody may write the rewritten bytecode.
    """
    hooks = [
        (place, hook)
        for place, hook in enumerate(sys.meta_path)
        if any(base.__module__ == _REWRITERS for base in type(hook).__mro__)
    ]
    for _, hook in hooks:
        sys.meta_path.remove(hook)
    try:
        yield
    finally:
        for place, hook in hooks:
            sys.meta_path.insert(place, hook)
