"""What each option does, and option before variable before ini key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider


def ini(project: Project, *keys: str) -> None:
    project.write("pytest.ini", "\n".join(["[pytest]", *keys, ""]))


@pytest.mark.parametrize("source", ["option", "variable", "ini"])
def test_report_dir(recording: Project, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    wanted = {"option": "a", "variable": "b", "ini": "c"}[source]
    ini(recording, "relgate_report_dir = c")
    if source != "ini":
        monkeypatch.setenv("RELGATE_REPORT_DIR", "b")
    result = recording.run(*(["--report-dir=a"] if source == "option" else []))
    assert result.ret == 0
    assert sorted(p.name for p in (recording.path / wanted / "desk-1.1.0").iterdir()) == [
        "scorecard.json",
        "scorecard.md",
    ]
    assert f"reports: {wanted}/desk-1.1.0/scorecard.md" in recording.text(result)
    assert not (recording.path / "reports").exists()


@pytest.mark.parametrize("source", ["option", "variable", "ini"])
def test_registry(recording: Project, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    wanted = {"option": "a.db", "variable": "b.db", "ini": "c.db"}[source]
    ini(recording, "relgate_registry = c.db")
    if source != "ini":
        monkeypatch.setenv("RELGATE_REGISTRY", "b.db")
    assert recording.run(*(["--registry=a.db"] if source == "option" else [])).ret == 0
    assert sorted(p.name for p in recording.path.glob("*.db")) == [wanted]
    assert not recording.registry.exists()


@pytest.mark.parametrize("option", ["--registry=here.db", "--report-dir=here"])
def test_paths_of_options_count_from_where_pytest_was_called(
    recording: Project, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ini(recording)
    below = recording.path / "deep"
    below.mkdir()
    monkeypatch.chdir(below)
    assert recording.run(option, manifest="../candidate.yaml").ret == 0
    assert (below / option.split("=")[1]).exists()


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 3000 + "x", "~nobody-of-this-name/x"])
@pytest.mark.parametrize("option", ["registry", "report-dir", "golden-sets", "baseline", "manifest"])
def test_a_path_that_no_file_can_have_is_no_traceback(recording: Project, option: str, name: str) -> None:
    if option == "manifest":
        result = recording.run(manifest=f"{name}.yaml")
    else:
        result = recording.run(f"--{option}={name}{'.yaml' if option == 'baseline' else ''}")
    shown = recording.text(result)
    assert "Traceback" not in shown
    assert "INTERNALERROR" not in shown
    if name[0] == "x" or option not in ("registry", "report-dir"):
        assert result.ret == 4, shown
        assert recording.rows("runs") == []


def test_a_registry_of_an_unknown_kind_is_a_usage_error(recording: Project) -> None:
    result = recording.run("--registry=mysql://host/db")
    assert result.ret == 4
    assert "ERROR: mysql:// is no place for a registry" in recording.text(result)


@pytest.fixture
def pair(recording: Project) -> Project:
    """A production release that misses two of eight."""
    worse = [{"case_id": f"c{n}", "output": f"answer {n}" if n > 1 else "wrong"} for n in range(8)]
    recording.write("before.jsonl", recording.lines(worse))
    recording.write("production.yaml", recording.manifest("{recording: before.jsonl}", version="1.0.0"))
    return recording


@pytest.mark.parametrize("source", ["option", "variable", "ini"])
def test_baseline_by_path(pair: Project, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    match source:
        case "option":
            assert pair.run("--baseline=production.yaml").ret == 0
        case "variable":
            monkeypatch.setenv("RELGATE_BASELINE", "production.yaml")
            assert pair.run().ret == 0
        case "ini":
            ini(pair, "relgate_baseline = production.yaml")
            assert pair.run().ret == 0
    card = pair.scorecard()
    assert card["baseline"]["version"] == "1.0.0"
    assert card["cases"]["fixed"] == 2


def test_a_baseline_in_the_ini_file_lies_beside_it(pair: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ini(pair, "relgate_baseline = production.yaml")
    below = pair.path / "deep"
    below.mkdir()
    monkeypatch.chdir(below)
    assert pair.run(manifest="../candidate.yaml").ret == 0
    assert pair.scorecard()["baseline"]["version"] == "1.0.0"


def test_baseline_none_goes_before_the_manifests(pair: Project) -> None:
    pair.write("candidate.yaml", pair.manifest("{recording: answers.jsonl}", baseline="production.yaml"))
    assert pair.run().ret == 0
    assert pair.scorecard()["baseline"] is not None
    assert pair.run("--baseline=none").ret == 0
    assert pair.scorecard()["baseline"] is None


def test_an_unknown_baseline_is_a_usage_error(recording: Project) -> None:
    result = recording.run("--baseline=9.9.9")
    assert result.ret == 4
    assert "the baseline is not in the registry" in recording.text(result)


@pytest.fixture
def two(recording: Project) -> Project:
    recording.suite("other/inner", recording.numbered(), recording.floor)
    path = recording.path / "golden_sets/other/inner/suite.yaml"
    path.write_text(path.read_text().replace("suite: other/inner", "suite: second"))
    return recording


@pytest.mark.parametrize(
    ("options", "suites"),
    [
        (["--suite=small"], ["small"]),
        (["--suite=second"], ["second"]),
        (["--suite=other/inner"], ["second"]),
        (["--relgate-suite", "small"], ["small"]),
    ],
)
def test_a_run_narrowed_by_suite_is_partial(two: Project, options: list[str], suites: list[str]) -> None:
    result = two.run(*options)
    assert result.ret == 10
    card = two.scorecard()
    assert sorted({s["suite"] for s in card["suites"]}) == suites
    assert (card["verdict"]["decision"], card["verdict"]["partial"]) == ("hold", True)
    assert len(two.rows("cases")) == 8


def test_both_suites_named_are_the_whole_run(two: Project) -> None:
    assert two.run("--suite=small", "--suite=second").ret == 0
    assert two.decisions == ["promote"]


def test_suites_from_a_variable(two: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELGATE_SUITE", "second")
    assert two.run().ret == 10
    assert {s["suite"] for s in two.scorecard()["suites"]} == {"second"}


def test_an_unknown_suite_names_those_there_are(two: Project) -> None:
    result = two.run("--suite=smal")
    assert result.ret == 4
    assert "no such suite" in two.text(result)
    assert "second (other/inner)" in two.text(result)


@pytest.mark.parametrize(("options", "calls"), [([], 8), (["--trials=2"], 16), (["--trials", "3"], 24)])
def test_trials(python_app: Project, provider: Provider, options: list[str], calls: int) -> None:
    assert python_app.run(*options).ret == 0
    assert provider.calls == calls
    assert set(provider.asked.values()) == {calls // 8}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trials=0"], "--trials must lie between 1 and 100, not 0"),
        (["--trials=101"], "--trials must lie between 1 and 100, not 101"),
        (["--trials=two"], "invalid int value"),
        (["--concurrency=0"], "--concurrency must be at least 1, not 0"),
        (["--concurrency=-1"], "--concurrency must be at least 1, not -1"),
    ],
)
def test_numbers_that_make_no_sense(recording: Project, options: list[str], message: str) -> None:
    result = recording.run(*options)
    assert result.ret == 4
    assert message in recording.text(result)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("RELGATE_TRIALS", "many", "RELGATE_TRIALS: a whole number is needed"),
        ("RELGATE_ADVISORY", "perhaps", "RELGATE_ADVISORY: yes or no is needed"),
    ],
)
def test_variables_that_make_no_sense(
    recording: Project, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = recording.run()
    assert result.ret == 4
    assert message in recording.text(result)


def test_trials_by_option_before_variable_before_ini(
    python_app: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    ini(python_app, "relgate_trials = 2")
    python_app.run("--registry=1.db")
    assert provider.calls == 16
    provider.asked.clear()
    monkeypatch.setenv("RELGATE_TRIALS", "3")
    python_app.run("--registry=2.db")
    assert provider.calls == 24
    provider.asked.clear()
    python_app.run("--registry=3.db", "--trials=1")
    assert provider.calls == 8


@pytest.mark.parametrize(("options", "most"), [(["--concurrency=1"], 1), (["--concurrency=3"], 3), ([], 8)])
@pytest.mark.parametrize("kind", ["python", "chat"])
def test_concurrency(project: Project, provider: Provider, options: list[str], most: int, kind: str) -> None:
    project.suite("small", project.numbered(16))
    project.write("desk_app.py", project.application)
    project.write("candidate.yaml", project.live(kind=kind))
    provider.expected = most
    provider.seconds = 0.02  # one more call at once would be seen
    assert project.run(*options).ret == 0
    assert provider.calls == 16
    assert provider.most == most


def test_full_is_accepted_and_changes_nothing(python_app: Project, provider: Provider) -> None:
    assert python_app.run("--full").ret == 0
    assert provider.calls == 8
    assert python_app.decisions == ["promote"]


@pytest.fixture
def held(recording: Project) -> Project:
    """Five of eight right: neither above nor below the floor of one half."""
    rows: list[dict[str, Any]] = [
        {"case_id": f"c{n}", "output": f"answer {n}" if n < 5 else "wrong"} for n in range(8)
    ]
    recording.write("answers.jsonl", recording.lines(rows))
    return recording


@pytest.mark.parametrize("source", ["option", "variable", "ini", None])
def test_advisory(held: Project, monkeypatch: pytest.MonkeyPatch, source: str | None) -> None:
    if source == "variable":
        monkeypatch.setenv("RELGATE_ADVISORY", "yes")
    ini(held, *(["relgate_advisory = true"] if source == "ini" else []))
    result = held.run(*(["--advisory"] if source == "option" else []))
    assert result.ret == (0 if source else 10)
    assert held.decisions == ["hold"]
    assert ("advisory: a hold exits 0" in held.text(result)) is bool(source)


def test_advisory_can_be_taken_back_by_a_variable(held: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ini(held, "relgate_advisory = true")
    monkeypatch.setenv("RELGATE_ADVISORY", "no")
    assert held.run().ret == 10


def test_advisory_does_not_excuse_a_reject(held: Project) -> None:
    held.write("answers.jsonl", held.lines([{"case_id": f"c{n}", "output": "wrong"} for n in range(8)]))
    assert held.run("--advisory").ret == 1
    assert held.decisions == ["reject"]
