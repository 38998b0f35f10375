from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relgate.cli.options import age
from relgate.store.opening import open_registry
from relgate.usecases.inspect_registry import short_id_length


@pytest.fixture
def project(relgate, make, tmp_path) -> Path:
    """Three runs: 1.2.4 and 1.3.0 promoted, 1.3.1 rejected and promoted by waiver."""
    make.make(tmp_path / ".relgate" / "registry.db")
    return tmp_path


def test_status_says_who_is_in_production_and_what_to_do_next(relgate, project):
    result = relgate("status")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[0] == f"registry {project / '.relgate' / 'registry.db'}"
    assert lines[2] == "support-desk"
    assert lines[3].startswith("production support-desk@1.3.1 since 20")
    assert lines[3].endswith("by release-manager (waived)")
    assert lines[4] == "before: support-desk@1.3.0"
    assert lines[5].startswith("previous support-desk@1.3.0 since 20")
    assert "last run 2c3d4e5f6071 support-desk@1.3.1 2026-11-20 10:00, attempt 1" in lines
    assert any(line.startswith("verdict reject, decided ") for line in lines)
    assert "reason because of 2c3d4e5f6071" in lines
    assert any(
        line.startswith("waivers support-desk@1.3.1 production by release-manager on 20") for line in lines
    )
    assert lines[-1] == "next step nothing to do: it holds production", "what it lacked was waived"


def test_status_as_json(relgate, project):
    document = relgate("status", "--json").json
    assert document["registry"] == str(project / ".relgate" / "registry.db")
    (line,) = document["releases"]
    assert line["release"] == "support-desk"
    assert line["aliases"]["production"]["release"]["version"] == "1.3.1"
    assert line["last_run"]["decision"] == "reject"
    assert line["waivers"][0]["reason"] == "hotfix for the outage"
    assert line["age_seconds"] >= 0


@pytest.mark.parametrize("command", ["status", "history"])
def test_before_the_first_run_they_say_so_and_create_nothing(relgate, tmp_path, command):
    result = relgate(command)
    assert result.exit_code == 0
    assert "nothing has been recorded yet; `pytest --manifest candidate.yaml`" in result.output
    assert list(tmp_path.iterdir()) == []
    assert relgate("history", "--json").json == []


