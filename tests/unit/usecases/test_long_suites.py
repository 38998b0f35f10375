"""A long recorded suite stays in its files: what is judged, told and stored is what it would be in memory."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from dataclasses import asdict, replace

import pytest

from relgate.domain.long_cases import LongCases
from relgate.files import jsonl
from relgate.store import blocks
from relgate.store import suites as suites_store
from relgate.usecases.measuring.long_suites import long_suite
from relgate.usecases.measuring.long_suites.plain_answers import PlainAnswers
from relgate.usecases.preparing import case_records
from relgate.usecases.reporting import registry_rows


class Scorers:
    """A project's own scorer: it fails on some answers, and does not apply to others."""

    def relgate_register_scorers(self, register):
        def shaky(case, response):
            if "broken" in response.output:
                raise ValueError(response.output)
            return None if "beside" in response.output else "good" in response.output

        register("shaky", shaky)


WORDS = ("good", "bad", "good", "good", "beside", "broken", "good: yes", "jo.doe@customer-mail.net good")

PLAIN = (*WORDS, "", " Good", "1,000 good", "not\tso  good", "“good”", "GOOD", "a\nb")


def cases_of(draw: random.Random, count: int, features: set[str]) -> list[dict]:
    found = []
    for number in range(count):
        case = {"id": f"c{number:03}", "input": f"Question: number {number}?", "expected": "good"}
        if "unordered" in features:
            case["id"] = f"c{(number * 37) % 101:03}é"
        if "tags" in features:
            case["tags"] = {"lang": draw.choice(["de", "en", "fr"]), "level": draw.choice([1, 2, True, 0.5])}
            if not number:
                case["tags"] = {"lang": "de", "level": 2}
            elif draw.random() < 0.2:
                del case["tags"]["lang"]
        if "same inputs" in features and draw.random() < 0.4:
            case["input"] = draw.choice(
                ["Who  ARE you?", "who are you?", [{"role": "user", "content": "hi"}]]
            )
        if "clusters" in features and draw.random() < 0.8:
            case["cluster"] = draw.choice(["a", "b", "c", 1, 2, 3, 4, 5])
        if "critical" in features and draw.random() < 0.2:
            case["critical"] = draw.choice([True, "never"])
        if "structured" in features and draw.random() < 0.3:
            case |= {"expected": ["good", "fine"], "source": "chat", "pair": "p1", "input": None}
        found.append(case)
    return found


def answers_of(
    draw: random.Random, cases: list[dict], features: set[str], *, worse: bool, words: tuple[str, ...] = WORDS
) -> list[dict]:
    rows = []
    for case in cases:
        if "gaps" in features and draw.random() < 0.05:
            continue
        for trial in range(draw.choice([1, 2, 3]) if "trials" in features else 1):
            row = {"case_id": case["id"], "output": draw.choice(words[: 4 if worse else len(words)])}
            if trial or "trials" in features:
                row["trial"] = trial
            if "failures" in features and draw.random() < (0.7 if "silent" in features else 0.1):
                row = {k: v for k, v in row.items() if k != "output"} | {"error": draw.choice(["boom", "no"])}
                row |= {"latency_ms": 1.0} if draw.random() < 0.5 else {}
            elif "numbers" in features:
                row |= {"latency_ms": round(draw.expovariate(0.01), 3), "cost_usd": draw.random() / 1000}
                row |= {"tokens": draw.randrange(9), "served_by": "p/m"} if draw.random() < 0.7 else {}
                if draw.random() < 0.3 and words is WORDS:
                    call = {"name": "refund", "arguments": {"to": "jo.doe@customer-mail.net"}}
                    row |= {"tool_calls": [call], "retrieved": ["article 1", "card 4111 1111 1111 1111"]}
            rows.append(row)
    if "unordered" in features:
        draw.shuffle(rows)
    if "strange" in features:
        rows.append({"case_id": "nobody", "output": "x"})
    return rows


