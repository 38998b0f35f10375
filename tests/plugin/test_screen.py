"""``--screen``, the pull-request mode: harm is looked for, nothing is promoted, 0 says nothing was found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

CASES = 60
GATES = "gates:\n  - {metric: exact, non_inferior: {margin: 0.1}}\n"
PRODUCTION = "answerer-1"
CANDIDATE = "answerer-2"


@pytest.fixture
def judged(python_app: Project, provider: Provider) -> Project:
    """Production was judged with three trials; the candidate names it by its manifest."""
    python_app.suite("small", python_app.numbered(CASES), GATES)
    python_app.write("production.yaml", python_app.live(PRODUCTION, version="1.0.0"))
    python_app.run("--trials=3", manifest="production.yaml")
    python_app.write("candidate.yaml", python_app.live(CANDIDATE, baseline="./production.yaml"))
    provider.asked.clear()
    return python_app


def wrong(provider: Provider, count: int) -> None:
    provider.wrong[CANDIDATE] = {f"question {n}" for n in range(count)}


def test_nothing_found_exits_zero_and_records_no_promote(
    judged: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = judged.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = judged.run("--screen")
    shown = judged.text(result)
    assert result.ret == 0
    assert "screen: nothing found" in shown
    headline = "SCREEN: nothing found, nothing promoted  desk@1.1.0  against desk@1.0.0"
    assert headline in shown
    assert "HOLD" not in shown
    (report,) = judged.path.glob("reports/desk-1.1.0/scorecard.md")
    assert report.read_text().startswith("### relgate: SCREEN: nothing found, nothing promoted desk@")
    assert "[!NOTE]" in report.read_text()
    assert summary.read_text().startswith(report.read_text()), "the step summary has the same words"
    verdict = json.loads(report.with_suffix(".json").read_text())["verdict"]
    assert [verdict[key] for key in ("decision", "screen", "clear")] == ["hold", True, True]
    assert judged.decisions[-1] == "hold"
    assert {model for model, _ in provider.asked} == {CANDIDATE}, "the stored baseline is not asked"
    assert provider.calls == CASES, "one trial a case"


@pytest.mark.parametrize(("misses", "status"), [(2, 0), (8, 10), (30, 1)], ids=["little", "harm", "reject"])
def test_harm_holds_and_only_reject_rules_exit_one(
    judged: Project, provider: Provider, misses: int, status: int
) -> None:
    wrong(provider, misses)
    result = judged.run("--screen")
    assert result.ret == status, judged.text(result)
    shown = judged.text(result)
    assert ("screen: small[exact:non_inferior:0.1] got worse" in shown) is (status == 10)
    assert ("SCREEN: nothing found" in shown) is (status == 0)
    assert ("HOLD (screen)" in shown) is (status == 10)
    assert ("REJECT (screen)" in shown) is (status == 1)


def test_a_screen_is_no_attempt_but_a_later_promote_is_on_a_tuned_set(
    judged: Project, provider: Provider
) -> None:
    wrong(provider, 1)
    assert judged.run("--screen").ret == 0
    result = judged.run()
    shown = judged.text(result)
    assert result.ret == 0, shown
    assert "a screen or run showed cases of these golden sets: a promote is one on a tuned set" in shown
    assert judged.rows("verdicts", "attempt")[-1] == (1,)


def test_a_screen_that_showed_no_case_tunes_nothing(judged: Project) -> None:
    judged.run("--screen")
    assert "tuned set" not in judged.text(judged.run())


def test_a_screen_is_not_the_verdict_that_promote_looks_for(judged: Project) -> None:
    judged.run("--screen")
    from relgate.store import open_registry

    with open_registry(judged.registry) as registry, pytest.raises(Exception, match=r"desk@1\.1\.0"):
        registry.promote("desk", "1.1.0", by="ann")


def test_a_screen_without_a_stored_baseline_asks_it_live(python_app: Project, provider: Provider) -> None:
    python_app.suite("small", python_app.numbered(CASES), GATES)
    python_app.write("production.yaml", python_app.live(PRODUCTION, version="1.0.0"))
    python_app.write("candidate.yaml", python_app.live(CANDIDATE, baseline="./production.yaml"))
    assert python_app.run("--screen").ret == 0
    assert provider.calls == 2 * CASES


def test_the_same_release_as_the_baseline_is_no_promote_either(python_app: Project) -> None:
    python_app.write("production.yaml", python_app.live(version="1.0.0"))
    result = python_app.run("--screen", "--baseline=production.yaml")
    assert (result.ret, python_app.decisions) == (0, ["hold"])


@pytest.mark.parametrize("how", ["variable", "ini"])
def test_the_mode_can_be_set_where_other_options_are(
    judged: Project, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "variable":
        monkeypatch.setenv("RELGATE_SCREEN", "1")
    else:
        judged.write("pytest.ini", "[pytest]\nrelgate_screen = yes\n")
    assert "screen: nothing found" in judged.text(judged.run())


def test_a_part_of_a_screen_says_that_it_is_a_part(judged: Project) -> None:
    result = judged.run("--screen", "-k", "c1")
    assert result.ret == 10
    assert "only a part of the cases was measured" in judged.text(result)
