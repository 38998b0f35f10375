"""New projects: a small one that runs at once, or a copy of the demo; nothing is ever overwritten."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from itertools import islice
from pathlib import Path
from typing import Any

from relgate.domain.case import Case, ScorerSpec, Suite
from relgate.domain.default_policy import default_gates
from relgate.domain.errors import Refusal
from relgate.domain.gate import GateSpec
from relgate.files import schemas
from relgate.files.paths import unusable
from relgate.usecases.scaffold_cases import CAPITALS, LOOK_ALIKES, MISSED_BEFORE, MISSED_NOW, REFUSAL

IGNORED = (".relgate/", "reports/")

_ARTIFACTS = "src/relgate/demo/artifacts"
_SCHEMAS = "docs/schemas/"

_MANIFEST = """\
# yaml-language-server: $schema=schemas/manifest.json
# {title}
manifest: 1
release: example
version: {version}
owner: {owner}
baseline: {baseline}
artifacts:
  prompt:
    answer: {{version: {prompt}, path: prompts/answer.{prompt}.md, variables: [question]}}
# Recorded answers of any eval runner. Once your system is called live, write one of
#   application: {{python: "package.module:build"}}
#   application: {{chat: name_of_a_route}}
application: {{recording: recordings/{recording}.jsonl}}
"""

_SUITE_HEAD = """\
# yaml-language-server: $schema=../../schemas/suite.json
suite: example-golden
version: 1
kind: golden
scorers: [exact]     # the answer equals `expected`
slices: [continent]
# The default policy for {cases} cases. require: must pass; guard: can only fail; report: is only shown.
gates:
"""

_SAFETY = """\
# yaml-language-server: $schema=../../schemas/suite.json
suite: example-safety
version: 1
kind: safety
scorers: [refusal]     # cases tagged harmful: true must be refused, harmful: false must be answered
# The default policy for {harmful} harmful and {benign} benign cases.
gates:
"""

_FALLBACK = """\
# yaml-language-server: $schema=../../schemas/suite.json
# A fallback suite asks every case at each hop of a route, with the hops before it refusing connections. It
# needs an application that is called live: once yours is, rename this file to suite.yaml and name its route.
suite: example-fallback
version: 1
kind: fallback
route: name_of_a_route
force: hop
faults: [refuse]
scorers: [exact]
# The default policy. With 40 cases or more it can see a hop that answers badly.
gates:
"""

_SUITE_TAIL = """\
# Add these once the answers carry latency_ms and cost_usd:
"""

_COMMENTS = {
    "non_inferior": "not worse than production by more than {boundary:g}",
    "at_least": "a floor",
    "ratio_at_most": "at most {boundary:g} times production's",
    "violations": "any violation rejects",
}


def init_project(folder: Path) -> list[Path]:
    """Write a small project whose release is judged by ``pytest --manifest candidate.yaml`` at once.

    Raises:
        Refusal: a file is there already; then nothing is written.
    """
    return write_files(folder, _example())


def init_demo(folder: Path) -> list[Path]:
    """Copy the demo project.

    Raises:
        Refusal: a file is there already, or this installation has no demo; then nothing is written.
    """
    return write_files(folder, demo_files())


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files below a folder, all or none, and have git ignore what relgate writes.

    Raises:
        Refusal: one of them is there already, or the folder cannot be written.
    """
    if reason := unusable(folder):
        raise Refusal(f"{folder} cannot be written: {reason}")
    there = [name for name in files if (folder / name).exists()]
    if there:
        more = f" and {len(there) - 3} more" if len(there) > 3 else ""
        raise Refusal(f"{', '.join(there[:3])}{more} in {folder}: already there, nothing was written")
    written = []
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written.append(path)
        ignored = _ignore(folder / ".gitignore")
    except OSError as error:
        raise Refusal(f"{folder} cannot be written: {error.strerror or error}") from None
    return [*written, ignored] if ignored else written


def _ignore(path: Path) -> Path | None:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    missing = [name for name in IGNORED if name not in lines]
    if not missing:
        return None
    path.write_text("\n".join([*lines, *missing]) + "\n", encoding="utf-8")
    return path


def schema_files() -> dict[str, bytes]:
    """File name -> JSON Schema, as ``relgate schema`` writes them."""
    return {f"{name}.json": schema_text(schema).encode() for name, schema in schemas().items()}


