"""Everything that is wrong comes in one listing, the same from a run and from ``relgate validate``."""

# ruff: noqa: E501 (a problem is one line, whatever its length)

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from relgate.cli.project import validate
from relgate.domain.errors import InputError
from relgate.usecases.conftests import load_conftests
from relgate.usecases.options import RunOptions
from relgate.usecases.run_release import ReleaseRun

MANIFEST = "manifest: 1\nrelease: desk\nversion: 1.0.0\nowner: me\n"
RECORDING = MANIFEST + "application: {recording: answers.jsonl}\n"
SUITE = "suite: s\nkind: golden\nscorers:\n  - exact\n"
CASES = '{"id": "c1", "input": "q", "expected": "yes", "tags": {"lang": "de"}}\n'

Write = Callable[..., None]
Refused = Callable[[], list[str]]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a sound project here, with these files in place of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(**files: str) -> None:
        sound = {"candidate": RECORDING, "answers": '{"case_id": "c1", "output": "yes"}\n', "a": SUITE}
        for name, text in (sound | files).items():
            if name in ("a", "b"):
                folder = tmp_path / "golden_sets" / name
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "suite.yaml").write_text(text)
                (folder / "cases.jsonl").write_text(files.get("cases", CASES))
                if "regressions" in files:
                    (folder / "regressions.jsonl").write_text(files["regressions"])
        for name, ending in (
            ("candidate", ".yaml"),
            ("production", ".yaml"),
            ("answers", ".jsonl"),
            ("conftest", ".py"),
        ):
            text = (sound | files).get(name)
            if text is not None:
                (tmp_path / (name + ending)).write_text(text)

    return write


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """The problems, which must be the same from a run and from ``relgate validate``."""

    def refused() -> list[str]:
        plugins, unread = load_conftests(Path("candidate.yaml"))
        assert unread == []
        options = RunOptions(
            manifest=Path("candidate.yaml"),
            manifest_given="candidate.yaml",
            golden_sets=Path("golden_sets"),
            rootdir=tmp_path,
            folder=tmp_path,
            environment=dict(os.environ),
        )
        with pytest.raises(InputError) as caught:
            ReleaseRun(options, plugins)
        by_run = [str(problem) for problem in caught.value.problems]
        assert validated() == by_run
        return by_run

    return refused


def validated() -> list[str]:
    """The problems that ``relgate validate`` names."""
    error = CliRunner().invoke(validate, []).exception
    assert isinstance(error, InputError), error
    return [str(problem) for problem in error.problems]


def test_a_grammar_error_hides_no_scorer_and_no_gate(write: Write, refused: Refused) -> None:
    write(
        a="suite: s\nkind: golden\nownr: me\ntrials: 0\nslices: [lnag, 5]\nscorers:\n"
        "  - exct\n"
        "  - {contains: {valu: x}}\n"
        "  - numeric\n"
        "gates:\n"
        "  - {metric: exact, at_least: 0.5}\n"
        "  - {metric: contains, at_least: 0.5}\n"
        "  - {metric: numrc, at_least: 0.5, rol: guard}\n"
        "  - {metric: tokens, at_most: 0.5, by: lng}\n"
        "  - {metric: numeric, ratio_at_most: -1}\n"
        "  - {metric: latency, at_most: 1, superior: true}\n"
        "  - {metric: answered, atleast: 0.5}\n"
    )
    assert refused() == [
        "golden_sets/a/suite.yaml:3:1: unknown key 'ownr', did you mean 'owner'?",
        "golden_sets/a/suite.yaml:4:9: trials should be auto or a whole number from 1 to 100, 0",
        "golden_sets/a/suite.yaml:5:10: no case has the tag 'lnag', did you mean 'lang'?",
        'golden_sets/a/suite.yaml:5:16: slices[1] should be text, 5, write "5" in quotes',
        "golden_sets/a/suite.yaml:7:5: unknown scorer 'exct', did you mean 'exact'?",
        "golden_sets/a/suite.yaml:8:17: scorer contains: unknown option 'valu', did you mean 'value'?",
        "golden_sets/a/suite.yaml:13:5: a gate on a metric that no scorer reports, 'numrc', did you mean 'numeric'?",
        "golden_sets/a/suite.yaml:13:36: unknown key 'rol', did you mean 'role'?",
        "golden_sets/a/suite.yaml:14:5: at_most does not fit a metric of kind count, 'tokens', use ratio_at_most, or add a quantile",
        "golden_sets/a/suite.yaml:14:40: no case has the tag 'lng', did you mean 'lang'?",
        "golden_sets/a/suite.yaml:15:5: ratio_at_most does not fit a metric of kind binary, 'numeric', use non_inferior with a margin",
        "golden_sets/a/suite.yaml:15:38: gates[4].ratio_at_most should be greater than 0, -1",
        "golden_sets/a/suite.yaml:16:5: a gate on a metric that no scorer reports, 'latency', did you mean 'latency_ms'?",
        "golden_sets/a/suite.yaml:16:35: a gate has exactly one requirement, this has at_most and superior",
        "golden_sets/a/suite.yaml:17:24: unknown key 'atleast', did you mean 'at_least'?",
    ]


