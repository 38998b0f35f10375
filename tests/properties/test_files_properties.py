"""Whatever stands in a file, reading it ends in a value or in an InputError: never in a traceback."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relgate.catalog import Catalog
from relgate.domain.case import ScorerSpec
from relgate.domain.errors import InputError, RegistryError
from relgate.domain.release import ApplicationSpec, Release
from relgate.domain.scorer import ScorerContext
from relgate.files import (
    draft_release,
    find_suites,
    load_manifest,
    load_recording,
    load_suite,
    load_yaml,
    resolve_release,
)
from relgate.files.jsontext import JsonError, parse_json
from relgate.files.paths import expanded, is_file, is_folder, resolved, unusable
from relgate.files.reading import read_bytes
from relgate.store.location import normalise
from relgate.usecases.check_project import nearest_golden_sets

MANIFEST = b"""\
manifest: 1
release: desk
version: "1.3.0"
owner: me
application: {chat: answer}
artifacts:
  model: {m: {version: "2026-04-30", provider: p, id: m-1}}
  prompt: {answer: {version: v1, path: p.md, variables: [q]}}
  retrieval_index: {i: {version: "1", corpus: c@1}}
providers: {p: {base_url: "${URL}", api_key: "${KEY}", price: {input_per_million: 1.0}}}
routes: {answer: {chain: [p/m], allowed_regions: [eu]}}
dependencies: {d: {url: "http://x", when_down: y}}
suites: [a]
services: [{python: "json:loads"}]
"""
SUITE = b"""\
suite: s
kind: golden
scorers: [exact, {contains: [a]}]
slices: [lang]
gates:
  - {metric: exact, non_inferior: {margin: 0.05}, only: {lang: de}}
  - {metric: exact, at_least: 0.8, by: lang}
