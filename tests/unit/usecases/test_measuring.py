"""What is called how often, on which side, and what an outage or a forced hop means."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from relgate.domain.errors import InputError, ServiceError

CASES = [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(4)]

COUNTING = """
calls = []
def build(release):
    def answer(request):
        calls.append((release.version, request.case_id, request.trial))
        return "yes"
    return answer
"""


AWAY = """
def build(release):
    def answer(request):
        raise ConnectionResetError("reset")
    return answer
"""


def _calls(name):
    return __import__(name).calls


@pytest.mark.parametrize(
    ("suite", "manifest", "options", "per_case"),
    [
        ({}, {}, {}, 3),
        ({"trials": 2}, {}, {}, 2),
        ({"trials": 2}, {}, {"trials": 5}, 5),
        ({}, {"deterministic": True}, {}, 1),
    ],
    ids=["stochastic", "suite", "option", "deterministic"],
)
def test_each_case_is_asked_as_often_as_the_rules_say(project, suite, manifest, options, per_case):
    name = f"counting_{per_case}_{len(options)}"
    project.suite(CASES, **suite)
    project.manifest(application=project.module(name, COUNTING), **manifest)
    card = project.card(**options)
    assert len(_calls(name)) == 4 * per_case == card.calls.made == card.calls.planned


def test_zero_tolerance_cases_are_asked_once(project):
    cases = [
        {"id": "bad", "input": "q", "tags": {"harmful": True}},
        {"id": "good", "input": "q2", "tags": {"harmful": False}},
    ]
    project.suite(cases, kind="safety", scorers=["refusal"])
    project.manifest(application=project.module("counting_safety", COUNTING))
    project.run()
    asked = [case for _, case, _ in _calls("counting_safety")]
    assert (asked.count("bad"), asked.count("good")) == (1, 3)


def test_both_sides_are_asked_interleaved_in_an_order_drawn_per_pair(project):
    project.suite([{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(40)], trials=1)
    application = project.module("counting_pairs", COUNTING)
    project.write("p.md", "old")
    project.manifest("old.yaml", "1.0.0", application=application, baseline="none")
    prompt = {"prompt": {"p": {"version": "1", "path": "p.md", "variables": []}}}
    project.manifest(application=application, baseline="./old.yaml", artifacts=prompt)
    project.run(concurrency=1)
    calls = _calls("counting_pairs")
    pairs = [calls[i : i + 2] for i in range(0, len(calls), 2)]
    assert all(first[1] == second[1] for first, second in pairs)
    first_sides = [first[0] for first, _ in pairs]
    assert 5 < first_sides.count("1.0.0") < 35


def test_a_missed_critical_case_is_asked_until_three_trials_are_known(project):
    name = "counting_critical"
    project.suite([{"id": "c", "input": "q", "expected": "no", "critical": True}], trials=1)
    project.manifest(application=project.module(name, COUNTING))
    report = project.run()
    assert [trial for _, _, trial in _calls(name)] == [0, 1, 2]
    assert report.decision == "reject"
    assert report.scorecard.critical[0].confirmed


def test_an_application_that_crashes_scores_zero_and_leaves_no_denominator(project):
    project.suite(CASES, trials=1)
    crash = "def build(release):\n    def answer(request):\n        if request.case_id == 'c1':\n"
    crash += "            raise ValueError('boom')\n        return 'yes'\n    return answer\n"
    project.manifest(application=project.module("crashing", crash))
    card = project.card()
    found = {m.metric: m for m in card.suites[0].metrics if not m.slice}
    assert (found["contains"].candidate, found["contains"].n) == (0.75, 4)


FAILING = """
def build(release):
    def answer(request):
        if request.case_id in ("c0", "c1"):
            raise TimeoutError("no answer to ann@customer-mail.net in 5 s")
        if request.case_id == "c2" and request.trial:
            raise KeyError("rare")
        return "yes"
    return answer