def test_a_wrong_tag_hides_no_misfit_of_the_same_gate(write: Write, refused: Refused) -> None:
    write(
        a=SUITE + "gates:\n"
        "  - {metric: tokens, non_inferior: {margin: 0.1}, by: lng}\n"
        "  - {metric: exact, ratio_at_most: 2, only: {lang: en, tpic: x}}\n"
    )
    assert refused() == [
        "golden_sets/a/suite.yaml:6:5: non_inferior does not fit a metric of kind count, 'tokens', use ratio_at_most",
        "golden_sets/a/suite.yaml:6:55: no case has the tag 'lng', did you mean 'lang'?",
        "golden_sets/a/suite.yaml:7:5: ratio_at_most does not fit a metric of kind binary, 'exact', use non_inferior with a margin",
        "golden_sets/a/suite.yaml:7:52: no case has lang 'en', known: de",
        "golden_sets/a/suite.yaml:7:56: no case has the tag 'tpic', known: lang",
    ]


def test_every_wrong_option_of_one_scorer_has_its_place(write: Write, refused: Refused) -> None:
    write(
        a="suite: s\nkind: golden\nscorers:\n"
        '  - {regex: {pattern: "(", case: 1, as: a b}}\n'
        "  - json_schema:\n      schema: gone.json\n      strict: true\n"
        "  - {citations: {at_least: -1, known: 2}}\n"
        "  - {numeric: {value: many, abs: -1}}\n"
        "  - {contains: {value: [{}], any: 3}}\n"
        "  - {recorded: {nme: x, kind: percent}}\n"
        "  - {tool_call: {tool: t, schemas: {t: 3}, toll: t}}\n"
        '  - {must_not: [{regex: "("}, no_pi, {contains: {anny: true, value: x}}]}\n'
    )
    places = [line.partition(": ")[0].removeprefix("golden_sets/a/suite.yaml:") for line in refused()]
    assert places == [
        *("4:23", "4:28", "4:41"),
        *("6:15", "7:7"),
        *("8:28", "8:39"),
        *("9:23", "9:34"),
        *("10:25", "10:35"),
        *("11:17", "11:31"),
        *("12:18", "12:40", "12:44"),
        *("13:25", "13:31", "13:50"),
    ]  # fmt: skip


FACTORIES = """
import sys

def relgate_register_scorers(register):
    def breaks(options, context):
        raise RuntimeError("no key sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD\\nfor me@firm.example")
    register.factory("breaks", breaks)
    register.factory("leaves", lambda options, context: sys.exit(3))
    register.factory("lacks", lambda options, context: options["words"])
    register.factory("nothing", lambda options, context: None)
"""


