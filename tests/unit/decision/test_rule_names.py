"""Every rule of the verdict has one name: in methodology, code, scorecard and the tables of the tests."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "scorecard.json").read_text(encoding="utf-8"))
TABLES = ("test_truth_table.py", "test_look_table.py")


@dataclass(frozen=True)
class Rule:
    """One line of the methodology's table."""

    name: str
    code: str
    field: str


def _rules() -> list[Rule]:
    text = (ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")
    lines = text.split("### Rules by name\n", 1)[1].split("\n|---|---|---|---|\n", 1)[1].split("\n\n", 1)[0]
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines.splitlines()]
    return [Rule(name, code, field) for name, _, code, field in cells]


RULES = _rules()


def _fields(node: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every field of the schema: ``gates[].result``."""
    if "$ref" in node:
        node = SCHEMA["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for one in node.get("anyOf", ()):
        yield from _fields(one, path)
    if "items" in node:
        yield from _fields(node["items"], f"{path}[]")
    for key, value in node.get("properties", {}).items():
        here = f"{path}.{key}".lstrip(".")
        yield here
        yield from _fields(value, here)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_its_place_in_the_code_and_in_the_scorecard(rule: Rule) -> None:
    parts = f"relgate.{rule.code}".split(".")
    at = max(i for i in range(1, len(parts)) if parts[i].islower() and (_module(parts[: i + 1]) is not None))
    found: Any = _module(parts[: at + 1])
    for name in parts[at + 1 :]:
        fields = {f.name for f in dataclasses.fields(found)} if dataclasses.is_dataclass(found) else set()
        assert hasattr(found, name) or name in fields, f"{rule.code}: {found!r} has no {name}"
        found = getattr(found, name, None)
    assert rule.field == "-" or rule.field in set(_fields(SCHEMA))


def _module(parts: list[str]) -> Any:
    try:
        return importlib.import_module(".".join(parts))
    except ModuleNotFoundError:
        return None


def test_the_methodology_names_the_rules_of_the_tables_and_no_others() -> None:
    here = Path(__file__).parent
    held = {
        name
        for table in TABLES
        for name in re.findall(r'Row\(\s*\d, "([^"]+)"', (here / table).read_text(encoding="utf-8"))
    }
    named = [rule.name for rule in RULES]
    assert len(named) == len(set(named))
    assert set(named) == held
