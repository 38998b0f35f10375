"""A file of too many cases for an item each is collected in chunks; a case can still be named alone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

import relgate.plugin.items as items

if TYPE_CHECKING:
    from conftest import Project, Provider

FILE = "golden_sets/small/cases.jsonl"
SMALLER = """
import relgate.plugin.items as items
items.CASE_ITEMS_AT_MOST, items.CHUNK = 5, 3
"""
CHUNKS = [f"{FILE}::cases[1-3]", f"{FILE}::cases[4-6]", f"{FILE}::cases[7-8]"]
EASY = "gates:\n  - {metric: exact, at_least: 0.2}\n"


@pytest.fixture(autouse=True)
def smaller(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of three cases from six cases on, in every process."""
    project.write("conftest.py", SMALLER)
    for name in ("CASE_ITEMS_AT_MOST", "CHUNK"):  # given back after the test, whatever the conftest.py sets
        monkeypatch.setattr(items, name, getattr(items, name))


@pytest.fixture
def python_app(python_app: Project) -> Project:
    """The floor is one that several misses of eight cases pass."""
    python_app.suite("small", python_app.numbered(), EASY)
    return python_app


@pytest.fixture(params=[(), ("-n", "2")], ids=["serial", "n2"])
def mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


def remembered(project: Project) -> list[str]:
    path = project.path / ".pytest_cache/v/cache/lastfailed"
    return sorted(json.loads(path.read_text())) if path.exists() else []


def counted(result: pytest.RunResult) -> dict[str, int]:
    """What pytest's last line counts, gates aside."""
    last = result.stdout.str().splitlines()[-1].rpartition(" in ")[0]
    found = {name: int(count) for count, name in re.findall(r"(\d+) ([a-z ]+)", last)}
    return {name: count for name, count in found.items() if not name.startswith("gate")}


def asked(provider: Provider) -> set[int]:
    return {int(text.split()[-1]) for _, text in provider.asked}


def miss(provider: Provider, *numbers: int) -> None:
    provider.wrong["answerer-2"] = {f"question {n}" for n in numbers}


def critical(project: Project, *numbers: int) -> None:
    """Cases of which a single miss fails by itself."""
    cases = [
        {**case, "critical": "never"} if n in numbers else case for n, case in enumerate(project.numbered())
    ]
    project.suite("small", cases, EASY)


def test_collection_lists_chunks(python_app: Project, mode: tuple[str, ...]) -> None:
    shown = python_app.judge(mode, "--co", "-q").stdout.str()
    assert [line for line in shown.splitlines() if "::" in line] == CHUNKS
    assert "8 cases in 1 suite" in python_app.judge(mode, "--co").stdout.str()


def test_as_many_as_there_may_be_have_an_item_each(python_app: Project) -> None:
    python_app.suite("small", python_app.numbered(5))
    shown = python_app.run("--co", "-q").stdout.str()
    assert [line for line in shown.splitlines() if "::" in line] == [f"{FILE}::c{n}" for n in range(5)]


