"""Who is judged must not shrink the measure, neither that of the baseline's run nor what came after it."""

from __future__ import annotations

import pytest

LANGUAGES = ("en", "de")


def _cases(count=60, **special):
    return [
        {"id": f"c{n}", "input": f"q{n}", "expected": "yes", "tags": {"lang": LANGUAGES[n % 2]}}
        | special.get(f"c{n}", {})
        for n in range(count)
    ]


def _recorded(project, name, version, wrong=(), *, count=80, **more):
    answers = {f"c{n}": "no" if f"c{n}" in wrong else "yes" for n in range(count)}
    application = project.recording(f"{name}.jsonl", answers)
    project.manifest(f"{name}.yaml", version, application=application, **more)


@pytest.fixture
def desk(project):
    """Production was promoted on sixty cases without slices; the candidate fails a few."""
    _recorded(project, "old", "1.0.0", baseline="none")
    _recorded(project, "candidate", "2.0.0", ("c0", "c2"), baseline="production")
    project.suite(_cases())
    project.run("old.yaml")
    with project.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first")
    return project


def _holds(card):
    return [reason for reason in card.verdict.reason.split("; ") if "a run of this candidate" in reason]


def _noted(card, text):
    return any(text in note for note in card.notes)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({"slices": ["lang"]}, {}, "slices of mine are not watched any more since run "),
        ({}, {"cluster": False}, "mine does not count clusters any more since run "),
    ],
    ids=["slices", "clusters"],
)
def test_what_was_watched_after_the_promotion_is_not_turned_off_for_the_same_candidate(
    desk, before, after, says
):
    cases = [case | {"cluster": f"k{n % 30}"} for n, case in enumerate(_cases())]
    desk.suite(cases, **before)
    desk.card()
    desk.suite(cases, **after)
    card = desk.card()
    assert card.verdict.decision == "hold"
    assert says in card.verdict.reason
    assert "a run of this candidate" in card.verdict.reason


@pytest.mark.parametrize(
    ("cases", "slices", "says", "lost"),
    [
        (_cases(), ["lang"], "slices of mine are not watched any more: lang", "not watched"),
        (_cases(61, c60={"critical": "never"}), [], "critical cases of mine are gone: c60", "critical cases"),
    ],
    ids=["a slice", "a critical case"],
)
def test_what_another_candidate_was_judged_by_is_noted_when_it_is_gone(desk, cases, slices, says, lost):
    desk.suite(cases, slices=slices)
    desk.card()
    _recorded(desk, "candidate", "2.1.0", baseline="production")
    desk.suite(_cases())
    card = desk.card()
    assert _noted(card, f"a run of another candidate: {says}")
    assert lost not in card.verdict.reason


def test_a_fallback_suite_that_measures_another_route_holds(project):
    def judged(route):
        project.suite(
            [{"id": f"f{n}", "input": f"q{n}", "expected": "yes"} for n in range(40)],
            kind="fallback",
            route=route,
            force="hop",
            gates=[{"metric": "contains", "at_least": 0.5}],
        )
        return project.card()

    application = project.module("hops_of_another_route", "def build(release): return lambda request: 'yes'")
    routes = {name: {"chain": [f"p/{name}"]} for name in ("ask", "sum")}
    models = {name: {"version": "1", "id": f"{name}-1", "provider": "p"} for name in routes}

    def prompt(version):
        return {"p": {"version": version, "path": "p.md", "variables": []}}

    for name, version, baseline in (("old.yaml", "1.0.0", "none"), ("candidate.yaml", "2.0.0", "./old.yaml")):
        project.manifest(
            name,
            version,
            application=application,
            baseline=baseline,
            deterministic=True,
            routes=routes,
            providers={"p": {"base_url": "http://127.0.0.1:9"}},
            artifacts={
                "model": models,
                "prompt": {"p": {"version": version, "path": "p.md", "variables": []}},
            },
        )
    project.write("p.md", "text")
    judged("ask")
    card = judged("sum")
    assert "the hops that mine measured are not measured any more since " in card.verdict.reason
    assert _noted(card, "the route of mine was ask and is sum")


def test_a_critical_case_that_came_after_the_promotion_is_not_deleted_again(desk):
    desk.suite(_cases(61, c60={"critical": "never"}))
    _recorded(desk, "candidate", "2.0.0", ("c60",), baseline="production")
    assert desk.card().verdict.decision == "reject"
    desk.suite(_cases())
    card = desk.card()
    assert card.verdict.decision == "hold"
    assert "critical cases of mine are gone since run " in card.verdict.reason
    assert "bring them back" in card.verdict.next_step


