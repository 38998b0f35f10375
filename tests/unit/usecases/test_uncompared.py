"""A release that names no baseline does not replace another one in production unseen."""

from __future__ import annotations

import json
from pathlib import Path

from relgate.store import open_registry
from relgate.usecases.options import RunOptions
from relgate.usecases.run_release import ReleaseRun

MANIFEST = """manifest: 1
release: desk
version: "{version}"
owner: team
baseline: none
application: {{recording: {version}.jsonl}}
"""
SUITE = "suite: mine\nkind: golden\nscorers: [exact]\ngates:\n  - {metric: exact, at_least: 0.5}\n"


def judge(folder: Path, version: str, says: str) -> str:
    suite = folder / "golden_sets" / "mine"
    suite.mkdir(parents=True, exist_ok=True)
    (suite / "suite.yaml").write_text(SUITE)
    cases = [{"id": f"c{i}", "input": f"question {i}", "expected": "yes"} for i in range(40)]
    (suite / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    rows = [{"case_id": f"c{i}", "output": "yes" if i % 4 else says} for i in range(40)]
    (folder / f"{version}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / f"{version}.yaml").write_text(MANIFEST.format(version=version))
    options = RunOptions(
        manifest=folder / f"{version}.yaml",
        golden_sets=folder / "golden_sets",
        rootdir=folder,
        folder=folder,
        registry=f"sqlite:///{folder}/registry.db",
        environment={},
    )
    run = ReleaseRun(options)
    try:
        run.start({("mine", f"c{i}") for i in range(40)})
        for i in range(40):
            run.case("mine", f"c{i}")
        verdict = run.conclude().scorecard.verdict
    finally:
        run.close()
    return f"{verdict.decision}: {verdict.reason}; {verdict.next_step}"


def test_a_release_without_a_baseline_holds_where_another_one_holds_production(tmp_path: Path) -> None:
    assert judge(tmp_path, "1.0.0", "yes").startswith("promote")
    assert judge(tmp_path, "1.1.0", "no").startswith("promote"), "nobody holds production yet"
    with open_registry(tmp_path / "registry.db") as registry:
        registry.promote("desk", "1.0.0", by="ann")
    held = judge(tmp_path, "1.2.0", "maybe")
    assert held.startswith("hold: desk@1.0.0 holds production, and `baseline: none` compared nothing with it")
    assert "--baseline production" in held