"""
CASES = b'{"id": "a", "input": "q", "tags": {"lang": "de"}}\n'

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn, source: bytes) -> bytes:
    """The source with some bytes replaced."""
    content = bytearray(source)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 12))
        content[start : start + length] = draw(
            st.binary(max_size=6)
            | st.sampled_from(
                [b"\t", b"\n", b"[", b"{", b"*a", b"&a ", b"no", b"012", b": ", b"- ", b"'", b'"', b"null"]
            )
        )
    return bytes(content)


@st.composite
def spoiled(draw: st.DrawFn, source: bytes) -> bytes:
    """The source with a value somewhere replaced by any other."""
    document: Any = yaml.safe_load(source)
    paths: list[list[str | int]] = []

    def walk(value: Any, path: list[str | int]) -> None:
        paths.append(path)
        items = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, item in items:
            walk(item, [*path, key])

    walk(document, [])
    *parents, last = draw(st.sampled_from(paths[1:]))
    holder = document
    for part in parents:
        holder = holder[part]
    holder[last] = draw(values)
    return yaml.safe_dump(document, allow_unicode=True).encode("utf-8", errors="surrogatepass")


def anything(source: bytes) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=200) | mutated(source) | spoiled(source)


fuzz = settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@contextlib.contextmanager
def folder() -> Any:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@fuzz
@given(anything(MANIFEST))
@example(MANIFEST)
def test_manifests(content: bytes) -> None:
    with folder() as root:
        (root / "p.md").write_text("{{ q }}")
        path = root / "candidate.yaml"
        path.write_bytes(content)
        with contextlib.suppress(InputError):
            resolve_release(load_manifest(path), environment={})


@fuzz
@given(anything(SUITE))
@example(SUITE)
def test_suites(content: bytes) -> None:
    with folder() as root:
        (root / "suite.yaml").write_bytes(content)
        (root / "cases.jsonl").write_bytes(CASES)
        with contextlib.suppress(InputError):
            load_suite(root / "suite.yaml", golden_sets=root, known_scorers=["exact"])


@fuzz
@given(anything(CASES))
def test_cases_and_recordings(content: bytes) -> None:
    with folder() as root:
        (root / "suite.yaml").write_bytes(SUITE)
        (root / "cases.jsonl").write_bytes(content)
        with contextlib.suppress(InputError):
            load_suite(root / "suite.yaml", golden_sets=root)
        with contextlib.suppress(InputError):
            load_recording(root / "cases.jsonl")


@fuzz
@given(st.text())
def test_json(text: str) -> None:
    with contextlib.suppress(JsonError):
        parse_json(text)


@fuzz
@given(
    st.dictionaries(
        st.text(min_size=1), st.text() | st.booleans() | st.none() | st.integers(-99, 99), min_size=1
    )
)
def test_quoted_yaml_is_read_as_written(value: dict[str, Any]) -> None:
    text = yaml.safe_dump(value, default_style='"') if all(isinstance(v, str) for v in value.values()) else ""
    if text:
        with folder() as root:
            (root / "a.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
            with contextlib.suppress(InputError):
                assert load_yaml(root / "a.yaml").value == value


ODD_PATHS = st.sampled_from(
    ["a\0b", "x" * 5000, "x/" * 3000, "~nobody-of-this-name/x", "\ud800", "..", ".", "/"]
) | st.text(min_size=1, max_size=300)


@fuzz
@given(ODD_PATHS, st.sampled_from(["", ".yaml", "/a.json"]))
@example("a\0b", "")
@example("x" * 5000, ".yaml")
def test_a_path_is_asked_about_and_never_raises(name: str, ending: str) -> None:
    with folder() as root:
        path = root / (name + ending)
        if unusable(path):
            assert not is_file(path)
            assert not is_folder(path)
        resolved(path)
        expanded(name + ending)
        with contextlib.suppress(InputError):
            read_bytes(path)
        with contextlib.suppress(RegistryError):
            normalise(name + ending, root)
        nearest_golden_sets(path)
        if not is_folder(path):
            assert find_suites(path) == []


@fuzz
@given(ODD_PATHS, st.sampled_from(["", ".yaml", "/a"]))
@example("a\0b", "")
@example("x" * 5000, ".yaml")
def test_every_path_of_a_manifest_may_be_anything(name: str, ending: str) -> None:
    odd = name + ending
    places: list[dict[str, Any]] = [
        {"application": {"recording": odd}},
        {"baseline": odd},
        {"suites": [odd]},
        {"services": [{"python": odd}]},
        {"artifacts": {"limits": {"a": {"version": "1", "path": odd}}}},
        {"artifacts": {"application_code": {"a": {"version": "1", "files": [odd]}}}},
        {"artifacts": {"prompt": {"a": {"version": "1", "path": odd}}}},
    ]
    with folder() as root:
        for place in places:
            manifest = {"manifest": 1, "release": "desk", "version": "1.0", "owner": "me"} | place
            manifest.setdefault("application", {"recording": "none.jsonl"})
            text = json.dumps(manifest).encode()
            (root / "candidate.yaml").write_bytes(text)
            with contextlib.suppress(InputError):
                loaded = load_manifest(root / "candidate.yaml")
                draft_release(loaded, golden_sets=root)
                resolve_release(loaded, environment={}, golden_sets=root)


@fuzz
@given(ODD_PATHS, st.sampled_from(["", ".json"]))
@example("a\0b", ".json")
@example("x" * 190, ".json")
@example("x" * 5000, ".json")
def test_every_path_of_a_suite_may_be_anything(name: str, ending: str) -> None:
    with folder() as root:
        suite = {"suite": "s", "kind": "golden", "scorers": [{"json_schema": {"schema": name + ending}}]}
        (root / "suite.yaml").write_text(json.dumps(suite))
        (root / "cases.jsonl").write_bytes(CASES)
        with contextlib.suppress(InputError):
            load_suite(root / "suite.yaml", golden_sets=root)
        release = Release("d", "1", "me", "", root / "m.yaml", ApplicationSpec("recording", "x"))
        spec = ScorerSpec("json_schema", {"schema": name + ending})
        with contextlib.suppress(InputError):
            Catalog.read()[0].make_scorer(spec, ScorerContext(root / "suite.yaml", release))