def test_every_case_is_asked_once_and_counted(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    miss(provider, 1, 6)
    result = python_app.judge(mode, "-v")
    assert result.ret == 0
    assert provider.calls == 8
    assert set(provider.asked.values()) == {1}
    assert python_app.decisions == ["promote"]
    assert counted(result) == {"hit": 6, "miss": 2}
    cases = python_app.scorecard()["cases"]
    assert (cases["hit"], cases["miss"], cases["not_run"]) == (6, 2, 0)
    shown = re.findall(r"^(\S+::cases\S+) (.*?) +\[ *(\d+)%\]", result.stdout.str(), re.M)
    assert shown == [
        (CHUNKS[0], "2 HIT, 1 MISS", "25"),
        (CHUNKS[1], "3 HIT", "50"),
        (CHUNKS[2], "1 HIT, 1 MISS", "75"),
    ]


def test_the_scorecard_is_that_of_single_items(recording: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [{"case_id": f"c{n}", "output": f"answer {n}" if n % 3 else "no"} for n in range(7)]
    recording.write("answers.jsonl", recording.lines(answers))
    chunked = recording.run("--registry=one.db", "--report-dir=one")
    recording.write("conftest.py", "")
    monkeypatch.setattr(items, "CASE_ITEMS_AT_MOST", 10_000)
    single = recording.run("--registry=two.db", "--report-dir=two")
    assert chunked.ret == single.ret
    assert counted(chunked) == counted(single)
    one, two = recording.scorecard("one"), recording.scorecard("two")
    for card in (one, two):
        card["run"].pop("id"), card["run"].pop("started"), card["run"].pop("finished")
    assert one == two


def test_lf_runs_the_misses_and_not_their_chunks(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    miss(provider, 1, 6)
    python_app.judge(mode)
    assert remembered(python_app) == [f"{FILE}::c1", f"{FILE}::c6"]
    provider.asked.clear()
    miss(provider, 6)
    result = python_app.judge(mode, "--lf")
    assert result.ret == 10
    assert asked(provider) == {1, 6}
    assert provider.calls == 2
    assert counted(result) == {"hit": 1, "miss": 1}
    assert remembered(python_app) == [f"{FILE}::c6"]


def test_a_chunk_forgets_what_hits_again_and_keeps_what_did_not_run(
    python_app: Project, provider: Provider
) -> None:
    miss(provider, 1, 2, 6)
    python_app.run()
    provider.wrong.clear()
    python_app.write("candidate.yaml", python_app.live("answerer-3"))
    python_app.run(CHUNKS[0])
    assert remembered(python_app) == [f"{FILE}::c6"]


def test_a_critical_miss_is_remembered_as_a_case(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    critical(python_app, 4)
    miss(provider, 4)
    assert python_app.judge(mode).ret == 1
    assert remembered(python_app) == [f"{FILE}::c4"]
    provider.asked.clear()
    assert python_app.judge(mode, "--lf").ret == 1
    assert asked(provider) == {4}
    assert remembered(python_app) == [f"{FILE}::c4"]


@pytest.mark.parametrize("flag", ["--ff", "--nf"])
def test_an_order_of_pytest_asks_every_case_once(python_app: Project, provider: Provider, flag: str) -> None:
    miss(provider, 1, 6)
    python_app.run()
    provider.asked.clear()
    python_app.write("candidate.yaml", python_app.live("answerer-3"))
    result = python_app.run(flag, "-v")
    assert provider.calls == 8
    assert set(provider.asked.values()) == {1}
    assert python_app.decisions == ["promote", "promote"]
    order = re.findall(rf"^{FILE}::(\S+) ", result.stdout.str(), re.M)
    alone = ["c1", "c6"] if flag == "--ff" else []
    assert order == [*alone, "cases[1-3]", "cases[4-6]", "cases[7-8]"]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["-k", "c1 or c2"], {1, 2}),
        (["--deselect", f"{FILE}::c0"], {1, 2, 3, 4, 5, 6, 7}),
        (["--deselect", f"{FILE}::"], set()),
        (["--deselect", CHUNKS[1]], {0, 1, 2, 6, 7}),
        ([f"{FILE}::c3"], {3}),
        ([f"{FILE}::c3", f"{FILE}::c4"], {3, 4}),
        ([CHUNKS[1]], {3, 4, 5}),
        ([f"{FILE}::cases"], set(range(8))),
        ([f"{FILE}::c3", CHUNKS[2]], {3, 6, 7}),
        (["-n", "2", f"{FILE}::c3", CHUNKS[2]], {3, 6, 7}),
        (["-n", "2", "-k", "c1 or c2"], {1, 2}),
        (["-m", "not slow"], set(range(8))),
    ],
    ids=lambda found: " ".join(found) if isinstance(found, list) else "",
)
def test_a_part_asks_only_for_itself(
    python_app: Project, provider: Provider, options: list[str], numbers: set[int]
) -> None:
    python_app.write("pytest.ini", "[pytest]\nmarkers = slow\n")
    result = python_app.judge(options[:2], *options[2 * ("-n" in options) :])
    assert asked(provider) == numbers
    assert provider.calls == len(numbers)
    assert result.ret == {0: 5, 8: 0}.get(len(numbers), 10)
    if numbers:
        assert python_app.scorecard()["cases"]["hit"] == len(numbers)
        assert python_app.scorecard()["verdict"]["partial"] is (len(numbers) < 8)


def test_a_case_with_the_name_of_chunks_is_found_alone(python_app: Project, provider: Provider) -> None:
    cases = [{**case, "id": "cases"} if n == 2 else case for n, case in enumerate(python_app.numbered())]
    python_app.suite("small", cases)
    assert python_app.run(f"{FILE}::cases").ret == 10
    assert asked(provider) == {2}


def test_a_failing_chunk_names_its_cases_and_counts_them_all(
    python_app: Project, provider: Provider, mode: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    python_app.write(
        "conftest.py",
        SMALLER + "items.CHUNK = 7\nimport relgate.plugin.chunks\nrelgate.plugin.chunks.LISTED = 2\n",
    )
    import relgate.plugin.chunks as chunks

    monkeypatch.setattr(chunks, "LISTED", chunks.LISTED)
    critical(python_app, 0, 1, 2, 4, 7)
    miss(provider, 0, 1, 3, 4, 7)
    result = python_app.judge(mode)
    assert result.ret == 1
    shown = result.stdout.str()
    assert "3 of 7 cases failed" in shown
    assert "  c0: critical case c0 missed its only trial (it must never miss)" in shown
    assert "c1: critical case c1" in shown
    assert "c4: critical case c4" not in shown
    assert "  and 1 more" in shown
    assert shown.count("3 of 7 cases failed") == 2, "among the failures and in the short summary"
    assert "c7: critical case c7" in shown
    assert counted(result) == {"failed": 4, "hit": 3, "miss": 1}
    assert "cases that pytest counts as failed, whatever their outcome above: 4" in shown
    assert remembered(python_app) == [f"{FILE}::c{n}" for n in (0, 1, 3, 4, 7)]
    assert counted(python_app.judge(mode, "--no-summary", "--registry=new.db")) == {
        "failed": 4,
        "hit": 3,
        "miss": 1,
    }


def test_maxfail_counts_cases_and_ends_within_the_chunk(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    critical(python_app, *range(8))
    miss(provider, 0, 3, 4, 5)
    result = python_app.judge(mode, "--maxfail=3")
    assert result.ret in (1, 2)
    assert python_app.decisions == []
    assert counted(result) == {"failed": 3, "hit": 2}
    assert "stopping after 3 failures" in result.stdout.str()
    assert remembered(python_app) == [f"{FILE}::c{n}" for n in (0, 3, 4)]


def test_junit_has_a_testcase_per_chunk(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    critical(python_app, 4)
    miss(provider, 1, 4)
    cases = python_app.junit(*mode, spawn=bool(mode))
    assert [case.get("name") for case in cases][:3] == ["cases[1-3]", "cases[4-6]", "cases[7-8]"]
    found = [{p.get("name"): p.get("value") for p in case.iter("property")} for case in cases]
    assert found[0] == {"relgate.count.hit": "2", "relgate.count.miss": "1", "relgate.missed": "c1"}
    assert found[1] == {"relgate.count.hit": "2", "relgate.count.failed": "1", "relgate.missed": "c4"}
    assert found[2] == {"relgate.count.hit": "2"}
    [failure] = cases[1].iter("failure")
    assert "c4: critical case c4 missed" in str(failure.text)


def test_a_stored_verdict_needs_no_chunk(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    miss(provider, 1)
    python_app.judge(mode)
    before = remembered(python_app)
    result = python_app.judge(mode)
    assert provider.calls == 8
    assert counted(result) == {"not needed": 8}
    assert "cases.jsonl" not in result.stdout.str()
    assert remembered(python_app) == before == [f"{FILE}::c1"]


def test_a_stored_verdict_fails_the_chunk_of_the_miss_that_carried_it(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    critical(python_app, 4)
    miss(provider, 4)
    assert python_app.judge(mode).ret == 1
    result = python_app.judge(mode)
    assert result.ret == 1
    assert provider.calls == 8
    assert counted(result) == {"failed": 1, "not needed": 7}
    assert "c4: critical case c4 missed" in result.stdout.str()
    assert remembered(python_app) == [f"{FILE}::c4"]


def test_what_was_not_measured_is_told_apart(recording: Project) -> None:
    answers = [{"case_id": f"c{n}", "output": f"answer {n}"} for n in range(4)]
    recording.write("answers.jsonl", recording.lines(answers))
    result = recording.run("-v", "-rs")
    assert counted(result) == {"hit": 4, "not measured": 4}
    assert f"{CHUNKS[1]} 1 HIT, 2 NOT MEASURED" in result.stdout.str()
    assert f"{CHUNKS[2]} 2 NOT MEASURED" in result.stdout.str()


def test_ordinary_tests_beside_chunks(python_app: Project, provider: Provider, mode: tuple[str, ...]) -> None:
    python_app.write("test_ordinary.py", "def test_one(): pass\ndef test_two(): pass\n")
    result = python_app.judge(mode, "test_ordinary.py", "golden_sets")
    assert result.ret == 0
    assert provider.calls == 8
    assert counted(result) == {"passed": 2, "hit": 8}
