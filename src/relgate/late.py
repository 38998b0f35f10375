"""numpy and scipy.special, imported when the first number is asked of them.

They take a fifth of a second of every start; a run reads, checks and asks before it computes.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["import_now", "np", "special"]

if TYPE_CHECKING:
    import numpy as np
    from scipy import special
else:

    class _Late(ModuleType):
        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):  # introspection is no use
                raise AttributeError(name)
            found = import_module(self.__name__)
            self.__dict__.update(found.__dict__)
            return getattr(found, name)

    np = _Late("numpy")
    special = _Late("scipy.special")


def import_now() -> None:
    """Import both, in a moment that would be spent waiting."""
    _ = np.float64, special.betainc