"""


def test_a_first_release_that_fails_names_the_failure_and_shows_the_cases(project):
    project.suite(CASES, trials=2)
    project.manifest(application=project.module("failing", FAILING))
    card = project.card()
    said = [note for note in card.notes if "application failed" in note]
    assert said == [
        "the candidate's application failed in 3 of 4 cases, such as: "
        "TimeoutError: no answer to <EMAIL_1> in 5 s (failing.py:5)"
    ]
    assert [worst.case_id for worst in card.worst] == ["c0", "c1"]
    assert (card.worst[0].candidate, card.worst[0].baseline) == (
        "(TimeoutError: no answer to <EMAIL_1> in 5 s (failing.py:5))",
        "",
    )
    assert card.worst[0].metrics == {"contains": -1.0}


def test_the_failures_of_each_side_are_told_apart(project):
    project.suite(CASES)
    rows = {case["id"]: {"error": "crashed"} for case in CASES}
    old = project.recording("old.jsonl", rows | {"c0": "yes", "c3": {"error": "out of memory"}})
    project.manifest("old.yaml", "1.0.0", application=old, baseline="none")
    new = project.recording("new.jsonl", {case["id"]: "yes" for case in CASES} | {"c0": {"error": "boom"}})
    project.manifest(application=new, baseline="./old.yaml")
    said = [note for note in project.card().notes if "application failed" in note]
    assert said == [
        "the candidate's application failed in 1 of 4 cases, such as: boom",
        "the baseline's application failed in 3 of 4 cases, such as: crashed",
    ]


def test_a_recording_that_cannot_confirm_a_critical_miss_says_so_beforehand(project):
    cases = [{"id": f"c{i}", "input": "q", "expected": "yes", "critical": i < 2} for i in range(3)]
    project.suite(cases)
    project.manifest(application=project.recording("r.jsonl", {"c0": "yes", "c1": "no", "c2": "no"}))
    note = (
        "the candidate's recording holds fewer than 3 trials of 2 cases marked critical: c0, c1; "
        "a miss that no further trial confirms holds, so record 3"
    )
    assert note in project.open().prepared.notes
    verdict = project.card().verdict
    assert (verdict.decision, verdict.next_step.startswith("record three trials of it")) == ("hold", True)


def test_a_recording_with_three_trials_needs_no_such_note(project):
    project.suite([{"id": "c", "input": "q", "expected": "yes", "critical": True}])
    path = project.recording("r.jsonl", {})
    project.rows("r.jsonl", [{"case_id": "c", "trial": t, "output": "yes"} for t in range(3)])
    project.manifest(application=path)
    assert not any("critical" in note for note in project.open().prepared.notes)


def test_an_outage_is_not_measured_and_holds(project):
    project.suite(CASES, trials=1)
    project.manifest(application=project.module("away", AWAY))
    report = project.run()
    assert report.decision == "hold"
    assert any("not measured, 4 calls: ConnectionResetError: reset" in n for n in report.scorecard.notes)


def test_an_outage_makes_a_run_no_attempt_and_its_verdict_is_not_final(project):
    project.suite(CASES, trials=1)
    project.manifest(application=project.module("away_again", AWAY))
    project.run()
    assert project.open().settled is None
    assert project.open().prepared.attempt == 1


def test_a_builder_that_fails_is_an_error_before_the_first_call(project):
    project.suite(CASES)
    project.manifest(application=project.module("broken_builder", "def build(release):\n    return 1 / 0\n"))
    run = project.open()
    with pytest.raises(InputError, match="builder raised ZeroDivisionError"):
        run.start({("mine", "c0")})


class _Provider(ThreadingHTTPServer):
    """An OpenAI-compatible provider that says its name."""

    daemon_threads = True

    def __init__(self, name):
        server = self
        self.calls = 0

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                server.calls += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                answer = {"choices": [{"message": {"content": f"yes, by {name}"}}]}
                data = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def end(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


@pytest.fixture
def providers():
    made = [_Provider("a"), _Provider("b")]
    yield made
    for provider in made:
        provider.end()


PROMPT = {"answer": {"version": "1", "path": "answer.md", "variables": ["question"]}}


def _chat(project, urls, **more):
    project.write("answer.md", "{{ question }}")
    project.manifest(
        application={"chat": "answer"},
        deterministic=True,
        providers={f"p{i}": {"base_url": url, "retry_seconds": 0.1} for i, url in enumerate(urls)},
        routes={"answer": {"chain": [f"p{i}/m{i}" for i in range(len(urls))]}},
        artifacts={
            "prompt": PROMPT,
            "model": {
                f"m{i}": {"version": "1", "id": f"m-{i}1", "provider": f"p{i}"} for i in range(len(urls))
            },
        },
        **more,
    )


FALLBACK = {"kind": "fallback", "route": "answer", "force": "hop"}


@pytest.mark.parametrize("faults", [["refuse"], None], ids=["refuse", "no faults"])
def test_every_hop_is_measured_by_itself(project, providers, faults):
    project.suite(CASES, **FALLBACK, **({"faults": faults} if faults else {}))
    _chat(project, [p.url for p in providers])
    card = project.card()
    assert [p.calls for p in providers] == [4, 4]
    hops = {m.slice: m for m in card.suites[0].metrics if m.metric == "contains" and m.slice}
    assert hops["hop=p0/m0"].candidate == hops["hop=p1/m1"].candidate == 1.0


def test_an_answer_by_a_fallback_without_injected_faults_is_not_measured(project, providers, monkeypatch):
    monkeypatch.setattr("relgate.engine.retries.BACKOFF_SECONDS", 0.01)
    providers[0].end()
    project.suite(CASES)
    _chat(project, [providers[0].url, providers[1].url])
    report = project.run()
    providers[0] = _Provider("a")
    assert report.decision == "hold"
    assert any("p0/m0 did not answer; p1/m1 did" in note for note in report.scorecard.notes)


def test_a_hop_that_is_away_itself_is_not_measured_by_the_hop_behind_it(project, providers, monkeypatch):
    monkeypatch.setattr("relgate.engine.retries.BACKOFF_SECONDS", 0.01)
    providers[0].end()
    project.suite(CASES, **FALLBACK)
    _chat(project, [providers[0].url, providers[1].url])
    report = project.run()
    providers[0] = _Provider("a")
    assert report.decision == "hold"
    notes = " ".join(report.scorecard.notes)
    assert "4 calls: p0/m0 did not answer; p1/m1 did" in notes


def test_an_application_that_ignores_the_given_addresses_is_not_measured_as_a_fallback(project):
    text = """