def test_a_factory_that_raises_anything_is_a_problem_at_its_line(write: Write, refused: Refused) -> None:
    write(
        conftest=FACTORIES,
        a=SUITE + "  - breaks\n  - {leaves: {as: gone}}\n  - lacks\n  - nothing\n  - {exact: {afer: x}}\n"
        "gates:\n  - {metric: breaks, at_least: 0.5}\n  - {metric: gone, at_least: 0.5}\n",
    )
    assert refused() == [
        "golden_sets/a/suite.yaml:5:5: scorer breaks: cannot be made (RuntimeError: no key <KEY> for <EMAIL>)",
        "golden_sets/a/suite.yaml:6:6: scorer leaves: cannot be made (SystemExit: 3)",
        "golden_sets/a/suite.yaml:7:5: scorer lacks: cannot be made (KeyError: 'words')",
        "golden_sets/a/suite.yaml:8:5: scorer nothing: its factory returned NoneType, not a function (case, response)",
        "golden_sets/a/suite.yaml:9:6: two scorers report one metric, 'exact', give one of them another name with `as:`",
        "golden_sets/a/suite.yaml:9:14: scorer exact: unknown option 'afer', did you mean 'after'?",
    ]


def test_a_duplicate_suite_name_hides_nothing(write: Write, refused: Refused) -> None:
    wrong = SUITE + "  - {contains: {anny: true}}\ngates:\n  - {metric: exat, at_least: 0.5}\n"
    write(a=wrong, b=wrong)
    each = [
        "golden_sets/{}/suite.yaml:5:17: scorer contains: unknown option 'anny', did you mean 'any'?",
        "golden_sets/{}/suite.yaml:7:5: a gate on a metric that no scorer reports, 'exat', did you mean 'exact'?",
    ]
    twice = "golden_sets/b/suite.yaml:1:8: duplicate suite name 's', golden_sets/a/suite.yaml has the same; give each suite its own"
    assert refused() == [*(line.format("a") for line in each), twice, *(line.format("b") for line in each)]


REMEDY = "give package.module:name of something importable from where pytest runs"


@pytest.mark.parametrize(
    ("name", "code", "what"),
    [
        ("raises", "def build(r): ...\nraise OSError('token ghp_abcdefghijklmnopqrstuvwxyz0123456789')", "cannot be imported (OSError: token <TOKEN>), 'at_once_raises:build', " + REMEDY),
        ("needs", "import nothing_like_this\ndef build(r): ...", "cannot be imported (ModuleNotFoundError: No module named 'nothing_like_this'), 'at_once_needs:build', " + REMEDY),
        ("leaves", "import sys\ndef build(r): ...\nsys.exit(2)", "cannot be imported (SystemExit: 2), 'at_once_leaves:build', " + REMEDY),
        ("hides", "def build(r): ...\ndel build", "cannot be imported (AttributeError: module 'at_once_hides' has no attribute 'build'), 'at_once_hides:build', " + REMEDY),
        ("number", "build = 3", "is not callable, 'at_once_number:build'"),
    ],
)  # fmt: skip
def test_an_application_is_imported_and_not_built(
    write: Write, refused: Refused, tmp_path: Path, name: str, code: str, what: str
) -> None:
    (tmp_path / f"at_once_{name}.py").write_text(code)
    application = f"application: {{python: 'at_once_{name}:build'}}\n"
    write(candidate=MANIFEST + application, a=SUITE + "route: anser\n")
    assert refused() == [
        f"candidate.yaml:5:23: the application's builder {what}",
        "golden_sets/a/suite.yaml:5:8: route 'anser' is not in desk@1.0.0, the release has no routes",
    ]


def test_validate_does_not_build_the_application_and_starts_no_service(write: Write, tmp_path: Path) -> None:
    code = "from pathlib import Path\ndef build(release): Path('built').touch()\nserve = build\n"
    (tmp_path / "at_once_sound.py").write_text(code)
    write(
        candidate=MANIFEST + "application: {python: 'at_once_sound:build'}\n"
        "services: [{python: 'at_once_sound:serve'}]\n"
    )
    assert CliRunner().invoke(validate, [], catch_exceptions=False).output.endswith("\nvalid\n")
    assert not (tmp_path / "built").exists()