GATES = [
    {"metric": "contains", "at_least": 0.3},
    {"metric": "contains", "by": "lang", "at_least": 0.2},
    {"metric": "shaky", "at_least": 0.1, "only": {"level": 2}, "role": "guard"},
]
PAIRED = [
    {"metric": "contains", "non_inferior": {"margin": 0.2}},
    {"metric": "contains", "by": "lang", "non_inferior": {"margin": 0.3}},
    {"metric": "shaky", "superior": True, "role": "report"},
]
NUMBERS = [
    {"metric": "latency_ms", "quantile": 0.9, "at_most": 400, "role": "guard"},
    {"metric": "latency_ms", "quantile": 0.5, "ratio_at_most": 2.0, "slack": 50, "role": "report"},
    {"metric": "latency_ms", "quantile": 0.95, "ratio_at_most": 2.0, "slack": 50, "role": "report"},
    {"metric": "latency_ms", "ratio_at_most": 2.0, "role": "report"},
    {"metric": "cost_usd", "ratio_at_most": 2.0, "role": "report"},
]
FORBIDDEN = {"must_not": {"contains": ["bad"], "as": "said_bad"}}
FEATURES = (
    "tags", "same inputs", "clusters", "critical", "structured", "gaps", "trials", "failures", "numbers",
    "unordered", "strange", "baseline", "regressions", "defaults", "forbidden", "blank",
)  # fmt: skip


def write(project, seed: int, *, plain: bool = False) -> set[str]:
    """A project of random cases and answers; which of ``FEATURES`` it has.

    Args:
        project: where.
        seed: of everything drawn.
        plain: whether texts alone decide, and most of the answers are one text each.
    """
    draw = random.Random(seed)
    features = {feature for feature in FEATURES if draw.random() < 0.4}
    if seed == 0:
        features = set()
    if seed % 10 == 7:  # a candidate that hardly ever answers
        features |= {"failures", "silent"}
    if plain:
        features -= {"trials", "structured", "forbidden", "regressions", "same inputs"}
    cases = cases_of(draw, draw.randrange(40, 90), features)
    own = {"one_of": {"as": "shaky"} | ({"value": ["good", "bad"]} if seed % 4 == 3 else {})}
    keys = {
        "scorers": ["contains", own if plain else "shaky"],
        "slices": ["lang"] if "tags" in features else [],
    }
    gates = [gate for gate in GATES if "tags" in features or not {"by", "only"} & gate.keys()]
    if "baseline" in features:
        gates += [gate for gate in PAIRED if "tags" in features or "by" not in gate]
    if "numbers" in features:
        gates += NUMBERS if "baseline" in features else NUMBERS[:1]
    if "forbidden" in features:
        keys["scorers"] = [*keys["scorers"], FORBIDDEN]
    if "defaults" not in features:
        keys["gates"] = gates
    if plain and seed % 2:
        for case in cases[1:]:
            if draw.random() < 0.2:
                del case["expected"]
    words = PLAIN if plain else WORDS
    project.suite(cases, **keys)
    project.suite([{"id": f"s{n}", "input": f"q{n}", "expected": "good"} for n in range(5)], folder="small")
    everything = [*cases, *({"id": f"s{n}"} for n in range(5))]
    if "regressions" in features:
        rows = [{"id": "old-1", "input": "old?", "expected": "good"}, {"id": "old-2", "input": "older?"}]
        project.rows("golden_sets/mine/regressions.jsonl", rows)
        everything += [{"id": "old-1"}, {"id": "old-2"}]
    if "blank" in features:
        path = project.folder / "golden_sets/mine/cases.jsonl"
        path.write_text(
            "\ufeff" + path.read_text(encoding="utf-8").replace("\n", "\n \r\n", 3), encoding="utf-8"
        )
    project.rows("new.jsonl", answers_of(draw, everything, features, worse=False, words=words))
    base = {}
    if "baseline" in features:
        project.rows("old.jsonl", answers_of(draw, everything, features, worse=True, words=words))
        project.manifest("production.yaml", "1.0.0", application={"recording": "old.jsonl"}, baseline="none")
        base = {"baseline": "./production.yaml"}
    project.manifest(application={"recording": "new.jsonl"}, **({"baseline": "none"} | base))
    return features


