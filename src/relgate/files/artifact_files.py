"""Artifacts with the files that hold them: read once, digested, their templates checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from relgate.domain.digest import digest_bytes, digest_json
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.release import Artifact
from relgate.files.artifact_models import NOT_DIGESTED
from relgate.files.checking import Check
from relgate.files.jsontext import load_json_text
from relgate.files.paths import resolved
from relgate.files.reading import decode, digest_of_file, read_bytes, shown
from relgate.files.wire import did_you_mean
from relgate.files.yamldoc import Loc, parse_yaml

Content = TypeVar("Content", bytes, str)

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.]*(?:\s*\|[^{}\n]*|\([^{}\n]*)?)\s*\}\}")
_OPENED = re.compile(r"(?<!\{)\{\{[ \t]*([A-Za-z_]\w*)")


def read_artifacts(check: Check) -> list[Artifact]:
    """Every artifact whose entry is sound; problems with their files go to ``check``."""
    return [_artifact(check, kind, name, entry) for kind, name, entry in check.entries()]


def _artifact(check: Check, kind: str, name: str, entry: dict[str, Any]) -> Artifact:
    loc: Loc = ("artifacts", kind, name)
    path = content = content_digest = None
    written = entry.get("path")
    if written:
        path = resolved(check.folder / written)
        content = read_file(check, (*loc, "path"), path, written)
    if content is not None and path is not None:
        content_digest = _content_digest(check, path, content)
        if kind == "prompt":
            _check_template(check, loc, path, content, entry)
    files = entry.get("files")
    if kind == "application_code" and files:
        content_digest = _files_digest(check, loc, files, content_digest)
    settings = {key: value for key, value in entry.items() if key not in NOT_DIGESTED}
    digest = digest_json({"settings": settings, "content": content_digest})
    return Artifact(kind, name, str(entry.get("version", "")), digest, settings, path, content)


def read_file(check: Check, loc: Loc, path: Path, written: str) -> bytes | None:
    """The content of a file that the manifest names; if it cannot be read, the problem stands at its name."""
    return _read(check, loc, path, written, read_bytes)


def digest_file(check: Check, loc: Loc, path: Path, written: str) -> str | None:
    """The digest of a large file that the manifest names, as ``read_file`` gives its content."""
    return _read(check, loc, path, written, digest_of_file)


def _read(
    check: Check, loc: Loc, path: Path, written: str, read: Callable[[Path], Content]
) -> Content | None:
    try:
        return read(path)
    except InputError as error:
        for problem in error.problems:
            missing = problem.what == "no such file"
            remedy = "paths are relative to the manifest's folder" if missing else problem.remedy
            check.at(loc, f"{problem.what} {problem.value}".strip(), remedy, repr(written))
        return None


def _content_digest(check: Check, path: Path, content: bytes) -> str | None:
    suffix = path.suffix.lower()
    if suffix not in (".json", ".yaml", ".yml"):
        return digest_bytes(content)
    try:
        text = decode(content, path)
        if suffix == ".json":
            return digest_json(load_json_text(text, path))
    except InputError as error:
        check.problems.extend(error.problems)
        return None
    document, problems = parse_yaml(text, path, mapping=False)
    check.problems.extend(problems)
    return digest_json(document.value) if document else None


def _files_digest(check: Check, loc: Loc, files: list[str], content_digest: str | None) -> str | None:
    digests = []
    for index, written in enumerate(files):
        content = read_file(check, (*loc, "files", index), check.folder / written, written)
        if content is not None:
            digests.append([Path(written).name, digest_bytes(content)])
    return digest_json([content_digest, sorted(digests)])


def _unclosed(text: str, path: Path) -> Iterator[tuple[Place, str]]:
    """Place and name of each ``{{ name`` that no ``}}`` follows before the next ``{{``."""
    for found in _OPENED.finditer(text):
        rest = text[found.end() :].partition("{{")[0]
        if "}}" not in rest:
            line = text.count("\n", 0, found.start()) + 1
            yield Place(shown(path), line, found.start() - text.rfind("\n", 0, found.start())), found.group(1)


def _check_template(check: Check, loc: Loc, path: Path, content: bytes, entry: dict[str, Any]) -> None:
    try:
        text = decode(content, path)
    except InputError as error:
        check.problems.extend(error.problems)
        return
    declared: list[str] = entry.get("variables") or []
    used: set[str] = set()
    for found in _PLACEHOLDER.finditer(text):
        name = found.group(1)
        line = text.count("\n", 0, found.start()) + 1
        place = Place(shown(path), line, found.start() - text.rfind("\n", 0, found.start()))
        if not re.fullmatch(r"\w+", name):
            problem = Problem(
                place, "a placeholder should be a plain name", found.group(), "write {{ name }}"
            )
            check.problems.append(problem)
        elif name not in declared and name not in used:
            close = did_you_mean(name, declared) if declared else ""
            hint = close if close.startswith("did you mean") else f"add it to variables of prompt/{loc[2]}"
            check.problems.append(Problem(place, f"template variable {name!r} is not declared", remedy=hint))
        used.add(name)
    for place, name in _unclosed(text, path):
        check.problems.append(
            Problem(place, "a placeholder is not closed", f"{{{{ {name}", f"write {{{{ {name} }}}}")
        )
        used.add(name)
    for index, name in enumerate(declared):
        if name not in used:
            remedy = f"remove it, or use {{{{ {name} }}}} in {shown(path)}"
            check.at((*loc, "variables", index), f"template variable {name!r} is never used", remedy)
