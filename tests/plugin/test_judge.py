"""The scorer judge from the command line to the scorecard; its model is a server here."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Project

CASES = 60
KEY = "sk-judge-0123456789abcdef"
MANIFEST = """\
manifest: 1
release: judged
version: {version}
owner: team
application: {{recording: {name}.jsonl}}
artifacts:
  model: {{referee: {{version: "2026-01-01", provider: arbiter, id: referee-2026-01-01}}}}
providers:
  arbiter:
    base_url: "${{JUDGE_URL}}"
    api_key: "${{JUDGE_KEY}}"
    price: {{input_per_million: 1.0, output_per_million: 2.0}}
"""
SUITE = """\
suite: tone
kind: golden
scorers:
  - {{judge: {{rubric: rubric.md, model: arbiter/referee{options}}}}}
gates:
  - {gate}
"""


@dataclass
class Referee:
    """A judge's model: what it says is a function of the text that it is asked."""

    says: Callable[[str], str] = lambda text: '{"score": "pass", "reason": "fine"}'
    status: int = 200
    url: str = ""
    asked: list[str] = field(default_factory=list)
    models: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


@pytest.fixture
def referee() -> Iterator[Referee]:
    state = Referee()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = body["messages"][-1]["content"]
            state.asked.append(text)
            state.models.add(body["model"])
            state.keys.add(self.headers["Authorization"])
            answer = {
                "choices": [{"message": {"role": "assistant", "content": state.says(text)}}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50},
            }
            payload = json.dumps(answer).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64  # a connection that is dropped comes back a second later

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield state
        server.shutdown()
        thread.join()


@dataclass
class Judged:
    status: int
    output: str
    card: dict[str, Any]

    @property
    def gate(self) -> dict[str, Any]:
        return dict(self.card["gates"][0])


Run = Callable[..., Judged]


@pytest.fixture
def tmp_path(project: Project) -> Path:
    """The project's folder, where every test here looks for what its runs wrote."""
    return project.path