def shorten(monkeypatch) -> None:
    """Suites of more than 20 cases are long, in blocks of 7."""
    for module in (jsonl, long_suite, registry_rows, suites_store):
        monkeypatch.setattr(module, "LONG_SUITE", 20)
    monkeypatch.setattr(long_suite, "AT_ONCE", 7)
    monkeypatch.setattr(blocks, "BLOCK", 11)
    monkeypatch.setattr(case_records, "_AT_ONCE", 5)


def judged(project, *, long: bool, only=None, name: str) -> dict:
    """Everything that a run tells and stores."""
    registry = str(project.folder / f"{name}.db")
    run = project.open(registry=registry, plugins=[Scorers()], report_dir=project.folder / name)
    suites = {suite.name: suite for suite in run.prepared.suites}
    assert isinstance(suites["mine"].cases, LongCases) == long
    keys = [
        (s.name, case.id) for s in suites.values() for case in s.all_cases if only is None or only(case.id)
    ]
    run.start(set(keys))
    reports = {key: run.case(*key) for key in keys}
    if long and only is None:
        chunk = dict(run.reports("mine", suites["mine"].cases))
        for case_id, found in chunk.items():
            whole = reports["mine", case_id]
            assert (found.outcome, found.failure) == (whole.outcome, whole.failure)
        quiet = Counter()
        told = dict(run.reports("mine", suites["mine"].cases, quiet=quiet))
        assert told == {case_id: chunk[case_id] for case_id in told}
        assert quiet == Counter(found.outcome for case_id, found in chunk.items() if case_id not in told)
        assert quiet.keys() <= {"hit", "fixed"}
    report = run.conclude()
    run.close()
    card = untimed(report.scorecard.document())
    with project.registry(registry) as kept:
        run_id = kept.runs()[0].id
        return {
            "reports": {key: asdict(found) for key, found in reports.items()},
            "gates": [asdict(gate) for gate in report.gates],
            "card": card,
            "status": report.exit_status,
            "feasible": [asdict(one) for one in run.prepared.feasibility],
            "notes": run.prepared.notes,
            "suites": [asdict(replace(s, cases=_but_the_tags(s.cases))) for s in kept.suites(run_id)],
            "rows": [asdict(row) for row in kept.measurements(run_id)],
            "cases": [asdict(row) for row in kept.cases(run_id)],
            "digests": {name: (suite.digest, suite.cases_digest) for name, suite in suites.items()},
        }


def _but_the_tags(cases) -> tuple:
    """Of a long suite one digest over all cases says that they are tagged otherwise; of a short one each."""
    return tuple(replace(case, tags="") for case in cases)


@pytest.mark.parametrize("seed", range(40))
def test_a_long_suite_is_judged_told_and_stored_as_a_short_one(project, monkeypatch, seed):
    write(project, seed)
    project.environment["RELGATE_REDACTION_KEY"] = "same"
    short = judged(project, long=False, name="short")
    shorten(monkeypatch)
    long = judged(project, long=True, name="long")
    for part, found in short.items():
        assert long[part] == found, part


@pytest.mark.parametrize("seed", range(24))
def test_plain_answers_are_scored_together_as_one_after_another(project, monkeypatch, seed):
    features = write(project, seed, plain=True)
    project.environment["RELGATE_REDACTION_KEY"] = "same"
    shorten(monkeypatch)
    together, sides = [], PlainAnswers.sides

    def noted(self, part):
        found = sides(self, part)
        together.append(found is not None)
        return found

    monkeypatch.setattr(PlainAnswers, "sides", noted)
    found = judged(project, long=True, name="together")
    monkeypatch.setattr(PlainAnswers, "sides", lambda self, part: None)
    singly = judged(project, long=True, name="singly")
    for part, alone in singly.items():
        assert found[part] == alone, part
    says_itself = seed % 4 == 3  # what is expected
    assert any(together) or says_itself or "failures" in features