def test_manifest_application_baseline_cases_and_suites_in_one_listing(
    write: Write, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "at_once_broken.py").write_text("def build(r): ...\n1 / 0\n")
    (tmp_path / "prompt.md").write_text("{{ question }} {{ evidence }}\n")
    write(
        candidate="manifest: 1\nrelease: desk\nversion: latest\nowner: 7\nownr: me\nbaseline: production.yaml\n"
        "artifacts:\n"
        "  model: {m: {version: v1, provider: local, id: m-2026-01-01}}\n"
        "  prompt:\n"
        "    here: {version: v1, path: prompt.md, variables: [question]}\n"
        "    gone: {version: v1, path: gone.md, variables: []}\n"
        'providers:\n  local: {base_url: "${AT_ONCE_URL}", requests_per_minute: many}\n'
        "routes:\n  answer: {chain: [local/mm]}\n"
        "application: {python: 'at_once_broken:build'}\n",
        production="manifest: 1\nrelease: desk\nversion: 0.9.0\nowner: me\nrolout: {}\n"
        "application: {recording: none.jsonl}\n",
        a="suite: a\nkind: goldn\nroute: anser\nscorers: [exct, contains]\ngates:\n  - {metric: tokns, at_most: 1}\n",
        b="suite: b\nkind: golden\nscorers: [exact]\nfaults: [refuse]\nslices: [lnag]\n",
        cases='{"id": "c1", "input": "q", "expected": "yes", "tags": {"lang": "de"}}\n'
        '{"id": "c1", "input": "q"}\n{"id": "c3", "expected": "yes"}\n',
        regressions='{"id": "r1", "input": "q", "expected": {"regx": "x"}}\n',
    )
    assert refused() == [
        "candidate.yaml:3:10: version moves with time, 'latest', pin it: a number, a date or a digest",
        'candidate.yaml:4:8: owner should be text, 7, write "7" in quotes',
        "candidate.yaml:5:1: unknown key 'ownr', did you mean 'owner'?",
        "candidate.yaml:11:31: no such file, 'gone.md', paths are relative to the manifest's folder",
        "candidate.yaml:13:21: variable AT_ONCE_URL is not set, set it in the environment",
        "candidate.yaml:13:60: providers.local.requests_per_minute should be a whole number, 'many', write a number",
        "candidate.yaml:15:20: unknown model 'mm', 'local/mm', did you mean 'm'?",
        f"candidate.yaml:16:23: the application's builder cannot be imported (ZeroDivisionError: division by zero), 'at_once_broken:build', {REMEDY}",
        *(
            line.format(name)
            for line in (
                "golden_sets/{}/cases.jsonl:2:8: duplicate id 'c1', the first is on line 1",
                "golden_sets/{}/cases.jsonl:3:1: the case has no input to ask, 'c3', add input, or gate a recording",
                "golden_sets/{}/regressions.jsonl:1:1: expected of 'r1' cannot be judged: unknown option 'regx', did you mean 'regex'?",
            )
            for name in ("a",)
        ),
        "golden_sets/a/suite.yaml:2:7: kind should be golden or safety or fallback, 'goldn', did you mean 'golden'?",
        "golden_sets/a/suite.yaml:3:8: route 'anser' is not in desk@latest, did you mean 'answer'?",
        "golden_sets/a/suite.yaml:4:11: unknown scorer 'exct', did you mean 'exact'?",
        "golden_sets/a/suite.yaml:6:5: a gate on a metric that no scorer reports, 'tokns', did you mean 'tokens'?",
        "golden_sets/b/cases.jsonl:2:8: duplicate id 'c1', the first is on line 1",
        "golden_sets/b/cases.jsonl:3:1: the case has no input to ask, 'c3', add input, or gate a recording",
        "golden_sets/b/regressions.jsonl:1:1: expected of 'r1' cannot be judged: unknown option 'regx', did you mean 'regex'?",
        "golden_sets/b/suite.yaml:4:1: 'faults' goes with kind fallback only, remove it",
        "golden_sets/b/suite.yaml:5:10: no case has the tag 'lnag', did you mean 'lang'?",
        "production.yaml:5:1: unknown key 'rolout', did you mean 'rollout'?",
        "production.yaml:6:26: no such file, 'none.jsonl', paths are relative to the manifest's folder",
        "prompt.md:1:16: template variable 'evidence' is not declared, add it to variables of prompt/here",
    ]


