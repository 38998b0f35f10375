"""``relgate init``, ``validate`` and ``schema`` as a user calls them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from relgate.cli.project import init, schema, validate
from relgate.domain.errors import Refusal
from relgate.files import find_suites, load_suite, schemas
from relgate.usecases import scaffold
from relgate.usecases.check_project import check_project


def relgate(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    source = str(Path(scaffold.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": source}
    command = [sys.executable, "-m", "relgate", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_init_writes_a_project_that_is_valid(tmp_path: Path) -> None:
    done = relgate("init", "--registry", "x.db", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wrote candidate.yaml" in done.stdout
    assert done.stdout.endswith("next: pytest --manifest candidate.yaml\n")
    assert (
        (tmp_path / "candidate.yaml")
        .read_text()
        .startswith("# yaml-language-server: $schema=schemas/manifest.json\n")
    )
    assert (tmp_path / "schemas/manifest.json").is_file()
    assert (tmp_path / ".gitignore").read_text() == ".relgate/\nreports/\n"
    for manifest in ("candidate.yaml", "production.yaml"):
        valid = relgate("validate", manifest, "--registry", "x.db", folder=tmp_path)
        assert valid.returncode == 0, valid.stderr
        assert valid.stdout.endswith("\nvalid\n")
        assert "  - {metric: exact, at_least: 0.85, role: guard}\n" in valid.stdout


def test_init_says_what_a_file_for_later_is(tmp_path: Path) -> None:
    said = relgate("init", folder=tmp_path).stdout
    line = next(line for line in said.splitlines() if "is not read yet" in line)
    assert line.startswith("golden_sets/fallback/suite.yaml.later ")
    assert line.endswith("rename it to suite.yaml.")
    assert (tmp_path / "golden_sets/fallback/suite.yaml.later").is_file()


def test_init_refuses_to_overwrite_and_then_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "production.yaml").write_text("mine")
    done = relgate("init", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: production.yaml in .: already there, nothing was written\n"
    assert [path.name for path in tmp_path.iterdir()] == ["production.yaml"]


def test_init_keeps_lines_of_gitignore(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build\nreports/")
    scaffold.init_project(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "build\nreports/\n.relgate/\n"


def test_the_written_gates_are_the_default_policy(tmp_path: Path) -> None:
    scaffold.init_project(tmp_path)
    path = tmp_path / "golden_sets/golden/suite.yaml"
    written = load_suite(path, golden_sets=tmp_path / "golden_sets")
    text = path.read_text()
    path.write_text(text.partition("gates:")[0])
    filled = load_suite(path, golden_sets=tmp_path / "golden_sets")
    assert [gate.document() for gate in written.gates] == [gate.document() for gate in filled.gates][:3]
    path.write_text(text.replace("#  - ", "  - "))
    whole = load_suite(path, golden_sets=tmp_path / "golden_sets")
    assert [gate.document() for gate in whole.gates] == [gate.document() for gate in filled.gates]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that holds the demo as a wheel does."""
    demo = tmp_path / "site/relgate_demo"
    manifest = "release: x\npath: {}src/relgate/demo/artifacts/a.md\n"
    for name, text in {
        "artifacts/a.md": "prompt",
        "artifacts/__pycache__/x.pyc": "",
        "project/candidate.yaml": manifest.format(""),
        "project/golden_sets/support_desk/manifests/production.yaml": manifest.format("../../../"),
        "project/golden_sets/support_desk/golden/cases.jsonl": "src/relgate/demo/artifacts",
    }.items():
        (demo / name).parent.mkdir(parents=True, exist_ok=True)
        (demo / name).write_text(text)
    monkeypatch.setattr(scaffold, "package_files", lambda name: demo)
    return demo


def test_the_demo_is_copied_with_its_artifacts_beside_the_manifest(checkout: Path, tmp_path: Path) -> None:
    scaffold.init_demo(tmp_path / "copy")
    assert (tmp_path / "copy/candidate.yaml").read_text() == "release: x\npath: artifacts/a.md\n"
    production = tmp_path / "copy/golden_sets/support_desk/manifests/production.yaml"
    assert production.read_text() == "release: x\npath: ../../../artifacts/a.md\n"
    assert (tmp_path / "copy/artifacts/a.md").read_text() == "prompt"
    assert not (tmp_path / "copy/artifacts/__pycache__").exists()
    cases = tmp_path / "copy/golden_sets/support_desk/golden/cases.jsonl"
    assert cases.read_text() == "src/relgate/demo/artifacts"


def test_an_installation_without_the_demo_says_so(checkout: Path) -> None:
    (checkout / "project/candidate.yaml").unlink()
    with pytest.raises(Refusal, match="has no demo project"):
        scaffold.demo_files()