@pytest.fixture
def run(project: Project, tmp_path: Path, referee: Referee, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Write a project, run pytest over it and read the scorecard; nothing that was written holds the key."""
    monkeypatch.setenv("JUDGE_URL", referee.url)
    monkeypatch.setenv("JUDGE_KEY", KEY)

    def judge(
        gate: str,
        *,
        options: str = "",
        candidate: Callable[[int], str] = lambda n: f"good answer {n}",
        baseline: Callable[[int], str] = lambda n: f"good answer {n}, the old one",
        labels: Callable[[int, str], object] | None = None,
        labelled: int = 0,
        cases_in_all: int = CASES,
        rubric: str = "Is the answer polite and to the point?",
        by: str = "ann",
        spawn: bool = False,
    ) -> Judged:
        suite = tmp_path / "golden_sets" / "tone"
        suite.mkdir(parents=True, exist_ok=True)
        (suite / "suite.yaml").write_text(SUITE.format(options=options, gate=gate))
        (suite / "rubric.md").write_text(f"{rubric}\n")
        cases = [
            {"id": f"c{n}", "input": f"question {n}", "expected": f"hint {n}"} for n in range(cases_in_all)
        ]
        (suite / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
        if labels is not None:
            said = [
                {"case_id": f"c{n}", "side": side, "score": labels(n, side), "by": by}
                for n in range(labelled)
                for side in ("candidate", "baseline")
            ]
            (suite / "labels.jsonl").write_text("".join(json.dumps(label) + "\n" for label in said))
        for name, version, answer in (("cand", "2.0.0", candidate), ("base", "1.0.0", baseline)):
            (tmp_path / f"{name}.yaml").write_text(MANIFEST.format(version=version, name=name))
            rows = [{"case_id": f"c{n}", "output": answer(n)} for n in range(cases_in_all)]
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        start = project.spawn if spawn else project.run
        done = start("-q", "-p", "no:cacheprovider", "--baseline=./base.yaml", manifest="cand.yaml")
        output = project.text(done)
        found = sorted(tmp_path.glob("reports/*/scorecard.json"))
        assert found, output
        for path in tmp_path.rglob("*"):
            assert path.is_dir() or KEY.encode() not in path.read_bytes(), path
        return Judged(int(done.ret), output, json.loads(found[-1].read_text()))

    return judge


def block(text: str, name: str) -> str:
    found = re.search(rf"<{name}>\n(.*)\n</{name}>", text, re.DOTALL)
    assert found is not None, text
    return found.group(1)


def passes_what_is_good(text: str) -> str:
    return json.dumps({"score": "pass" if "good" in block(text, "answer") else "fail", "reason": "."})


def test_both_sides_are_judged_by_the_pinned_model_and_its_calls_are_counted(
    run: Run, referee: Referee
) -> None:
    referee.says = passes_what_is_good
    done = run(
        "{metric: judge, at_least: 0.2, role: guard}",
        candidate=lambda n: "good" if n % 2 else "bad",
        spawn=True,  # one run from a command line, as users start it
    )
    assert done.gate["estimate"] == 0.5, done.output
    row = next(r for r in done.card["suites"][0]["metrics"] if r["metric"] == "judge" and not r["slice"])
    assert (row["candidate"], row["baseline"]) == (0.5, 1.0)
    assert len(referee.asked) == 2 * CASES == done.card["calls"]["judge"]
    assert f"at most {2 * CASES} calls to judges" in done.output
    assert done.card["calls"]["judge_usd"] == pytest.approx(2 * CASES * 200 / 1e6)
    assert f"judges: {2 * CASES} calls, cost $0.0240" in done.output
    assert referee.models == {"referee-2026-01-01"}
    assert referee.keys == {f"Bearer {KEY}"}
    asked = next(text for text in referee.asked if block(text, "question") == "question 7")
    assert asked.startswith("Is the answer polite")
    assert block(asked, "expected") == "hint 7"


def test_a_required_gate_on_a_judge_alone_never_passes(run: Run, referee: Referee) -> None:
    done = run("{metric: judge, non_inferior: {margin: 0.10}}")
    assert done.status == 10
    assert done.card["verdict"]["decision"] == "hold"
    assert done.gate["result"] == "hold"
    assert "needs labels of 50 more random cases at least, better 60" in done.gate["message"]


def test_labels_let_a_judged_gate_pass_and_say_how(run: Run, referee: Referee) -> None:
    referee.says = passes_what_is_good
    done = run(
        "{metric: judge, non_inferior: {margin: 0.10}}",
        candidate=lambda n: "bad" if n % 20 == 3 else "good",
        baseline=lambda n: "bad" if n % 20 == 7 else "good",
        labels=lambda n, side: 0 if n % 20 == (3 if side == "candidate" else 7) else 1,
        labelled=120,
        cases_in_all=300,
    )
    assert done.gate["result"] == "pass", done.output
    assert done.gate["method"] == "PPI++ on 120 labels"
    assert "random subset" in done.gate["message"]
    assert done.gate["lower"] < 0.0 < done.gate["upper"]
    assert done.gate["estimate"] == pytest.approx(0.0, abs=0.001)
    assert done.status == 0


def test_labels_of_every_case_decide_alone_however_few(run: Run, referee: Referee) -> None:
    done = run(
        "{metric: judge, non_inferior: {margin: 0.10}}",
        labels=lambda n, side: 1,
        labelled=40,
        cases_in_all=40,
    )
    assert (done.status, done.gate["result"]) == (0, "pass"), done.output
    assert done.gate["method"] == "Gaffke on case means, 40 labels alone"


def test_labels_still_needed_are_never_more_than_the_cases(run: Run, referee: Referee) -> None:
    gate = "{metric: judge, non_inferior: {margin: 0.10}}"
    done = run(gate, labels=lambda n, side: 1, labelled=35, cases_in_all=40)
    assert "needs labels of 5 more random cases" in done.gate["message"], done.output


def test_labels_that_disagree_with_a_flattering_judge_reject(run: Run, referee: Referee) -> None:
    done = run(
        "{metric: judge, non_inferior: {margin: 0.10}}",
        labels=lambda n, side: int(side == "baseline" or n % 2 == 0),
        labelled=120,
        cases_in_all=300,
    )
    assert (done.status, done.gate["result"]) == (1, "fail"), done.output
    assert done.gate["estimate"] == pytest.approx(-0.5)
    assert {name for worst in done.card["worst"] for name in worst["metrics"]} == {"judge by people"}


def test_a_judge_may_still_reject(run: Run, referee: Referee) -> None:
    referee.says = passes_what_is_good
    done = run("{metric: judge, non_inferior: {margin: 0.10}}", candidate=lambda n: "bad")
    assert (done.status, done.gate["result"]) == (1, "fail"), done.output


def test_answers_that_cannot_be_read_are_failures_and_no_scores(run: Run, referee: Referee) -> None:
    referee.says = lambda text: "I would say: pass" if "question 3\n" in text else passes_what_is_good(text)
    done = run("{metric: judge, at_least: 0.5}")
    assert done.gate["result"] == "hold"
    assert done.gate["n"] == CASES - 1
    assert any("the scorer of judge failed 2 times" in note for note in done.card["notes"])
    many = [text for text in referee.asked if "question 3\n" in text]
    assert len(many) == 2


def test_what_could_not_be_read_is_asked_again_once_the_judge_is_mended_and_nothing_else(
    run: Run, referee: Referee
) -> None:
    def mumbles(text: str) -> str:
        unreadable = block(text, "question").endswith("7")
        return "I would say pass" if unreadable else passes_what_is_good(text)

    referee.says = mumbles
    done = run("{metric: judge, at_least: 0.5}")
    assert done.gate["result"] == "error", done.output
    referee.asked.clear()
    referee.says = passes_what_is_good
    done = run("{metric: judge, at_least: 0.5}")
    assert (done.gate["result"], done.gate["estimate"]) == ("hold", 1.0), done.output
    assert len(referee.asked) == 2 * 6, "of both sides those whose number ends with a 7"
    assert f"{2 * CASES - 12} answers of judges kept from before: not asked for again" in done.card["notes"]


def test_more_than_two_percent_of_failures_are_an_error_that_holds(run: Run, referee: Referee) -> None:
    referee.status = 400
    done = run("{metric: judge, at_least: 0.5}")
    assert done.status == 10
    assert done.gate["result"] == "error"
    assert any("the judge did not answer" in note for note in done.card["notes"])


def test_a_scale_becomes_a_share_of_its_span(run: Run, referee: Referee) -> None:
    referee.says = lambda text: '{"score": 4, "reason": "nearly"}'
    done = run("{metric: judge, at_least: 0.5, role: guard}", options=", scale: [1, 5]")
    assert done.gate["estimate"] == 0.75


def test_pairs_are_asked_in_both_orders_and_a_mind_that_changes_is_a_tie(run: Run, referee: Referee) -> None:
    def says(text: str) -> str:
        first, second = block(text, "answer_1"), block(text, "answer_2")
        number = int(re.findall(r"\d+", block(text, "question"))[0])
        if number % 2:  # takes what is shown first, whatever it is
            return '{"score": "first", "reason": "."}'
        return json.dumps(
            {"score": "first" if "old" in second else "second" if "old" in first else "tie", "reason": "."}
        )

    referee.says = says
    done = run("{metric: judge, at_least: 0.5, role: guard}", options=", pairwise: true")
    assert len(referee.asked) == 2 * CASES
    row = next(r for r in done.card["suites"][0]["metrics"] if r["metric"] == "judge" and not r["slice"])
    assert (row["candidate"], row["baseline"]) == (0.75, 0.5)
    (note,) = [note for note in done.card["notes"] if "in both orders" in note]
    assert f"in {CASES // 2} of {CASES} pairs; position bias +0.50" in note


def _labelled(run: Run, **more: Any) -> Judged:
    settings: dict[str, Any] = {
        "candidate": lambda n: "bad" if n % 20 == 3 else "good",
        "baseline": lambda n: "bad" if n % 20 == 7 else "good",
        "labels": lambda n, side: 0 if n % 20 == (3 if side == "candidate" else 7) else 1,
        "labelled": 120,
        "cases_in_all": 300,
    }
    gate = more.pop("gate", "{metric: judge, non_inferior: {margin: 0.10}}")
    return run(gate, **(settings | more))


def test_the_agreement_with_labels_stands_in_every_report(run: Run, referee: Referee, tmp_path: Path) -> None:
    referee.says = lambda text: passes_what_is_good(text.replace("question 8\n", "good"))
    done = _labelled(run, labels=lambda n, side: int(n % 10 != 0))
    (judge,) = done.card["judges"]
    assert (judge["suite"], judge["metric"], judge["model"]) == ("tone", "judge", "arbiter/referee")
    # of 120 cases 12 are answered differently by the sides; an answer that both gave is one
    assert (judge["labels"], judge["n"], judge["by"]) == (240, 132, ["ann"])
    # 12 answers that both gave have labels that say wrong, the judge says wrong of 12 others
    assert judge["agreement"] == pytest.approx(108 / 132)
    assert judge["sensitivity"] == pytest.approx(108 / 120)
    assert judge["specificity"] == 0.0
    assert judge["lower"] < judge["kappa"] < judge["upper"]
    line = "judge in tone by arbiter/referee: agrees with 81.8 % of 132 labelled answers, kappa -0.10"
    assert line in " ".join(done.output.split())
    assert re.search(r"tone +judge \(judge alone\)", done.output), (
        "the gate's interval is corrected, this is not"
    )
    (report,) = tmp_path.glob("reports/*/scorecard.md")
    assert "agrees with 81.8 % of 132 labelled answers" in report.read_text()


def test_a_judge_without_labels_says_that_nobody_knows_how_far_it_can_be_trusted(
    run: Run, referee: Referee
) -> None:
    done = run("{metric: judge, at_least: 0.5, role: guard}")
    (judge,) = done.card["judges"]
    assert (judge["n"], judge["labels"], judge["agreement"], judge["kappa"]) == (0, 0, None, None)
    assert "no labels, so nobody knows how far it can be trusted" in " ".join(done.output.split())


def test_a_changed_judge_holds_until_its_answers_are_labelled_again(run: Run, referee: Referee) -> None:
    referee.says = passes_what_is_good
    assert _labelled(run).status == 0
    for _ in range(2):  # that it held once makes it no trusted judge
        changed = _labelled(run, rubric="Is the answer polite, short and to the point?")
        assert (changed.status, changed.gate["result"]) == (10, "hold"), changed.output
        assert re.fullmatch(
            r"the judge of judge changed \(\w+ -> \w+\) and its agreement was measured with the old one: "
            r"25 cases need fresh labels",
            changed.gate["message"],
        )
        assert changed.card["judges"][0]["changed"] == changed.gate["message"]
        told = "! tone: the judge of judge changed (model, rubric or scale) since labels spoke for it"
        shown = " ".join(changed.output.split())
        assert told in shown or "judged before, in run" in shown
    fresh = _labelled(run, rubric="Is the answer polite, short and to the point?", by="ann, November")
    assert (fresh.status, fresh.gate["result"]) == (0, "pass"), fresh.output
    assert "since labels spoke" not in " ".join(fresh.output.split())
    assert "PPI++ on 120 labels" in fresh.output, "what a judged gate stands on is shown where it passes"
    assert _labelled(run, rubric="Is the answer polite and to the point?", by="ann, November").status == 10


def test_a_changed_judge_asks_once_for_the_labels_that_the_run_which_takes_them_needs(
    run: Run, referee: Referee
) -> None:
    """Its labels are a further attempt, at whose alpha 129 cases must have some; no run asks for more yet."""
    five = "{metric: judge, non_inferior: {margin: 0.05}}"
    referee.says = passes_what_is_good
    _labelled(run, gate=five, labelled=100)
    changed = _labelled(run, gate=five, labelled=100, rubric="Is it short?")
    shown = " ".join(changed.output.split())
    assert "so its gates will hold; label 29 more cases of tone on both sides" in shown
    assert changed.gate["message"].endswith("measured with the old one: 29 more cases need labels")
    assert "--n 29 --out" in changed.card["verdict"]["next_step"]
    assert "of the cases drawn before, answers that are new need labels as well" in shown
    assert "--n 25" not in shown
    taken = _labelled(run, gate=five, labelled=129, rubric="Is it short?")
    assert taken.card["verdict"]["attempts"] == 2
    assert "on 129 labels" in taken.gate["method"], taken.output
    again = _labelled(run, gate=five, labelled=129, rubric="Is it long?", by="ben")
    assert again.gate["message"].endswith(
        "149 must at alpha 0.00625 and 170 in the run that takes more, at 0.00313; needs labels of 41 more "
        "random cases"
    )
    assert "--n 41 --out" in again.card["verdict"]["next_step"]
    assert "needs labels of 41 more random cases (after a run: " in " ".join(again.output.split())
    enough = _labelled(run, gate=five, labelled=170, rubric="Is it long?", by="ben")
    assert "on 170 labels" in enough.gate["method"], enough.output


def test_answers_are_drawn_labelled_and_taken_by_the_command(
    run: Run, referee: Referee, project: Project, tmp_path: Path
) -> None:
    def relgate(*arguments: str) -> CompletedProcess[str]:
        return project.relgate("judge", *arguments)

    referee.says = passes_what_is_good
    done = run("{metric: judge, non_inferior: {margin: 0.10}}", cases_in_all=300)
    identity = done.card["run"]["id"]
    table = relgate("agreement")
    assert table.returncode == 0
    assert "tone     judge     arbiter/referee  0" in table.stdout
    draw = f"relgate judge sample {identity} --suite tone"
    assert f"no labels when it ran; draw some: {draw}" in table.stdout
    shown = " ".join(done.output.split())
    assert f"`{draw} --n 100 --out FILE`, then `relgate judge label FILE --suite tone`" in shown
    drawn = relgate("sample", identity, "--suite", "tone", "--n", "100", "--out", "sample.jsonl")
    assert drawn.returncode == 0, drawn.stderr
    lines = [json.loads(line) for line in (tmp_path / "sample.jsonl").read_text().splitlines()]
    assert len(lines) == 200
    assert {line["side"] for line in lines} == {"candidate", "baseline"}
    assert len({line["case_id"] for line in lines}) == 100
    assert all(line["score"] is None and line["output"].startswith("good answer") for line in lines)
    again = relgate("sample", identity, "--suite", "tone", "--n", "100")
    assert again.stdout == (tmp_path / "sample.jsonl").read_text()
    refused = relgate("label", "sample.jsonl", "--suite", "tone")
    assert refused.returncode == 1
    assert "sample.jsonl:1:" in refused.stderr
    assert "none of its 200 lines is filled in" in refused.stderr
    assert all(line["expected"].startswith("hint") for line in lines), "people judge by it as well"
    half = [line | {"score": 1, "by": "ann"} if i else line for i, line in enumerate(lines)]
    (tmp_path / "half.jsonl").write_text("".join(json.dumps(line) + "\n" for line in half))
    refused = relgate("label", "half.jsonl", "--suite", "tone")
    assert "'score' is still empty, write a number from 0 to 1" in refused.stderr
    labels = tmp_path / "golden_sets" / "tone" / "labels.jsonl"
    assert not labels.exists()
    filled = [line | {"score": 1, "by": "ann"} for line in lines]
    changed = [
        {**line, "output": "good, mended by hand"} if i == 7 else line for i, line in enumerate(filled)
    ]
    (tmp_path / "changed.jsonl").write_text("".join(json.dumps(line) + "\n" for line in changed))
    refused = relgate("label", "changed.jsonl", "--suite", "tone")
    assert "changed.jsonl:8:" in refused.stderr
    assert "'answer' is not the digest of this line's output" in refused.stderr
    assert not labels.exists()
    (tmp_path / "sample.jsonl").write_text("".join(json.dumps(line) + "\n" for line in filled))
    taken = relgate("label", "sample.jsonl", "--suite", "tone")
    assert taken.returncode == 0, taken.stderr
    assert "200 labels" in taken.stdout
    assert len(labels.read_text().splitlines()) == 200
    first = json.loads(labels.read_text().splitlines()[0])
    assert set(first) == {"case_id", "side", "score", "by", "answer"}
    twice = relgate("label", "sample.jsonl", "--suite", "tone")
    assert twice.returncode == 1
    assert "sample.jsonl:1:" in twice.stderr, "the sample's line, not one that was never added"
    assert "each of its 200 answers has a label of the same person already" in twice.stderr
    assert len(twice.stderr.splitlines()) < 4, "not a line for each"
    mixed = [
        {**line, "by": "bob", **({"score": 7} if i == 2 else {"case_id": "c9999"} if i == 5 else {})}
        for i, line in enumerate(filled)
    ]
    mixed[8] = filled[8]
    (tmp_path / "mixed.jsonl").write_text("".join(json.dumps(line) + "\n" for line in mixed))
    all_at_once = relgate("label", "mixed.jsonl", "--suite", "tone").stderr
    for line, what in ((3, "from 0 to 1"), (6, "no case 'c9999'"), (9, "labels this answer again")):
        assert re.search(rf"mixed\.jsonl:{line}:.*{what}", all_at_once), all_at_once
    assert len(labels.read_text().splitlines()) == 200
    # a second draw asks for nothing that was read, so its labels can be added
    more = relgate("sample", identity, "--suite", "tone", "--n", "50", "--out", "more.jsonl")
    assert more.returncode == 0, more.stderr
    drawn_again = [json.loads(line) for line in (tmp_path / "more.jsonl").read_text().splitlines()]
    assert not {line["case_id"] for line in drawn_again} & {line["case_id"] for line in lines}
    text = "".join(json.dumps(line | {"score": 1, "by": "ann"}) + "\n" for line in drawn_again)
    (tmp_path / "more.jsonl").write_text(text)
    assert relgate("label", "more.jsonl", "--suite", "tone").returncode == 0
    assert len(labels.read_text().splitlines()) == 300
    judged = run("{metric: judge, non_inferior: {margin: 0.10}}", cases_in_all=300)
    assert (judged.status, judged.gate["result"]) == (0, "pass"), judged.output
    assert judged.card["judges"][0]["n"] == 300


MOODS = """
import secrets
from relgate import Response

def build(release):
    return lambda request: Response(f"good {release.version}, in words of {secrets.token_hex(4)}")
"""


def test_a_judge_that_was_down_is_asked_again_and_nobody_else(
    run: Run, referee: Referee, project: Project, tmp_path: Path
) -> None:
    run("{metric: judge, at_least: 0.5}")
    for name, version in (("cand", "2.0.0"), ("base", "1.0.0")):
        (tmp_path / f"{name}_moods.py").write_text(MOODS)
        text = MANIFEST.format(version=version, name=name)
        text = re.sub(r"\{recording: .*\}", f'{{python: "{name}_moods:build"}}', text)
        (tmp_path / f"{name}.yaml").write_text(text)

    def judged() -> dict[str, Any]:
        project.spawn("-q", "--full", "--baseline=./base.yaml", manifest="cand.yaml")
        found = max(tmp_path.glob("reports/*/scorecard.json"), key=lambda path: path.stat().st_mtime)
        return dict(json.loads(found.read_text()))

    referee.status = 400
    first = judged()
    assert (first["gates"][0]["result"], first["verdict"]["lacking"]) == ("error", True)
    assert first["calls"]["made"] >= 2 * CASES
    referee.status = 200
    second = judged()
    assert second["gates"][0]["result"] == "hold", "a judge alone never passes"
    assert (second["calls"]["made"], second["verdict"]["lacking"]) == (0, False)
    assert second["verdict"]["attempts"] == 1


def test_a_budget_that_a_judge_without_answers_used_up_says_so(
    run: Run, referee: Referee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELGATE_BUDGET_CALLS", "20")
    referee.status = 401
    verdict = run("{metric: judge, at_least: 0.5}").card["verdict"]
    assert verdict["reason"].startswith("the budget of 20 calls was spent; not measured: ")
    assert "; 20 calls got no answer, such as: " in verdict["reason"]
    assert "HTTP 401: is the key right?" in verdict["reason"]


def test_labels_of_live_answers_judge_the_same_answers_in_the_same_attempt(
    run: Run, referee: Referee, project: Project, tmp_path: Path
) -> None:
    """An application that words every answer anew: what people read is judged, not what it says next."""
    run("{metric: judge, non_inferior: {margin: 0.10}}", cases_in_all=60)
    for name, version in (("cand", "2.0.0"), ("base", "1.0.0")):
        (tmp_path / f"{name}_moods.py").write_text(MOODS)
        text = MANIFEST.format(version=version, name=name)
        text = re.sub(r"\{recording: .*\}", f'{{python: "{name}_moods:build"}}', text)
        (tmp_path / f"{name}.yaml").write_text(text)

    def judged(*more: str) -> dict[str, Any]:
        project.spawn("-q", "--full", "--baseline=./base.yaml", *more, manifest="cand.yaml")
        found = max(tmp_path.glob("reports/*/scorecard.json"), key=lambda path: path.stat().st_mtime)
        return dict(json.loads(found.read_text()))

    first = judged()
    assert "run again with `--reuse always`: the same answers" in first["verdict"]["next_step"]
    draw = ("sample", first["run"]["id"], "--suite", "tone", "--n", "60", "--out", "live.jsonl")
    assert project.relgate("judge", *draw).returncode == 0
    lines = [json.loads(line) for line in (tmp_path / "live.jsonl").read_text().splitlines()]
    text = "".join(json.dumps(line | {"score": 1, "by": "ann"}) + "\n" for line in lines)
    (tmp_path / "live.jsonl").write_text(text)
    taken = project.relgate("judge", "label", "live.jsonl", "--suite", "tone")
    assert "--reuse always" in taken.stdout, taken.stderr
    asked = len(referee.asked)
    again = judged("--reuse=always")
    assert again["gates"][0]["result"] == "pass", again["gates"][0]["message"]
    assert again["verdict"]["attempts"] == first["verdict"]["attempts"]
    assert (again["calls"]["made"], len(referee.asked)) == (0, asked)
    with (tmp_path / "golden_sets" / "tone" / "labels.jsonl").open("a") as file:
        file.write(json.dumps({"case_id": "c0", "side": "candidate", "score": 1, "by": "ben"}) + "\n")
    anew = judged("--reuse=never")
    assert anew["calls"]["made"] >= 120
    assert anew["verdict"]["attempts"] == first["verdict"]["attempts"] + 1


def test_more_labels_after_a_look_at_labels_are_a_further_attempt(run: Run, referee: Referee) -> None:
    gate = "{metric: judge, non_inferior: {margin: 0.10}}"

    def labelled(number: int) -> tuple[int, str]:
        found = run(gate, labels=lambda n, side: 1, labelled=number, cases_in_all=300).card
        return found["verdict"]["attempts"], found["gates"][0]["method"]

    referee.says = passes_what_is_good
    assert run(gate, cases_in_all=300).card["verdict"]["attempts"] == 1
    assert labelled(60) == (1, "min(Hall, Gaffke) on case means, 60 labels alone")
    assert labelled(120)[0] == 2
    assert labelled(180)[0] == 3


def test_a_gate_that_few_labels_leave_open_says_how_many_more_decide_it_and_they_do(
    run: Run, referee: Referee
) -> None:
    """A judge whom every label confirms: 50 labels may have missed what it overlooks, 81 hardly."""
    referee.says = passes_what_is_good
    wrong = {"candidate": {21, 45, 180}, "baseline": {33, 190}}

    def labelled(number: int) -> Judged:
        return run(
            "{metric: judge, non_inferior: {margin: 0.10}}",
            candidate=lambda n: "bad" if n in wrong["candidate"] else f"good {n}",
            baseline=lambda n: "bad" if n in wrong["baseline"] else f"good old {n}",
            labels=lambda n, side: int(n not in wrong[side]),
            labelled=number,
            cases_in_all=200,
        )

    first = labelled(50)
    assert (first.status, first.gate["result"]) == (10, "hold"), first.output
    told = re.search(r"label (\d+) more cases of tone on both sides", first.card["verdict"]["next_step"])
    assert told is not None, first.card["verdict"]["next_step"]
    second = labelled(50 + int(told[1]))
    assert (second.status, second.card["verdict"]["attempts"]) == (0, 2), second.output


def test_labels_of_one_release_do_not_correct_another(run: Run, referee: Referee) -> None:
    """The judge sees no fall; labels of the old answers would say so too, but they are of other answers."""
    gate = "{metric: judge, non_inferior: {margin: 0.10}}"
    good: dict[str, Any] = {"labels": lambda n, side: 1, "labelled": 120, "cases_in_all": 300}
    assert run(gate, **good).gate["result"] == "pass"
    other = run(gate, candidate=lambda n: f"another answer {n}", cases_in_all=300)
    assert (other.status, other.gate["result"]) == (10, "hold"), other.output
    assert "100 of the 100 cases drawn for labels have answers that nobody has read" in other.gate["message"]
    assert "--n 100 --out FILE" in other.card["verdict"]["next_step"]
    (judge,) = other.card["judges"]
    assert (judge["labels"], judge["n"], judge["of_other_answers"]) == (240, 120, 120)
    assert "120 of 240 labels are of other answers and left out" in " ".join(other.output.split())


def test_a_guard_on_a_changed_judge_holds_and_the_judge_is_the_first_suspect(
    run: Run, referee: Referee
) -> None:
    gates = (
        "{metric: judge, non_inferior: {margin: 0.10}, role: guard}\n  - {metric: answered, at_least: 0.5}"
    )
    referee.says = passes_what_is_good
    assert _labelled(run, gate=gates).status == 0
    # as strict as can be: the guard would fail on it
    referee.says = lambda text: '{"score": "fail", "reason": "."}' if "old" not in text else "pass"
    changed = _labelled(run, gate=gates, rubric="Be strict.")
    assert changed.status == 10, changed.output
    verdict = changed.card["verdict"]
    assert verdict["decision"] == "hold"
    assert verdict["reason"].startswith("tone: the judge of judge changed")
    assert "relgate judge sample RUN --suite tone --n 25 --again" in verdict["next_step"]
    assert (changed.card["changed"][0]["kind"], changed.card["changed"][0]["name"]) == ("judge", "judge")


def test_a_label_is_fresh_only_once(run: Run, referee: Referee) -> None:
    """Labels that an earlier judge was trusted with are not fresh for another, whatever came between."""
    referee.says = passes_what_is_good
    assert _labelled(run, by="ann").status == 0
    assert _labelled(run, by="ben").status == 0
    again = _labelled(run, by="ann", rubric="Is it short?")
    assert (again.status, again.gate["result"]) == (10, "hold"), again.output
    assert "changed" in again.gate["message"]