@pytest.mark.parametrize("seed", [1, 4, 7])
@pytest.mark.parametrize("last", ["3", "0123456"])
def test_a_part_of_a_long_suite_is_told_as_that_of_a_short_one(project, monkeypatch, seed, last):
    write(project, seed)
    project.environment["RELGATE_REDACTION_KEY"] = "same"
    only = lambda case_id: case_id.rstrip("é")[-1] in last  # noqa: E731
    short = judged(project, long=False, only=only, name="short")
    shorten(monkeypatch)
    long = judged(project, long=True, only=only, name="long")
    assert short["card"]["verdict"]["partial"]
    for part, found in short.items():
        assert long[part] == found, part


@pytest.mark.parametrize("seed", range(3))
def test_later_releases_are_held_against_a_long_suite_as_against_a_short_one(project, monkeypatch, seed):
    """Anchors, the suites of the baseline's run and stored baselines are read from what long runs stored."""
    draw = random.Random(seed)
    cases = cases_of(draw, 60, {"tags"})
    gates = [{"metric": "contains", "non_inferior": {"margin": 0.2}}, {"metric": "contains", "at_least": 0.1}]
    project.environment["RELGATE_REDACTION_KEY"] = "same"
    for number, baseline in enumerate(("none", "./r0.yaml", "./r1.yaml"), start=0):
        project.rows(f"r{number}.jsonl", answers_of(draw, cases, set(), worse=number == 0))
        application = {"recording": f"r{number}.jsonl"}
        project.manifest(f"r{number}.yaml", f"1.0.{number}", application=application, baseline=baseline)
    cards = {}
    for name in ("short", "long"):
        if name == "long":
            shorten(monkeypatch)
        registry, found = str(project.folder / f"{name}.db"), []
        for number in range(3):
            project.suite(cases[: 60 - number], scorers=["contains"], gates=gates)
            with project.registry(registry) as kept:
                stored = {} if number < 2 else {"baseline": f"run:{kept.runs()[-1].id}"}
            for more in ({}, stored) if stored else ({},):
                card = project.card(f"r{number}.yaml", registry=registry, **more)
                found.append(untimed(card.document()))
            with project.registry(registry) as kept:
                kept.promote("desk", f"1.0.{number}", by="me", waive="for the test")
        cards[name] = found
    assert cards["long"] == cards["short"]
    assert any(card["anchor"] for card in cards["short"])
    assert any("gone: " in note for card in cards["short"] for note in card["notes"])


def untimed(card: dict) -> dict:
    """A scorecard without what differs between two runs of the same."""
    for key in ("id", "started", "finished"):
        del card["run"][key]
    for waiver in card["verdict"]["waivers"]:
        waiver.pop("at", None)
    return json.loads(re.sub(r"\d{8}-\d{6}-[0-9a-f]{6}|\d{4}-\d\d-\d\d[T ][\d:.]+", "WHEN", json.dumps(card)))


class SlowScorer:
    """Two seconds for every hundred cases."""

    def relgate_register_scorers(self, register):
        register("slow", lambda case, response: time.sleep(0.02) or True)


def test_a_run_of_a_long_suite_ends_within_a_block(project, monkeypatch):
    shorten(monkeypatch)
    cases = [{"id": f"c{n}", "input": f"q{n}", "expected": "good"} for n in range(300)]
    project.suite(cases, scorers=["slow"], gates=[{"metric": "slow", "at_least": 0.5}])
    project.rows("new.jsonl", [{"case_id": case["id"], "output": "good"} for case in cases])
    project.manifest(application={"recording": "new.jsonl"}, baseline="none")
    run = project.open(plugins=[SlowScorer()])
    run.start(run.cases)
    assert run.case("mine", "c0").outcome == "hit"
    began = time.monotonic()
    run.close()
    assert time.monotonic() - began < 3.0
    assert run.done < 30