def test_status_proposes_to_promote_what_was_judged_well(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(make.run_record("run", make.release("1.0.0")))
    assert (
        "next step   relgate promote support-desk@1.0.0\n" in relgate("status", "--registry", "r.db").output
    )
    relgate("promote", "support-desk@1.0.0", "--registry", "r.db")
    assert "next step   nothing to do: " in relgate("status", "--registry", "r.db").output


def test_status_sends_nobody_on_with_a_hold_against_a_release_that_is_replaced(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        held = make.run_record(
            "held", make.release("1.4.0", prompt="v4"), baseline=make.release("1.3.0"), decision="hold"
        )
        registry.record(make.run_record("new", make.release("1.5.0", prompt="v5")))
        registry.promote("support-desk", "1.5.0", by="ann")
        registry.record(held)
    shown = " ".join(relgate("status", "--registry", "r.db").output.split())
    assert "judge the next version against support-desk@1.5.0, which holds production" in shown


def test_status_proposes_no_release_that_was_compared_with_what_is_replaced(relgate, make, tmp_path):
    first = make.release("1.0.0", prompt="v1")
    with open_registry(tmp_path / "r.db") as registry:
        for version, prompt in (("1.1.0", "v2"), ("1.2.0", "v3")):
            registry.record(make.run_record(version, make.release(version, prompt=prompt), baseline=first))
        registry.promote("support-desk", "1.1.0", by="ann")
    shown = " ".join(relgate("status", "--registry", "r.db").output.split())
    assert "judge support-desk@1.2.0 against support-desk@1.1.0, which holds production" in shown
    refused = relgate("promote", "support-desk@1.2.0", "--registry", "r.db")
    assert refused.exit_code == 1
    assert "--baseline production" in refused.errors


def test_history_lists_the_runs_newest_first(relgate, project):
    result = relgate("history")
    rows = [line.split() for line in result.output.splitlines()]
    assert rows[0] == ["run", "when", "release", "decision", "attempt", "partial", "baseline", "cases"]
    assert [row[0] for row in rows[2:]] == ["2c3d4e5f6071", "1b2c3d4e5f60", "0a1b2c3d4e5f"]
    assert "support-desk@1.3.1" in result.output
    assert "1 hit, 1 miss, 1 regressed, 1 fixed" in result.output


def test_history_as_json_is_a_list_of_all_runs(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        for number in range(60):
            registry.record(make.run_record(f"run-{number}", make.release("1.0.0"), rows=[]))
    runs = relgate("history", "--json", "--registry", "r.db").json
    assert [run["id"] for run in runs] == [f"run-{number}" for number in reversed(range(60))]
    assert runs[0]["release"] == {
        "name": "support-desk",
        "version": "1.0.0",
        "digest": make.release("1.0.0").digest,
    }
    assert runs[0]["decision"] == "promote"
    assert runs[0]["partial"] is False
    assert len(relgate("history", "--json", "--limit", "3", "--registry", "r.db").json) == 3


def test_history_of_one_release(relgate, project):
    assert "no run of 'other-desk'" in relgate("history", "--release", "other-desk").output
    assert len(relgate("history", "--release", "support-desk", "--json").json) == 3


def test_history_tells_runs_with_alike_ids_apart(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        for number in (1, 2):
            registry.record(make.run_record(f"20261120-1000-{number}", make.release("1.0.0"), rows=[]))
    output = relgate("history", "--registry", "r.db").output
    assert "20261120-1000-1" in output
    assert "20261120-1000-2" in output
    assert short_id_length(["aaaaaaaaaa", "bbbbbbbbbb"]) == 15


def test_show_begins_with_the_verdict(relgate, project):
    result = relgate("show", "2c3d")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[:3] == [
        "REJECT support-desk@1.0.0 without a baseline",
        "reason because of 2c3d4e5f6071",
        "next next after 2c3d4e5f6071",
    ]
    assert "suspect prompt/support_answer v13@0a1b2c3d4e5f v14@1b2c3d4e5f60 support-golden" in lines
    assert any(
        line.startswith("waived support-desk@1.3.1, 20") and "by release-manager: hotfix" in line
        for line in lines
    )
    gate = "failed require support-golden exact:non_inferior:0.05 -1.0 points [-4.0, +2.0] 4"
    assert gate in lines
    assert "support-golden exact 50.00 % 50.00 % +0.00 [-4.0, +4.0] 4" in lines
    assert "support-golden refund-002 (exact 100 points short of the best)" in lines


def test_show_of_what_was_promoted_since_does_not_propose_it_again(relgate, make, tmp_path):
    where = ("--registry", "r.db")
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(make.run_record("run", make.release("1.0.0")))
    assert "next    relgate promote support-desk@1.0.0" in relgate("show", "run", *where).output
    relgate("promote", "support-desk@1.0.0", *where)
    assert "next    nothing to do: it holds production" in relgate("show", "run", *where).output


def test_show_as_json_holds_the_scorecard(relgate, project, make):
    document = relgate("show", "2c3d", "--json").json
    assert document["id"] == "2c3d4e5f6071"
    assert document["scorecard"]["verdict"]["decision"] == "reject"
    assert document["waivers"][0]["reason"] == "hotfix for the outage"


def test_show_case_has_both_answers_and_the_line_that_runs_it_again(relgate, project):
    result = relgate("show", "2c3d", "refund-002")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[0] == "case refund-002 of support-golden"
    assert "outcome regressed" in lines
    assert "expected 14 days" in lines
    candidate = lines.index("candidate, trial 0, served by hosted_a/answerer, 12.5 ms")
    baseline = lines.index("baseline, trial 0, served by hosted_a/answerer, 12.5 ms")
    assert lines[candidate + 1] == "answer Ask <EMAIL_0a1b2c>."
    assert lines[baseline + 1] == "answer You get it back in 14 days."
    assert "scores citations 1, exact 0" in lines
    again = "pytest --manifest candidate.yaml 'golden_sets/support_desk/golden/cases.jsonl::refund-002'"
    assert lines[-1] == f"run it again: {again}"


def test_show_case_says_when_a_scorer_failed(relgate, project):
    assert "citations scorer failed" in relgate("show", "2c3d", "refund-003").output


def test_show_case_as_json(relgate, project):
    (shown,) = relgate("show", "2c3d", "refund-002", "--json").json
    assert (shown["run"], shown["suite"], shown["outcome"]) == ("2c3d4e5f6071", "support-golden", "regressed")
    assert len(shown["measurements"]) == 4
    assert shown["measurements"][0]["scores"] == {"citations": 1.0, "exact": 0.0}


def test_a_regression_case_is_run_again_from_its_own_file(relgate, project):
    folder = project / "golden_sets" / "support_desk" / "golden"
    folder.mkdir(parents=True)
    (folder / "cases.jsonl").write_text('{"id": "refund-001"}\n')
    (folder / "regressions.jsonl").write_text('{"id": "refund-002"}\n')
    assert "golden/regressions.jsonl::refund-002'" in relgate("show", "2c3d", "refund-002").output
    assert "golden/cases.jsonl::refund-001'" in relgate("show", "2c3d", "refund-001").output


def test_what_a_model_answers_cannot_steer_the_terminal(relgate, make, tmp_path):
    row = replace(make.measurements(1, 1)[0], output="\x1b[2Jgone\r\nsecond line")
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(make.run_record("run", make.release("1.0.0"), rows=[row]))
    output = relgate("show", "run", "refund-000", "--registry", "r.db").output
    assert "\x1b" not in output
    assert "\ufffd[2Jgone" in output


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("show", "ffff"),
            "there is no run, version, alias or digest 'ffff' in this registry; there are support",
        ),
        (("show", "2c3d4e5f6081"), "in this registry; did you mean 2c3d4e5f6071, "),
        (("diff", "1.2.5", "1.3.0"), "'1.2.5' in this registry; did you mean support-desk@1.2.4, support"),
        (("show", "2c3d", "refund-009"), "measured no case 'refund-009'; did you mean refund-00"),
        (("diff", "support-desk@9.9.9", "production"), "there is no release 'support-desk@9.9.9'"),
        (("diff", "staging", "production"), "there is no run, version, alias or digest 'staging'"),
    ],
)
def test_what_is_unknown_is_refused_with_exit_status_1(relgate, project, arguments, error):
    result = relgate(*arguments)
    assert result.exit_code == 1
    assert error in result.errors
    assert result.output == ""


def test_usage_errors_have_exit_status_2(relgate, project):
    assert relgate("show").exit_code == 2
    assert relgate("history", "--limit", "none").exit_code == 2


def test_a_file_that_is_no_registry_is_refused_without_a_traceback(relgate, tmp_path):
    (tmp_path / "notes.txt").write_text("no database" * 200)
    result = relgate("status", "--registry", "notes.txt")
    assert result.exit_code == 1
    assert result.errors.startswith("error: registry ")
    assert len(result.errors.splitlines()) == 1


@pytest.mark.parametrize("old", ["support-desk@1.2.4", "1.2.4", "0a1b"])
@pytest.mark.parametrize(
    "new",
    ["support-desk@1.3.0", "1.3.0", "1b2c", "previous", "support-desk@previous", "DIGEST", "LINE-DIGEST"],
)
def test_diff_takes_versions_runs_aliases_and_digests(relgate, project, old, new):
    with open_registry(project / ".relgate" / "registry.db") as registry:
        digest = registry.release("support-desk", "1.3.0").digest.removeprefix("sha256:")
    new = new.replace("LINE-DIGEST", f"support-desk@{digest[:60]}").replace("DIGEST", digest[:60])
    result = relgate("diff", old, new)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[0].startswith("from support-desk@1.2.4 (")
    assert lines[1].startswith("to support-desk@1.3.0 (")
    assert len(lines) == 6
    assert lines[-1].startswith("changed prompt/support_answer v14 (")


def test_a_version_that_two_releases_have_is_refused_with_both_names(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        for name in ("support-desk", "sales-desk"):
            release = make.release("1.0.0", name=name)
            registry.record(make.run_record(f"run-{name}", release, rows=[]))
    result = relgate("diff", "1.0.0", "support-desk@1.0.0", "--registry", "r.db")
    assert result.exit_code == 1
    said = "'1.0.0' matches several releases; say which: sales-desk@1.0.0, support-desk@1.0.0"
    assert said in result.errors


def test_a_digest_that_two_contents_of_one_version_begin_with_is_refused_with_both_digests(
    relgate, make, tmp_path
):
    twins = [make.release("1.0.0", seed=seed) for seed in ("a", "b")]
    twins = [replace(twin, digest=f"sha256:abcdef{number:0<58}") for number, twin in enumerate(twins)]
    with open_registry(tmp_path / "r.db") as registry:
        for number, twin in enumerate(twins):
            registry.record(make.run_record(f"run-{number}", twin, rows=[]))
    result = relgate("diff", "abcdef", "1.0.0", "--registry", "r.db")
    assert "say which: support-desk@abcdef000000, support-desk@abcdef100000" in result.errors
    older = relgate("diff", "support-desk@abcdef000000", "1.0.0", "--registry", "r.db", "--json").json
    assert older["from"]["digest"] == twins[0].digest
    assert older["to"]["digest"] == twins[1].digest, "a version is the digest that was judged last"


@pytest.mark.parametrize("reference", ["support-desk@1.3.1", "1.3.1", "production"])
def test_show_takes_a_release_and_shows_its_newest_run(relgate, project, reference):
    assert relgate("show", reference, "--json").json["id"] == "2c3d4e5f6071"
    assert relgate("show", reference, "refund-002", "--json").json[0]["run"] == "2c3d4e5f6071"


def test_show_of_a_release_that_was_only_compared_with_says_so(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        baseline = make.release("1.0.0")
        registry.record(make.run_record("run", make.release("1.1.0"), baseline=baseline, rows=[]))
    result = relgate("show", "1.0.0", "--registry", "r.db")
    assert "no run has judged support-desk@1.0.0: it was only compared with" in result.errors


def _two_in_production_one_after_the_other(relgate, make, path):
    with open_registry(path) as registry:
        before = registry.alias("production", "support-desk")
        for number in (0, 1):
            release = make.release(f"1.{number}.0")
            registry.record(make.run_record(f"run-{number}", release, baseline=before, rows=[]))
            before = release
    for version in ("1.0.0", "1.1.0"):
        relgate("promote", version, "--by", "ann", "--registry", path.name)


def test_after_the_way_back_status_says_what_came_back_why_and_never_proposes_what_was_fled(
    relgate, make, tmp_path
):
    _two_in_production_one_after_the_other(relgate, make, tmp_path / "r.db")
    assert "next step   nothing to do: " in relgate("status", "--registry", "r.db").output
    back = ("promote", "previous", "--by", "ben", "--reason", "refunds fail, ask jo@example.com")
    assert relgate(*back, "--registry", "r.db").exit_code == 0
    lines = [" ".join(line.split()) for line in relgate("status", "--registry", "r.db").output.splitlines()]
    held = lines.index("support-desk") + 1
    assert lines[held].startswith("production support-desk@1.0.0 since 20")
    assert "by ben: refunds fail, ask <EMAIL_" in lines[held]
    assert lines[held + 1] == "before: support-desk@1.1.0"
    assert lines[-1] == (
        "next step mend what support-desk@1.1.0 was taken out of production for, "
        "then judge the next version; "
        "support-desk@1.0.0 is in production"
    )


def test_what_was_fled_is_not_proposed_after_a_second_way_back_either(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(make.run_record("run", make.release("0.9.0"), rows=[]))
    relgate("promote", "0.9.0", "--registry", "r.db")
    _two_in_production_one_after_the_other(relgate, make, tmp_path / "r.db")
    for version in ("1.0.0", "0.9.0"):
        assert relgate("promote", version, "--registry", "r.db").exit_code == 0
    line = relgate("status", "--registry", "r.db", "--json").json["releases"][0]
    assert line["aliases"]["previous"]["release"]["version"] == "1.0.0"
    assert line["aliases"]["production"]["before"]["version"] == "1.0.0"
    assert line["next_step"].startswith("mend what support-desk@1.1.0 was taken out of production for")


def test_a_better_release_after_the_way_back_is_proposed(relgate, make, tmp_path):
    _two_in_production_one_after_the_other(relgate, make, tmp_path / "r.db")
    relgate("promote", "1.0.0", "--registry", "r.db")
    with open_registry(tmp_path / "r.db") as registry:
        held = registry.alias("production", "support-desk")
        registry.record(make.run_record("run-2", make.release("1.1.1"), baseline=held, rows=[]))
    output = relgate("status", "--registry", "r.db").output
    assert "next step   relgate promote support-desk@1.1.1\n" in output


def test_diff_as_json_says_what_was_added_removed_and_changed(relgate, make, tmp_path):
    old, new = make.release("1.0.0"), make.release("1.1.0", prompt="v15")
    extra = replace(new.artifacts[0], kind="reranker", name="fused")
    new = replace(new, artifacts=(*new.artifacts[1:], extra))
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(make.run_record("run", new, baseline=old, rows=[]))
    arguments = ("diff", "support-desk@1.0.0", "support-desk@1.1.0", "--json", "--registry", "r.db")
    document = relgate(*arguments).json
    assert [(change["change"], change["kind"]) for change in document["changes"]] == [
        ("removed", "model"),
        ("changed", "prompt"),
        ("added", "reranker"),
    ]
    assert document["changes"][1]["to"] == {"version": "v15", "digest": make.digest("v15")}
    assert document["from"]["version"] == "1.0.0"


def test_diff_of_equal_releases_and_of_releases_that_differ_in_no_artifact(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(
            make.run_record("run", make.release("1.0.0"), baseline=make.release("1.1.0", seed="x"), rows=[])
        )
    where = ("--registry", "r.db")
    same = relgate("diff", "support-desk@1.0.0", "run", *where)
    assert "nothing differs: equal digests" in same.output
    other = relgate("diff", "support-desk@1.0.0", "support-desk@1.1.0", *where)
    assert "routes, dependencies or the application changed" in other.output


def test_diff_takes_manifests_and_then_needs_no_registry(relgate, tmp_path):
    for version, text in (("1.0.0", "Answer."), ("1.0.1", "Answer, and cite.")):
        (tmp_path / f"{version}.md").write_text(text)
        (tmp_path / f"{version}.jsonl").write_text('{"case_id": "a", "output": "b"}\n')
        (tmp_path / f"{version}.yaml").write_text(
            f"manifest: 1\nrelease: desk\nversion: {version}\nowner: me\n"
            f"application: {{recording: {version}.jsonl}}\n"
            f"artifacts: {{prompt: {{answer: {{version: v{version[-1]}, path: {version}.md}}}}}}\n"
        )
    result = relgate("diff", "1.0.0.yaml", "1.0.1.yaml", "--json")
    assert result.exit_code == 0, result.errors
    assert [change["name"] for change in result.json["changes"]] == ["answer"]
    assert not (tmp_path / ".relgate").exists()


def test_a_pipe_gets_plain_text(project, tmp_path):
    command = ["relgate", "history", "--json"]
    code = f"import sys; sys.argv = {command!r}; from relgate.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert len(json.loads(result.stdout)) == 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "at an unknown time"),
        (5, "just now"),
        (60, "1 minute ago"),
        (7300, "2 hours ago"),
        (90000, "1 day ago"),
    ],
)
def test_ages_are_told_in_the_largest_unit(seconds, text):
    assert age(seconds) == text


def test_the_age_of_a_decision_counts_from_when_the_run_finished(relgate, make, tmp_path):
    finished = (datetime.now(UTC) - timedelta(hours=3, minutes=5)).isoformat()
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(make.run_record("run", make.release("1.0.0"), finished=finished))
    assert "promote, decided 3 hours ago" in relgate("status", "--registry", "r.db").output


def test_show_of_a_release_prefers_the_whole_run_and_names_a_newer_part(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(make.run_record("whole", make.release("1.0.0")))
        registry.record(make.run_record("part", make.release("1.0.0"), partial=True))
    where = ("--registry", "r.db")
    newer = "newer, but only a part of the cases: relgate show part\n"
    shown = relgate("show", "1.0.0", *where).output
    assert "one case with both answers: relgate show whole CASE\n" in shown
    assert shown.endswith(newer)
    assert relgate("show", "1.0.0", "--json", *where).json["id"] == "whole"
    assert newer not in relgate("show", "whole", *where).output
    assert relgate("show", "part", "--json", *where).json["id"] == "part"


def test_show_of_a_release_prefers_the_run_that_compared_it_with_another_one(relgate, make, tmp_path):
    release, before = make.release("1.1.0", prompt="v2"), make.release("1.0.0")
    with open_registry(tmp_path / "r.db") as registry:
        for name, baseline in (("against-before", before), ("against-itself", release)):
            registry.record(make.run_record(name, release, baseline=baseline))
    assert relgate("show", "1.1.0", "--json", "--registry", "r.db").json["id"] == "against-before"


def test_an_id_that_only_has_the_form_of_a_runs_proposes_no_run(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        for name in ("20260518-101500-a1b2c3", "20260519-172210-0f9e8d"):
            registry.record(make.run_record(name, make.release("1.0.0")))
    far = relgate("show", "20250102-030405", "--registry", "r.db").errors
    assert "'20250102-030405' in this registry; there are support-desk@1.0.0" in far
    near = relgate("show", "20260518-101501", "--registry", "r.db").errors
    assert "did you mean 20260518-101500-a1b2c3?" in near


def test_show_of_a_release_with_parts_alone_shows_the_newest(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        for name in ("part-1", "part-2"):
            registry.record(make.run_record(name, make.release("1.0.0"), partial=True))
    shown = relgate("show", "1.0.0", "--json", "--registry", "r.db")
    assert shown.json["id"] == "part-2"
    assert "newer" not in relgate("show", "1.0.0", "--registry", "r.db").output


def test_the_next_step_of_status_can_be_typed_as_it_stands(relgate, make, tmp_path):
    record = make.run_record("run-1", make.release("1.0.0"), decision="reject")
    verdict = dict(record.scorecard["verdict"]) | {
        "next_step": "look at the worst cases: `relgate show RUN CASE`"
    }
    fall = {
        "suite": "s",
        "case_id": "refund-001",
        "input": "",
        "expected": "",
        "candidate": "",
        "baseline": "",
    }
    worst = [fall | {"difference": -1.0, "metrics": {}}]
    card = dict(record.scorecard) | {"verdict": verdict, "worst": worst}
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(replace(record, scorecard=card))
    assert "`relgate show run-1 refund-001`" in relgate("status", "--registry", "r.db").output


def _screen(make, run_id: str, *, clear: bool, decision: str = "hold", part: bool = False):
    record = make.run_record(run_id, make.release("1.4.0"), decision=decision, partial=True)
    record.scorecard["verdict"] |= {"screen": True, "partial": part}
    if clear:
        record.scorecard["verdict"]["reason"] = "screen: nothing found"
    return replace(record, exit_status=0 if clear else record.exit_status)


@pytest.mark.parametrize(
    ("clear", "decision", "said"),
    [
        (True, "hold", "screen: nothing found"),
        (False, "hold", "screen: hold"),
        (False, "reject", "screen: reject"),
    ],
)
def test_a_screen_is_no_verdict_in_history_and_status(relgate, make, tmp_path, clear, decision, said):
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(_screen(make, "screen-1", clear=clear, decision=decision))
    [row] = relgate("history", "--registry", "r.db").output.splitlines()[2:]
    assert said in " ".join(row.split())
    assert "partial" not in row
    lines = [" ".join(line.split()) for line in relgate("status", "--registry", "r.db").output.splitlines()]
    assert any(line.startswith(f"verdict {said}, decided ") for line in lines)
    [run] = relgate("history", "--json", "--registry", "r.db").json
    assert (run["screen"], run["decision"], run["partial"]) == (True, decision, True)
    shown = relgate("show", "screen-1", "--registry", "r.db").output
    assert shown.strip().startswith(f"{decision.upper()} (screen)")


def test_a_part_of_a_screen_is_shown_as_both(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(_screen(make, "screen-1", clear=False, part=True))
    assert (
        relgate("show", "screen-1", "--registry", "r.db")
        .output.strip()
        .startswith("HOLD (screen, partial run)")
    )


def test_a_part_of_the_cases_is_no_screen(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(make.run_record("part", make.release("1.4.0"), decision="hold", partial=True))
    [row] = relgate("history", "--registry", "r.db").output.splitlines()[2:]
    assert "hold" in row
    assert "screen" not in row
    assert "partial" in row


def test_show_names_a_newer_screen_as_one(relgate, make, tmp_path):
    with open_registry(tmp_path / "r.db") as registry:
        registry.record(make.run_record("whole", make.release("1.4.0")))
        registry.record(_screen(make, "newer", clear=True))
    output = relgate("show", "1.4.0", "--registry", "r.db").output
    assert "newer, but only a screen: relgate show newer" in output


def test_history_of_an_alias_lists_its_moves_newest_first(relgate, project):
    lines = [
        " ".join(line.split()) for line in relgate("history", "--alias", "production").output.splitlines()
    ]
    assert lines[0] == "when line from to by reason"
    assert len(lines) == 5
    newest, middle, first = lines[2:]
    assert newest.endswith(
        "support-desk support-desk@1.3.0 support-desk@1.3.1 release-manager hotfix for the outage (waived)"
    )
    assert middle.endswith("support-desk@1.2.4 support-desk@1.3.0 release-manager canary was calm")
    assert first.endswith("support-desk nobody support-desk@1.2.4 release-manager")
    assert newest.startswith("20")
    assert len(relgate("history", "--alias", "previous").output.splitlines()) == 4


def test_history_of_an_alias_as_json(relgate, project, make):
    newest, middle, first = relgate("history", "--alias", "production", "--json").json
    assert newest["when"] >= middle["when"] >= first["when"]
    assert newest | {"when": ""} == {
        "when": "",
        "line": "support-desk",
        "alias": "production",
        "from": {
            "name": "support-desk",
            "version": "1.3.0",
            "digest": make.release("1.3.0", prompt="v15").digest,
        },
        "to": {
            "name": "support-desk",
            "version": "1.3.1",
            "digest": make.release("1.3.1", prompt="v16").digest,
        },
        "by": "release-manager",
        "reason": "hotfix for the outage",
        "waived": True,
    }
    assert first["from"] is None
    assert relgate("history", "--alias", "production", "--json", "--limit", "1").json == [newest]
    assert relgate("history", "--alias", "production", "--json", "--release", "other-desk").json == []


def test_history_of_an_alias_that_nobody_moved_names_those_that_were(relgate, project, tmp_path):
    assert (
        relgate("history", "--alias", "prod").output
        == "no move of 'prod' has been recorded; there are previous, production\n"
    )
    nothing = relgate("history", "--alias", "production", "--registry", "elsewhere.db")
    assert (nothing.exit_code, nothing.output) == (0, "no move of 'production' has been recorded\n")