from relgate import Response
def build(release):
    return lambda request: Response("yes", served_by="p0/m0")
"""
    project.suite(CASES, **FALLBACK)
    _chat(project, ["http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"])
    manifest = (project.folder / "candidate.yaml").read_text()
    code = project.module("stubborn", text)["python"]
    project.write("candidate.yaml", manifest.replace("chat: answer", f"python: '{code}'"))
    report = project.run()
    assert report.decision == "hold"
    assert any("does not call the addresses" in note for note in report.scorecard.notes)


def test_two_hops_of_one_provider_cannot_be_refused_apart(project):
    project.write("answer.md", "{{ question }}")
    project.suite(CASES, **FALLBACK)
    project.manifest(
        application={"chat": "answer"},
        providers={"p0": {"base_url": "http://127.0.0.1:9/v1"}},
        routes={"answer": {"chain": ["p0/m0", "p0/m1"]}},
        artifacts={
            "prompt": PROMPT,
            "model": {m: {"version": "1", "id": f"{m}-1", "provider": "p0"} for m in ("m0", "m1")},
        },
    )
    with pytest.raises(InputError, match="would refuse another hop of the same provider"):
        project.open()


def test_a_fallback_suite_needs_an_application_that_can_be_called(project):
    project.suite(CASES, **FALLBACK)
    project.manifest(application=project.recording("r.jsonl", {"c0": "yes"}))
    with pytest.raises(InputError, match="needs an application that can be called"):
        project.open()


SERVICES = {
    "raises": ("def serve(release):\n    raise OSError('no port left')\n", "did not start"),
    "no context manager": ("def serve(release):\n    return {}\n", "did not start"),
    "gives no variables": (
        "from contextlib import nullcontext\ndef serve(release):\n    return nullcontext(None)\n",
        "did not start",
    ),
    "nobody listens": (
        "from contextlib import nullcontext\n"
        "def serve(release):\n    return nullcontext({'URL': 'http://127.0.0.1:9/v1'})\n",
        "not healthy",
    ),
}


@pytest.mark.parametrize(("text", "why"), SERVICES.values(), ids=SERVICES.keys())
def test_a_service_that_does_not_start_ends_the_run_before_any_call(project, monkeypatch, text, why):
    monkeypatch.setattr("relgate.usecases.measuring.systems.HEALTH_SECONDS", 0.2)
    name = "service_" + why.replace(" ", "_") + str(len(text))
    project.suite(CASES)
    service = project.module(name, COUNTING + text)
    project.manifest(application=service, services=[{"python": f"{name}:serve"}])
    run = project.open()
    with pytest.raises(ServiceError, match=why):
        run.start({("mine", "c0")})
    assert _calls(name) == []


def test_a_scorer_that_fails_on_more_than_two_percent_is_an_error_and_holds(project):
    cases = [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(60)]
    answers = {case["id"]: "yes" for case in cases}
    rows = {key: {"output": "yes", "scores": {"judge": 1.0}} for key in list(answers)[:57]}
    rows |= {key: {"output": "yes"} for key in list(answers)[57:]}
    project.suite(
        cases,
        scorers=["contains", {"recorded": {"name": "judge"}}],
        gates=[{"metric": "contains", "at_least": 0.8}, {"metric": "judge", "at_least": 0.5}],
    )
    project.manifest(application=project.recording("r.jsonl", rows))
    report = project.run()
    gate = next(g for g in report.gates if g.metric == "judge")
    assert (gate.result, report.decision, report.exit_status) == ("error", "hold", 10)
    assert gate.message.endswith(", such as: the recording holds no score 'judge' for case c57")
    assert gate.message in report.scorecard.verdict.reason
    said = [note for note in report.scorecard.notes if note.startswith("the scorer of judge failed 3 times")]
    assert len(said) == 1


@pytest.mark.parametrize("scorer", ["judge", {"name": "judge"}, {"name": "judge", "as": "quality"}])
@pytest.mark.parametrize(("value", "kind"), [(1.0, "binary"), (0.8, "unit")])
def test_recorded_scores_are_gated_by_their_name_with_the_kind_that_they_have(project, scorer, value, kind):
    project.suite(CASES, scorers=[{"recorded": scorer}])
    rows = {c["id"]: {"output": "", "scores": {"judge": value}} for c in CASES}
    project.manifest(application=project.recording("r.jsonl", rows))
    prepared = project.open().prepared
    name = "quality" if "as" in scorer else "judge"
    assert prepared.plans[0].metrics[name].kind == kind
    assert {m.metric: m.candidate for m in project.card().suites[0].metrics}[name] == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("jugde", "no recording holds this score, 'jugde', did you mean.*judge"),
        ("steps", r"lie outside \[0, 1\], 3 to 3, .*kind"),
    ],
)
def test_a_recorded_score_that_cannot_be_gated_is_an_error_of_the_user(project, name, why):
    project.suite(CASES, scorers=[{"recorded": {"name": name}}])
    rows = {c["id"]: {"output": "", "scores": {"judge": 1.0, "steps": 3}} for c in CASES}
    project.manifest(application=project.recording("r.jsonl", rows))
    with pytest.raises(InputError, match=why):
        project.open()


def test_recorded_scores_need_a_recording(project):
    project.suite(CASES, scorers=[{"recorded": "judge"}])
    project.manifest(application=project.module("counting_recorded", COUNTING))
    with pytest.raises(InputError, match="need a recording on both sides"):
        project.open()


def test_a_case_without_input_needs_a_recording(project):
    project.suite([{"id": "c0", "expected": "yes"}])
    project.manifest(application=project.module("counting_no_input", COUNTING))
    with pytest.raises(InputError, match=r"cases\.jsonl:1.*no input to ask"):
        project.open()


def test_a_part_of_the_cases_is_planned_as_a_part(project):
    project.suite([{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(20)], trials=2)
    code = "def build(release):\n    return lambda request: 'yes'\n"
    project.manifest(application=project.module("planned_part", code), baseline="none")
    calls = project.run(only=["c1", "c2"]).scorecard.calls
    assert (calls.made, calls.planned) == (4, 4)
    assert project.card().calls.planned == 40
