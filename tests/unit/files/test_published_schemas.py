"""The JSON Schemas in docs/schemas are those of the code, and the examples of the docs are right."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from relgate.files import load_manifest, load_suite, load_yaml, schemas
from relgate.usecases.scaffold import schema_files

DOCS = Path(__file__).parents[3] / "docs"


def test_committed_schemas_equal_the_code() -> None:
    committed = {path.name: path.read_bytes() for path in (DOCS / "schemas").glob("*.json")}
    assert committed == schema_files(), "run: relgate schema --out docs/schemas"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_each_schema_is_a_titled_draft_2020_12(name: str) -> None:
    schema = schemas()[name]
    jsonschema_rs.Draft202012Validator(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"]
    assert schema["description"]


def examples(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)


def test_every_manifest_in_the_docs_is_right(tmp_path: Path) -> None:
    found = examples("manifest.md", "yaml")
    assert found
    for text in found:
        path = tmp_path / "candidate.yaml"
        path.write_text(text, encoding="utf-8")
        loaded = load_manifest(path)
        assert loaded.problems == ()
        assert jsonschema_rs.is_valid(schemas()["manifest"], loaded.document.value)


def test_every_suite_and_case_in_the_docs_is_right(tmp_path: Path) -> None:
    cases = "".join(examples("suites.md", "json"))
    for line in cases.splitlines():
        assert jsonschema_rs.is_valid(schemas()["case"], json.loads(line))
    suites = examples("suites.md", "yaml")
    assert len(suites) >= 3
    (tmp_path / "cases.jsonl").write_text(cases, encoding="utf-8")
    for text in suites:
        path = tmp_path / "suite.yaml"
        path.write_text(text, encoding="utf-8")
        load_suite(path, golden_sets=tmp_path)
        assert jsonschema_rs.is_valid(schemas()["suite"], load_yaml(path).value)


def test_every_key_is_in_the_docs() -> None:
    manifest, suites = (
        "".join((DOCS / name).read_text() for name in ("manifest.md", "applications.md")),
        (DOCS / "suites.md").read_text(),
    )
    for name, page in (("manifest", manifest), ("suite", suites), ("case", suites), ("recording", suites)):
        schema = schemas()[name]
        parts = [schema, *schema.get("$defs", {}).values()]
        keys = {key for part in parts for key in part.get("properties", {})}
        missing = sorted(key for key in keys if not re.search(rf"\b{key}\b", page))
        assert not missing, f"{name}: {missing}"
