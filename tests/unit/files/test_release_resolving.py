"""What a resolved release holds, and what its digest depends on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from relgate.domain.errors import InputError
from relgate.domain.release import Release, Secret
from relgate.files import bind_environment, load_manifest, resolve_release

Resolve = Callable[..., Release]
SMALLEST = "manifest: 1\nrelease: a\nversion: '1'\nowner: me\napplication: {recording: rec.jsonl}\n"


def test_a_release_holds_what_was_digested(resolve: Resolve, project: Path) -> None:
    release = resolve()
    prompt = release.artifact("prompt", "answer")
    assert prompt.text == "{{ question }}\n\n{{evidence}}\n"
    assert prompt.path == (project / "prompts/answer.md").resolve()
    assert prompt.settings == {"variables": ["question", "evidence"]}
    assert release.artifact("model").settings == {"provider": "hosted", "id": "gpt-5-2026-04-30"}
    assert [str(hop) for hop in release.routes["answer"].chain] == ["hosted/answerer"]
    assert release.providers["hosted"].base_url == "${HOSTED_URL}"
    assert release.dependencies == {"vector_db": {"url": "http://vectors", "when_down": "keyword_search"}}
    assert "sk-not-shown" not in repr(release)


@pytest.mark.parametrize(
    "change",
    [
        ("release: support-desk", "release: other"),
        ("version: 1.3.0", "version: 1.3.1"),
        ("owner: support-ml", "owner: you"),
        ("baseline: production", "baseline: none"),
        ('"http://vectors"', '"http://elsewhere"'),
        ("region: eu}", "region: eu, max_concurrency: 3}"),
        ("variables: [", "owner: someone, changelog: words, variables: ["),
    ],
)
def test_the_digest_leaves_out_labels_and_addresses(resolve: Resolve, change: tuple[str, str]) -> None:
    assert resolve(change).digest == resolve().digest


@pytest.mark.parametrize(
    "change",
    [
        ("v14", "v15"),
        ("gpt-5-2026-04-30", "gpt-5-2026-05-01"),
        ("slot: green", "slot: blue"),
        ("keyword_search", "nothing"),
        ("allowed_regions: [eu]", "approved_for: [x], allowed_regions: [eu]"),
        ("dependencies:", "deterministic: true\ndependencies:"),
    ],
)
def test_the_digest_covers_what_changes_behaviour(resolve: Resolve, change: tuple[str, str]) -> None:
    assert resolve(change).digest != resolve().digest


def test_file_content_counts_and_its_spelling_does_not(resolve: Resolve, project: Path) -> None:
    before = resolve().digest
    (project / "help.json").write_text('{  "articles":\n [1, 2]}')
    assert resolve().digest == before
    (project / "help.json").write_text('{"articles": [1, 3]}')
    assert resolve().digest != before


def test_a_recording_counts_by_content_not_path(tmp_path: Path) -> None:
    digests = set()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.jsonl").write_text('{"case_id": "a"}\n')
        manifest = tmp_path / folder / "candidate.yaml"
        manifest.write_text(SMALLEST.replace("rec.jsonl", f"{folder}.jsonl"))
        digests.add(resolve_release(load_manifest(manifest), environment={}).digest)
    assert len(digests) == 1


def test_a_builder_counts_by_its_module_or_the_files_named(
    resolve: Resolve, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(project))
    app = project / "desk_app.py"
    app.write_text("def build(release):\n    return str\n")
    python = ("{chat: answer}", "{python: 'desk_app:build'}")
    named = (
        "  retrieval_corpus:",
        "  application_code:\n    app: {version: '1', files: [other.py]}\n  retrieval_corpus:",
    )
    (project / "other.py").write_text("A = 1\n")
    before, before_named = resolve(python), resolve(python, named)
    app.write_text("def build(release):\n    return repr\n")
    assert resolve(python).application.code_digest != before.application.code_digest
    assert resolve(python, named).digest == before_named.digest
    (project / "other.py").write_text("A = 2\n")
    assert resolve(python, named).digest != before_named.digest


def test_binding_puts_values_in_and_keeps_the_digest(resolve: Resolve) -> None:
    release = resolve()
    bound = bind_environment(release, {"HOSTED_URL": "http://127.0.0.1:9/v1", "HOSTED_KEY": "sk-secret"})
    assert bound.providers["hosted"].base_url == "http://127.0.0.1:9/v1"
    assert bound.providers["hosted"].api_key == Secret("sk-secret")
    assert bound.digest == release.digest
    with pytest.raises(InputError) as caught:
        bind_environment(release, {"HOSTED_URL": "127.0.0.1:9"})
    assert [str(problem).split(", ")[0] for problem in caught.value.problems] == [
        "candidate.yaml:17:22: should be an http or https address once its variables are put in",
        "candidate.yaml:17:48: variable HOSTED_KEY is not set",
    ]


def test_services_may_give_variables_later(resolve: Resolve) -> None:
    services = ("dependencies:", "services: [{python: 'json:loads'}]\ndependencies:")
    assert resolve(services, environment={}).services == ("json:loads",)


def test_registered_kinds_take_any_key_and_a_pinned_version(project: Path) -> None:
    path = project / "candidate.yaml"
    extra = "  my_rules:\n    a: {version: latest, own: 1}\n    b: {own: 1}\n  prompt:"
    path.write_text(path.read_text().replace("  prompt:", extra))
    environment = {"HOSTED_URL": "http://x", "HOSTED_KEY": "k"}
    with pytest.raises(InputError) as caught:
        resolve_release(load_manifest(path, extra_artifact_kinds=["my_rules"]), environment=environment)
    assert [problem.what for problem in caught.value.problems] == [
        "version moves with time",
        "'version' is missing in artifacts.my_rules.b",
    ]
    path.write_text(path.read_text().replace("latest", "v1").replace("    b: {own: 1}\n", ""))
    loaded = load_manifest(path, extra_artifact_kinds=["my_rules", "model"])
    assert resolve_release(loaded, environment=environment).artifact("my_rules").settings == {"own": 1}


def test_suites_are_found_beside_the_manifest_or_in_the_golden_sets(resolve: Resolve, project: Path) -> None:
    (project / "golden_sets/desk/a").mkdir(parents=True)
    (project / "golden_sets/desk/a/suite.yaml").write_text("")
    release = resolve(("dependencies:", "suites: [golden_sets/desk]\ndependencies:"))
    assert release.suites == (Path("golden_sets/desk"),)
    loaded = load_manifest(Path("candidate.yaml"))
    assert (
        resolve_release(loaded, environment={"HOSTED_URL": "http://x", "HOSTED_KEY": "k"}).suites is not None
    )


def test_a_folder_that_holds_none_of_the_golden_suites_is_named(resolve: Resolve, project: Path) -> None:
    (project / "golden_sets/desk").mkdir(parents=True)
    (project / "golden_sets/desk/suite.yaml").write_text("")
    (project / "elsewhere").mkdir()
    environment = {"HOSTED_URL": "http://x", "HOSTED_KEY": "k"}
    resolve(("dependencies:", "suites: [golden_sets/desk]\ndependencies:"))
    text = Path("candidate.yaml").read_text()
    for name, found in (("golden_sets", True), ("desk", True), ("elsewhere", False)):
        Path("candidate.yaml").write_text(text.replace("[golden_sets/desk]", f"[{name}]"))
        loaded, folder = load_manifest(Path("candidate.yaml")), project / "golden_sets"
        if found:
            assert resolve_release(loaded, environment=environment, golden_sets=folder).suites
            continue
        with pytest.raises(InputError) as caught:
            resolve_release(loaded, environment=environment, golden_sets=folder)
        (problem,) = caught.value.problems
        assert problem.what == "no suite of the golden-set folder lies in this folder"