def test_the_baselines_manifest_and_application_are_checked(
    write: Write, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "at_once_old.py").write_text("build = 'text'\n")
    write(
        candidate=RECORDING + "baseline: production.yaml\n",
        production=MANIFEST + "application: {python: 'at_once_old:build'}\n",
    )
    assert refused() == [
        "production.yaml:5:23: the application's builder is not callable, 'at_once_old:build'"
    ]


def test_a_fallback_suite_of_a_recording_is_refused_at_its_kind(write: Write, refused: Refused) -> None:
    write(a="suite: s\nkind: fallback\nforce: hop\nroute: r\nscorers: [exact, {numeric: {rle: 1}}]\n")
    assert refused() == [
        "golden_sets/a/suite.yaml:2:7: a fallback suite needs an application that can be called, recording, use python or chat",
        "golden_sets/a/suite.yaml:5:29: scorer numeric: unknown option 'rle', did you mean 'rel'?",
    ]


def test_recorded_scores_and_a_broken_recording_come_with_the_rest(write: Write, refused: Refused) -> None:
    suite = SUITE + "  - {recorded: qualty}\n  - {recorded: {name: size, higher: 1}}\n"
    gates = "gates:\n  - {metric: qualty, at_least: 0.5}\n  - {metric: exat, at_least: 0.5}\n"
    write(a=suite + gates, answers='{"case_id": "c1", "output": "yes", "scores": {"quality": 1}}\n')
    rest = [
        "golden_sets/a/suite.yaml:6:29: scorer recorded: unknown option 'higher', there is higher_is_better, kind, name, value",
        "golden_sets/a/suite.yaml:9:5: a gate on a metric that no scorer reports, 'exat', did you mean 'exact'?",
    ]
    assert refused() == [
        "golden_sets/a/suite.yaml:5:6: no recording holds this score, 'qualty', did you mean 'quality'?",
        *rest,
    ]
    write(a=suite + gates, answers='{"case_id": "c1", "output": 3}\n')
    first, *others = refused()
    assert first.startswith("answers.jsonl:1:")
    assert others == rest


def test_validate_says_of_a_recording_what_a_run_says(write: Write, tmp_path: Path) -> None:
    write(answers='{"case_id": "c1", "output": "yes"}\n{"case_id": "c9", "output": "yes"}\n')
    cases = tmp_path / "golden_sets/a/cases.jsonl"
    cases.write_text(CASES + CASES.replace("c1", "c2"))
    output = CliRunner().invoke(validate, [], catch_exceptions=False).output
    options = RunOptions(
        manifest=Path("candidate.yaml"),
        manifest_given="candidate.yaml",
        golden_sets=Path("golden_sets"),
        rootdir=tmp_path,
        folder=tmp_path,
        environment={},
    )
    run = ReleaseRun(options)
    notes = [note for note in run.prepared.notes if "recording" in note]
    run.close()
    assert notes[:2] == [
        "the candidate's recording answers 1 case that no suite has: c9",
        "the candidate's recording holds nothing for 1 case: c2",
    ]
    for note in notes:
        assert f"note: {note}\n" in output


def test_a_golden_sets_conftest_that_cannot_be_imported_hides_nothing_else(
    write: Write, tmp_path: Path
) -> None:
    write(
        candidate=RECORDING + "ownr: me\n",
        a=SUITE + "  - of_the_project\n  - {contains: {anny: true}}\n"
        "gates:\n  - {metric: of_the_project, at_least: 0.5}\n  - {metric: exat, at_least: 0.5}\n",
    )
    (tmp_path / "golden_sets/conftest.py").write_text("import nothing_like_this\n")
    own, *others = sorted(validated(), key=lambda line: "conftest" not in line)
    assert own.startswith("golden_sets/conftest.py")
    assert "nothing_like_this" in own
    assert others == [
        "candidate.yaml:6:1: unknown key 'ownr', did you mean 'owner'?",
        "golden_sets/a/suite.yaml:6:17: scorer contains: unknown option 'anny', did you mean 'any'?",
        "golden_sets/a/suite.yaml:9:5: a gate on a metric that no scorer reports, 'exat', did you mean 'exact'?",
    ]


