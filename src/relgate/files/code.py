"""``package.module:function``: whether it is there, and the digest of its code, without running it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from relgate.domain.digest import digest_bytes
from relgate.files.paths import is_file
from relgate.files.wire import did_you_mean

_REFERENCE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Code:
    """The module of a reference: its file's digest, or why there is none."""

    digest: str = ""
    what: str = ""
    remedy: str = ""


def find_code(reference: str) -> Code:
    """Find the module of ``package.module:function`` and look for the function in its source.

    Parent packages are imported, as Python must; the module itself is only read.
    """
    if not _REFERENCE.fullmatch(reference):
        return Code(what="is not package.module:function", remedy="write it like support.app:build")
    module, _, function = reference.partition(":")
    importlib.invalidate_caches()
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError as error:
        return _not_importable(module, error.name or module)
    except (Exception, SystemExit) as error:
        package = module.rpartition(".")[0] or module
        return Code(what=f"package {package!r} fails to import ({type(error).__name__}: {error})")
    if spec is None:
        return _not_importable(module, module)
    if not spec.origin or not is_file(Path(spec.origin)):
        return Code(what=f"module {module!r} has no file", remedy="name the module that defines the function")
    source = Path(spec.origin).read_bytes()
    if spec.origin.endswith(".py"):
        problem = _lacks(source, function, spec.origin)
        if problem:
            return problem
    return Code(digest=digest_bytes(source))


def _not_importable(module: str, missing: str) -> Code:
    inside = "" if missing == module else f" (needed by {module!r})"
    return Code(
        what=f"no module named {missing!r}{inside}",
        remedy="it must be importable from the folder where pytest runs, or installed",
    )


def _lacks(source: bytes, function: str, origin: str) -> Code | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except SyntaxError as error:
        return Code(what=f"{origin}:{error.lineno}:{error.offset}: bad Python ({error.msg})")
    except (ValueError, RecursionError, MemoryError) as error:
        return Code(what=f"{origin}: bad Python ({error})")
    names = set(_defined(tree.body))
    if names & {function, "*", "__getattr__"}:
        return None
    functions = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    remedy = did_you_mean(function, [name for name in functions if not name.startswith("_")])
    return Code(what=f"{origin} has no {function!r}", remedy=remedy)


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        else:
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id
                elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    yield part.name
                elif isinstance(part, (ast.Import, ast.ImportFrom)):
                    yield from (alias.asname or alias.name for alias in part.names)