def test_the_demo_of_this_checkout_is_valid(tmp_path: Path) -> None:
    done = CliRunner().invoke(init, [str(tmp_path / "demo"), "--demo"], catch_exceptions=False)
    assert f"next: cd {tmp_path / 'demo'} && pytest --manifest candidate.yaml" in done.output
    golden_sets = tmp_path / "demo/golden_sets"
    assert find_suites(golden_sets)
    project = check_project(tmp_path / "demo/candidate.yaml", golden_sets=golden_sets, environment={})
    assert all(
        artifact.path and (tmp_path / "demo/artifacts") in artifact.path.parents
        for artifact in project.release.artifacts
    )


def test_validate_prints_every_problem_of_manifest_and_suites(tmp_path: Path) -> None:
    scaffold.init_project(tmp_path)
    for name, old, new in (
        ("candidate.yaml", "owner:", "ownr:"),
        ("golden_sets/golden/suite.yaml", "[exact]", "[exct]"),
        ("golden_sets/golden/cases.jsonl", '"tags"', '"tag"'),
    ):
        path = tmp_path / name
        path.write_text(path.read_text().replace(old, new, 1))
    done = relgate("validate", folder=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: candidate.yaml:3:1: 'owner' is missing, add owner: ...",
        "error: candidate.yaml:6:1: unknown key 'ownr', did you mean 'owner'?",
        "error: golden_sets/golden/cases.jsonl:1:94: unknown key 'tag', did you mean 'tags'?",
        "error: golden_sets/golden/suite.yaml:5:11: unknown scorer 'exct', did you mean 'exact'?",
    ]


def test_validate_without_manifest_suites_or_recording(tmp_path: Path) -> None:
    assert (
        "candidate.yaml: no such file, name one that is there, or let `relgate init` write candidate.yaml"
        in relgate("validate", folder=tmp_path).stderr
    )
    scaffold.init_project(tmp_path)
    done = relgate("validate", "--golden-sets", "nowhere", folder=tmp_path)
    assert done.stderr == "error: nowhere: no suite.yaml below this folder, `relgate init` writes one\n"
    (tmp_path / "recordings/candidate.jsonl").write_text('{"case": 1}\n')
    done = relgate("validate", folder=tmp_path)
    assert "error: recordings/candidate.jsonl:1:2: unknown key 'case', did you mean 'case_id'?" in done.stderr


def test_validate_names_a_route_that_the_release_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaffold.init_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    manifest, suite = tmp_path / "candidate.yaml", tmp_path / "golden_sets/golden/suite.yaml"
    manifest.write_text(
        manifest.read_text().replace("{recording: recordings/candidate.jsonl}", "{python: 'json:loads'}")
    )
    suite.write_text(suite.read_text() + "route: anser\n")
    done = CliRunner().invoke(validate, [])
    assert "route 'anser' is not in example@1.1.0, the release has no routes" in str(done.exception)


def test_validate_looks_at_addresses_with_their_variables_as_a_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaffold.init_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    manifest = tmp_path / "candidate.yaml"
    manifest.write_text(manifest.read_text() + 'providers:\n  arbiter: {base_url: "${ARBITER_URL}"}\n')
    for value, wrong in (("not_a_url", True), ("http://127.0.0.1:9", False)):
        monkeypatch.setenv("ARBITER_URL", value)
        done = CliRunner().invoke(validate, [])
        assert ("should be an http or https address" in str(done.exception)) == wrong
        assert (done.exit_code == 0) != wrong


def test_validate_prints_the_filled_in_policy_without_latency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaffold.init_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    suite = tmp_path / "golden_sets/golden/suite.yaml"
    suite.write_text(suite.read_text().partition("gates:")[0])
    output = CliRunner().invoke(validate, [], catch_exceptions=False).output
    assert "  default policy:\n  - {metric: exact, non_inferior: {margin: 0.05}, role: require}\n" in output
    assert "latency_ms" not in output


def test_schema_prints_one_or_writes_all(tmp_path: Path) -> None:
    runner = CliRunner()
    assert '"title": "relgate suite"' in runner.invoke(schema, ["suite"], catch_exceptions=False).output
    done = runner.invoke(schema, ["--out", str(tmp_path / "s")], catch_exceptions=False)
    assert done.exit_code == 0
    assert sorted(path.stem for path in (tmp_path / "s").iterdir()) == sorted(schemas())
    unknown = runner.invoke(schema, ["suit"])
    assert unknown.exit_code == 2
    assert "did you mean 'suite'?" in unknown.output


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 3000], ids=["name", "path"])
def test_validate_of_a_path_that_no_file_can_have_is_an_error(relgate, name: str) -> None:
    result = relgate("validate", name, "--golden-sets", name)
    assert result.exit_code == 1
    assert "cannot be read" in result.errors
    assert "no suite.yaml below this folder" in result.errors
    assert "cannot be written: File name too long" in relgate("init", name).errors