def test_an_unknown_suite_comes_with_the_rest(write: Write, tmp_path: Path) -> None:
    write(candidate=RECORDING + "ownr: me\n", a=SUITE + "  - {contains: {anny: true}}\n")
    options = RunOptions(
        manifest=Path("candidate.yaml"),
        manifest_given="candidate.yaml",
        golden_sets=Path("golden_sets"),
        rootdir=tmp_path,
        folder=tmp_path,
        environment={},
        suites=("gone",),
        baseline="nowhere.yaml",
    )
    with pytest.raises(InputError) as caught:
        ReleaseRun(options)
    assert [str(problem.place) for problem in caught.value.problems] == [
        "--baseline",
        "--suite",
        "candidate.yaml:6:1",
        "golden_sets/a/suite.yaml:5:17",
    ]


LONG = "x" * 5000


@pytest.mark.parametrize(
    "line",
    [
        'application: {recording: "a\\0b"}',
        'artifacts: {limits: {a: {version: "1", path: "a\\0b"}}}',
        f"baseline: {LONG}.yaml",
        f"suites: [{LONG}]",
        f'artifacts: {{application_code: {{a: {{version: "1", files: [{LONG}]}}}}}}',
    ],
    ids=["nul in a recording", "nul in an artifact", "long baseline", "long suite", "long file"],
)
def test_a_path_that_no_file_can_have_is_a_problem_at_its_place(
    write: Write, refused: Refused, line: str
) -> None:
    write(candidate=line + "\n" + (MANIFEST if line.startswith("application") else RECORDING))
    assert [problem.partition(":1:")[0] for problem in refused()] == ["candidate.yaml"]


def test_a_schema_that_no_file_can_be_is_a_problem_at_its_option(write: Write, refused: Refused) -> None:
    write(
        a=f'suite: s\nkind: golden\nscorers:\n  - {{json_schema: {{schema: "a\\0b.json"}}}}\n  - {{json_schema: {{schema: {LONG}.json, as: b}}}}\n'
    )
    first, second = refused()
    assert first.startswith(
        "golden_sets/a/suite.yaml:4:28: scorer json_schema: option 'schema': cannot read the schema"
    )
    assert second.startswith(
        "golden_sets/a/suite.yaml:5:28: scorer json_schema: option 'schema': cannot read the schema"
    )


CHAT = MANIFEST + (
    "application: {chat: answer}\nartifacts:\n"
    "  prompt: {answer: {version: v1, path: p.txt, variables: [question, tone, place]}}\n"
    '  model: {m: {version: "2026-01-01", id: m-2026-01-01, provider: p}}\n'
    'providers: {p: {base_url: "http://127.0.0.1:9/v1"}}\nroutes: {answer: {chain: [p/m]}}\n'
)


def test_a_variable_that_a_chat_cannot_fill_has_its_place_in_the_prompt(
    write: Write, refused: Refused, tmp_path: Path
) -> None:
    write(candidate=CHAT)
    (tmp_path / "p.txt").write_text("Be {{ tone }}.\n{{ question }}\n in {{ place }}, {{ tone }}\n")
    remedy = "use application: python for prompts with other variables"
    assert refused() == [
        f"p.txt:1:4: a chat application fills only {{{{ question }}}}, tone, {remedy}",
        f"p.txt:3:5: a chat application fills only {{{{ question }}}}, place, {remedy}",
    ]


def test_an_absolute_limit_on_a_quantile_needs_a_metric_without_a_bound(
    write: Write, refused: Refused
) -> None:
    write(
        a=SUITE + "gates:\n  - {metric: exact, quantile: 0.95, at_most: 0.5}\n"
        "  - {metric: latency, quantile: 0.95, at_most: 4000}\n  - {metric: tokens, at_most: 4000}\n"
        "  - {metric: cost_usd, quantile: 0.95, at_least: 0.5}\n"
    )
    assert refused() == [
        "golden_sets/a/suite.yaml:6:5: a quantile does not fit a metric of kind binary, 'exact', remove the quantile",
        "golden_sets/a/suite.yaml:7:5: a gate on a metric that no scorer reports, 'latency', did you mean 'latency_ms'?",
        "golden_sets/a/suite.yaml:8:5: at_most does not fit a metric of kind count, 'tokens', use ratio_at_most, or add a quantile",
        "golden_sets/a/suite.yaml:9:24: quantile goes with ratio_at_most and at_most only, use at_most",
        "golden_sets/a/suite.yaml:9:40: cost_usd is better when it is lower, so at_least makes no sense, use at_most or ratio_at_most",
    ]