def test_what_is_gone_since_two_runs_is_said_of_the_first_alone(desk):
    desk.suite(_cases())
    desk.card()
    desk.suite(_cases(50))
    card = desk.card()
    assert card.verdict.reason.count("10 of 60 cases of mine are gone") == 1
    assert "since the baseline's run" in card.verdict.reason
    assert sum("gone: 10 of 60 cases of mine" in note for note in card.notes) == 1


def test_a_project_that_is_being_set_up_is_told_and_not_held(project):
    _recorded(project, "old", "1.0.0", baseline="none")
    _recorded(project, "candidate", "2.0.0", ("c0",), baseline="./old.yaml")
    for more, slices in enumerate(([], ["lang"], [])):
        project.suite(_cases(60 + more), slices=slices)
        card = project.card()
    assert _noted(card, "slices of mine are not watched any more: lang")
    assert "not watched" not in card.verdict.reason


def test_cases_that_are_relabelled_beside_another_scorer_are_named(desk):
    cases = _cases()
    cases[4]["expected"] = "no"
    desk.suite(cases, scorers=["exact"])
    card = desk.card()
    assert _noted(card, "what scores mine changed")
    assert _noted(card, "cases of mine ask or expect something else: c4")


def test_cases_that_are_tagged_otherwise_beside_an_added_one_are_named(desk):
    cases = _cases(61)
    cases[4]["tags"] = {"lang": "de"}
    desk.suite(cases)
    assert _noted(desk.card(), "cases of mine are tagged otherwise: c4")


def test_judging_again_on_more_cases_says_how_many_are_new(desk):
    desk.card()
    desk.suite(_cases(70))
    card = desk.card()
    [note] = [note for note in card.notes if note.startswith("since ")]
    assert note.endswith("a run of this candidate: 10 of 70 cases of mine are new")
    assert "since" not in card.verdict.reason


def test_what_was_dropped_before_production_was_taken_is_noted_alone(project):
    _recorded(project, "old", "1.0.0", baseline="none")
    _recorded(project, "candidate", "2.0.0", ("c0", "c2"), baseline="./old.yaml")
    project.suite(_cases(), slices=["lang"])
    project.card()
    project.suite(_cases())
    project.run("old.yaml")
    with project.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first")
    card = project.card()
    assert _noted(card, "slices of mine are not watched any more: lang")
    assert "not watched" not in card.verdict.reason


def test_a_sealed_half_that_is_given_up_is_noted(desk):
    desk.suite(_cases(), sealed=True)
    desk.card()
    desk.suite(_cases())
    assert _noted(desk.card(), "a run of this candidate: mine has no sealed half any more")


def test_a_pair_that_leaves_nothing_sealed_is_noted(desk):
    desk.suite(_cases(), sealed=True)
    desk.card()
    desk.suite([case | {"pair": "one"} for case in _cases()], sealed=True)
    assert _noted(desk.card(), "mine has no sealed half any more")


def test_a_required_gate_that_is_gone_stands_in_the_reason_of_a_promote(project):
    gates = [{"metric": "contains", "non_inferior": {"margin": 0.1}}, {"metric": "contains", "at_least": 0.5}]
    _recorded(project, "old", "1.0.0", baseline="none")
    _recorded(project, "candidate", "2.0.0", ("c0", "c2"), baseline="production")
    project.suite(_cases(), gates=gates)
    project.run("old.yaml")
    with project.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first")
    project.suite(_cases(), gates=gates[1:])
    verdict = project.card().verdict
    assert verdict.decision == "promote"
    assert verdict.reason == (
        "the required gate passes; since the baseline's run the gate contains non_inferior 0.1 (require) of "
        "mine is gone"
    )


def test_what_a_waiver_accepted_holds_the_next_candidate_no_more(project):
    _recorded(project, "old", "1.0.0", baseline="none")
    _recorded(project, "candidate", "2.0.0", ("c0", "c2"), baseline="production")
    project.suite(_cases(), slices=["lang"])
    project.run("old.yaml")
    with project.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first")
    project.card()
    project.suite(_cases())
    assert "slices of mine are not watched any more" in project.card().verdict.reason
    with project.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann", waive="nobody needs the languages apart")
    _recorded(project, "next", "3.0.0", ("c4",), baseline="production")
    assert "not watched" not in project.card("next.yaml").verdict.reason


@pytest.mark.parametrize(("left", "held"), [(57, False), (56, True)])
def test_one_case_in_twenty_may_be_gone_and_no_more(desk, left, held):
    desk.suite(_cases(left))
    card = desk.card()
    gone = f"{60 - left} of 60 cases of mine are gone since the baseline's run"
    assert (f"{gone} (at most 5% may)" in card.verdict.reason) == held
    assert _noted(card, f"gone: {60 - left} of 60 cases of mine") or held