def schema_text(schema: Mapping[str, Any]) -> str:
    """A JSON Schema as it is written to a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _example() -> dict[str, bytes]:
    texts = {
        "candidate.yaml": _MANIFEST.format(
            title="The release that is judged.",
            version="1.1.0",
            owner="you",
            baseline="production.yaml     # a path, a version, an alias, or none for a first release",
            prompt="v2",
            recording="candidate",
        ),
        "production.yaml": _MANIFEST.format(
            title="The release that users have now.",
            version="1.0.0",
            owner="you",
            baseline="none",
            prompt="v1",
            recording="baseline",
        ),
        "prompts/answer.v1.md": "Answer the question.\n\n{{ question }}\n",
        "prompts/answer.v2.md": "Answer the question with one name and nothing else.\n\n{{ question }}\n",
        "golden_sets/golden/suite.yaml": _suite_text(),
        "golden_sets/golden/cases.jsonl": _lines(_cases()),
        "golden_sets/safety/suite.yaml": _safety_text(),
        "golden_sets/safety/cases.jsonl": _lines(_safety_cases()),
        "golden_sets/fallback/suite.yaml.later": _fallback_text(),
        "golden_sets/fallback/cases.jsonl": _lines(islice(_cases(), 40)),
        "recordings/candidate.jsonl": _lines(_answers(MISSED_NOW)),
        "recordings/baseline.jsonl": _lines(_answers(MISSED_BEFORE)),
    }
    files = {name: text.encode() for name, text in texts.items()}
    files.update({f"schemas/{name}": content for name, content in schema_files().items()})
    return files


def _suite_text() -> str:
    suite = Suite(
        "example-golden", "golden", Path(), "golden", (ScorerSpec("exact"),), (), (), slices=("continent",)
    )
    gates = default_gates(suite)
    judged = [gate for gate in gates if gate in default_gates(suite, with_latency=False)]
    later = [gate for gate in gates if gate not in judged]
    lines = [f"  - {gate_line(gate)}{_comment(gate)}" for gate in judged]
    more = [f"#  - {gate_line(gate)}{_comment(gate)}" for gate in later]
    head = _SUITE_HEAD.format(cases=sum(map(len, CAPITALS.values())))
    return head + "\n".join(lines) + "\n" + _SUITE_TAIL + "\n".join(more) + "\n"


def _safety_text() -> str:
    cases = tuple(Case(row["id"], row["input"], tags=row["tags"]) for row in _safety_cases())
    suite = Suite("example-safety", "safety", Path(), "safety", (ScorerSpec("refusal"),), cases, ())
    harmful = sum(case.tags["harmful"] is True for case in cases)
    lines = [f"  - {gate_line(gate)}{_comment(gate)}" for gate in default_gates(suite)]
    return _SAFETY.format(harmful=harmful, benign=len(cases) - harmful) + "\n".join(lines) + "\n"


def _fallback_text() -> str:
    suite = Suite("example-fallback", "fallback", Path(), "fallback", (ScorerSpec("exact"),), (), ())
    lines = [f"  - {gate_line(gate)}{_comment(gate)}" for gate in default_gates(suite)]
    return _FALLBACK + "\n".join(lines) + "\n"


def _comment(gate: GateSpec) -> str:
    if gate.against == "primary":
        return f"     # beside the first hop: not worse by more than {gate.boundary:g}"
    text = _COMMENTS[gate.form].format(boundary=gate.boundary)
    return f"     # {text}" + ("; on a first release it must be proven" if _guards_floor(gate) else "")


def _guards_floor(gate: GateSpec) -> bool:
    return gate.form == "at_least" and gate.role == "guard" and gate.by is None


def gate_line(gate: GateSpec) -> str:
    """A gate as suite.yaml writes it."""
    parts = [f"metric: {gate.metric}"]
    if gate.quantile is not None:
        parts.append(f"quantile: {gate.quantile:g}")
    if gate.form == "non_inferior":
        against = ", against: primary" if gate.against == "primary" else ""
        parts.append(f"non_inferior: {{margin: {gate.boundary:g}{against}}}")
    elif gate.form == "superior":
        parts.append("superior: true")
    else:
        parts.append(f"{gate.form}: {gate.boundary:g}")
    if gate.slack:
        parts.append(f"slack: {gate.slack:g}")
    if gate.rate_at_most is not None:
        parts.append(f"rate_at_most: {gate.rate_at_most:g}")
    if gate.by:
        parts.append(f"by: {gate.by}")
    if gate.only:
        parts.append(f"only: {json.dumps(dict(gate.only), ensure_ascii=False)}")
    if gate.pooled:
        parts.append(f"pooled: {gate.pooled}")
    return "{" + ", ".join([*parts, f"role: {gate.role}"]) + "}"


def _cases() -> Iterator[dict[str, Any]]:
    for continent, capitals in CAPITALS.items():
        for country, capital in capitals.items():
            yield {
                "id": _case_id(country),
                "input": f"What is the capital of {country}?",
                "expected": capital,
                "tags": {"continent": continent},
            }


def _answers(missed: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for capitals in CAPITALS.values():
        for country, capital in capitals.items():
            yield {"case_id": _case_id(country), "output": missed.get(country, capital)}
    for name, (_, _, answer) in LOOK_ALIKES.items():
        yield {"case_id": f"harmful-{name}", "output": REFUSAL}
        yield {"case_id": f"benign-{name}", "output": answer}


def _safety_cases() -> Iterator[dict[str, Any]]:
    for name, (harmful, benign, _) in LOOK_ALIKES.items():
        yield {"id": f"harmful-{name}", "input": harmful, "tags": {"harmful": True}}
        yield {"id": f"benign-{name}", "input": benign, "tags": {"harmful": False}}


def _case_id(country: str) -> str:
    return "capital-" + country.lower().replace(" ", "-")


def _lines(rows: Iterator[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def demo_files() -> dict[str, bytes]:
    """The demo project: path -> content, with artifacts beside the manifest.

    Raises:
        Refusal: this installation has no demo.
    """
    demo = package_files("relgate.demo")
    project: Traversable = demo / "project"
    if not project.is_dir():  # a source checkout: the wheel's project folder is the repository's root
        project = Path(__file__).resolve().parents[3]
    golden_sets = project / "golden_sets" / "support_desk"
    if not (project / "candidate.yaml").is_file() or not golden_sets.is_dir():
        raise Refusal("this installation of relgate has no demo project")
    files = {"candidate.yaml": (project / "candidate.yaml").read_bytes()}
    files.update(_below(golden_sets, "golden_sets/support_desk"))
    files.update(_below(demo / "artifacts", "artifacts"))
    for name, content in files.items():
        if name.endswith(".yaml"):
            text = content.decode("utf-8").replace(_ARTIFACTS, "artifacts").replace(_SCHEMAS, "schemas/")
            files[name] = text.encode()
    files.update({f"schemas/{name}": content for name, content in schema_files().items()})
    return files


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        name = f"{prefix}/{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _below(entry, name)
        elif not entry.name.endswith((".py", ".pyc")):
            yield name, entry.read_bytes()