def test_a_regression_case_that_expects_nothing_needs_a_scorer_that_can_judge_it(
    write: Write, refused: Refused
) -> None:
    case = '{"id": "r1", "input": "q"}\n'
    answers = '{"case_id": "c1", "output": "yes"}\n{"case_id": "r1", "output": "yes"}\n'
    write(regressions=case, answers=answers, a=SUITE + "  - regex\n  - tool_call\n  - refusal\n")
    assert refused() == [
        "golden_sets/a/regressions.jsonl:1:1: 'r1' says nothing that it expects, and no scorer of the suite can "
        'judge it without, add "expected", or a scorer that needs none'
    ]
    write(regressions=case, answers=answers, a=SUITE + "  - no_pii\n")
    assert CliRunner().invoke(validate, []).exit_code == 0


def test_a_recorded_score_that_cannot_be_of_its_kind_is_known_before_the_run(
    write: Write, refused: Refused
) -> None:
    write(
        answers='{"case_id": "c1", "scores": {"grade": 1.5, "share": 0.5, "words": -1}}\n',
        a="suite: s\nkind: golden\nscorers:\n  - {recorded: {name: grade, kind: binary}}\n"
        "  - {recorded: {name: share, kind: unit}}\n  - {recorded: {name: words, kind: count}}\n"
        "gates:\n  - {metric: words, at_least: 0.5}\n",
    )
    remedy = "a binary score is 0 or 1, a unit score lies in [0, 1], and none is negative"
    assert refused() == [
        f"golden_sets/a/suite.yaml:4:6: 1 of 1 recorded scores cannot be of kind binary, 1.5, {remedy}",
        f"golden_sets/a/suite.yaml:6:6: 1 of 1 recorded scores cannot be of kind count, -1, {remedy}",
        "golden_sets/a/suite.yaml:8:5: at_least does not fit a metric of kind count, 'words', use ratio_at_most",
    ]


def test_a_service_and_a_builder_that_cannot_be_called_with_the_release(
    write: Write, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "uncallable_desk.py").write_text(
        "def serve():\n    pass\ndef build(release, more):\n    pass\ndef good(release, more=1):\n    pass\nnumber = 3\n"
    )
    write(
        candidate=MANIFEST + 'application: {python: "uncallable_desk:build"}\nservices:\n'
        '  - {python: "uncallable_desk:serve"}\n  - {python: "uncallable_desk:good"}\n'
        '  - {python: "uncallable_desk:number"}\n'
    )
    assert refused() == [
        "candidate.yaml:5:23: the application's builder cannot be called with the release alone, "
        "'uncallable_desk:build', write it as def build(release)",
        "candidate.yaml:7:14: the service cannot be called with the release alone, 'uncallable_desk:serve', "
        "write it as def serve(release)",
        "candidate.yaml:9:14: the service is not callable, 'uncallable_desk:number'",
    ]


def test_a_judge_is_not_missed_in_a_manifest_whose_variables_are_unset(
    write: Write, refused: Refused
) -> None:
    """Its model and provider are in the manifest; that these cannot be read follows from what is named."""
    model = 'artifacts:\n  model: {referee: {version: "2026-01-01", provider: arbiter, id: referee-1}}\n'
    provider = 'providers:\n  arbiter: {base_url: "${NOBODY_SETS_THIS}"}\n'
    judge = "suite: s\nkind: golden\nscorers:\n  - judge: {rubric: rubric, model: arbiter/referee}\n"
    write(candidate=RECORDING + model + provider, a=judge + "gates: [{metric: judge, at_least: 0.5}]\n")
    problems = refused()
    assert [problem.split(": ", 1)[1] for problem in problems] == [
        "variable NOBODY_SETS_THIS is not set, set it in the environment"
    ]
