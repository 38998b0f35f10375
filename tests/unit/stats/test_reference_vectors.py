from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def load_reference():
    spec = importlib.util.spec_from_file_location("relgate_reference", ROOT / "tests" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = load_reference()
TIES = {"both_pass": 18, "cand_only": 0, "base_only": 0, "both_fail": 2}


def vector(vector_id, given, expected, tol=1e-9):
    return {"id": vector_id, "input": given, "expected": expected, "tol": tol}


def run(tmp_path, capsys, *vectors):
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps({"vectors": list(vectors)}))
    code = reference.main([str(path)])
    return code, capsys.readouterr().out


@pytest.mark.shared_data
def test_every_recorded_vector_agrees(capsys, shared_vectors):
    vectors = shared_vectors / "statistics.json"
    assert reference.main([str(vectors)]) == 0
    out = capsys.readouterr().out
    total = len(json.loads(vectors.read_text())["vectors"])
    assert f"{total} vectors: {total} ok, 0 miss" in out


def test_the_command_prints_one_aligned_row_for_each_vector(tmp_path, capsys):
    code, out = run(
        tmp_path,
        capsys,
        vector("zero_violation_n/0.05", {"p0": 0.05, "alpha": 0.05}, {"n": 59}, 0),
        vector("mcnemar_two_sided/McNemar_midP/a", TIES, {"p": 1.0}),
    )
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines[:3]] == [
        "id",
        "zero_violation_n/0.05",
        "mcnemar_two_sided/McNemar_midP/a",
    ]
    assert len({line.rindex(word) for line, word in zip(lines[1:3], ("ok", "ok"), strict=True)}) == 1
    assert lines[-1] == "2 vectors: 2 ok, 0 miss"


def test_a_wrong_expectation_is_a_miss(tmp_path, capsys):
    good = vector("floor_binom_greater/a", {"x": 99, "n": 100, "p0": 0.95}, {"p": 0.037081209327})
    bad = vector("floor_binom_greater/b", {"x": 99, "n": 100, "p0": 0.95}, {"p": 0.037081212})
    code, out = run(tmp_path, capsys, good, bad)
    assert code == 1
    assert "MISS" in next(line for line in out.splitlines() if line.startswith("floor_binom_greater/b"))
    assert "2 vectors: 1 ok, 1 miss" in out


def test_each_vector_is_judged_by_its_own_tolerance(tmp_path, capsys):
    given, near = {"x": 99, "n": 100, "p0": 0.95}, {"p": 0.0371}
    loose, strict = (vector("floor_binom_greater/x", given, near, tol) for tol in (1e-4, 1e-6))
    assert run(tmp_path, capsys, loose)[0] == 0
    assert run(tmp_path, capsys, strict)[0] == 1


@pytest.mark.parametrize(
    ("vector_id", "given", "expected"),
    [
        ("clopper_pearson/0/59", {"x": 0, "n": 59}, {"one_sided95_upper": 0.049507609888}),
        ("clopper_pearson/all", {"x": 20, "n": 20}, {"two_sided95": [1 - 0.168433470983, 1.0]}),
        ("order_stat_upper/n", {"n": 58, "p": 0.95, "alpha_one_sided": 0.05}, {"rank_1based_or_none": None}),
        (
            "paired_ci/Tango_asymptotic_score_CI_paired_2x2/ties",
            {**TIES, "alpha_two_sided": 0.05, "effect": "cand-base"},
            {"upper": 0.1611251581},
        ),
        (
            "cluster_mean/labels",
            {"y": [0.0, 0.2, 0.4, 0.2], "cluster": ["a", 7, 2.5, [1, 2]]},
            {"mean": 0.2, "se_CR2": 0.0816496580928, "df_satterthwaite_CR2": 3.0},
        ),
        ("cluster_mean/flat", {"y": [1, 1], "cluster": [1, 2]}, {"se_CR2": 0.0, "p_two_sided_CR2": None}),
        ("p_adjust/holm/short", {"p": [0.04, 0.01]}, {"adjusted": [0.04, 0.02]}),
        (
            "group_sequential/hsd1/K=1",
            {"K": 1, "alpha_one_sided": 0.025, "info": "equally spaced"},
            {"z": [1.959963984540054]},
        ),
        ("zero_violation_n/x", {"p0": 0.5, "alpha": 0.25}, {"n": 2}),
        ("harrell_davis/one", {"x": [3], "p": 0.5}, {"q": 3.0, "se_jackknife": None}),
        ("mcnemar_two_sided/McNemar_midP/even", {**TIES, "cand_only": 1, "base_only": 1}, {"p": 0.5}),
    ],
)
def test_partial_and_unusual_vectors_are_computed(tmp_path, capsys, vector_id, given, expected):
    code, out = run(tmp_path, capsys, vector(vector_id, given, expected))
    assert code == 0, out


@pytest.mark.parametrize(
    ("vector_id", "given", "expected"),
    [
        ("wilcoxon/1", {}, {"p": 0.1}),
        ("mcnemar_two_sided/McNemar_exact/1", TIES, {"p": 1.0}),
        ("clopper_pearson", {"x": 5, "n": 3}, {"one_sided95_upper": 0.1}),
        ("clopper_pearson/short", {"x": 5}, {"one_sided95_upper": 0.1}),
        ("clopper_pearson/key", {"x": 1, "n": 3}, {"bayes": 0.1}),
        ("floor_binom_greater/nan", {"x": 1, "n": 3, "p0": 0.5}, {"p": float("nan")}),
        ("p_adjust/holm", {"p": [0.04, 0.01]}, {"adjusted": [0.04]}),
        ("order_stat_upper/n", {"n": 58, "p": 0.95, "alpha_one_sided": 0.05}, {"rank_1based_or_none": 58}),
    ],
)
def test_what_cannot_be_computed_is_a_miss(tmp_path, capsys, vector_id, given, expected):
    code, out = run(tmp_path, capsys, vector(vector_id, given, expected))
    assert code == 1
    assert "1 vectors: 0 ok, 1 miss" in out


def test_a_method_that_is_missing_is_a_miss(tmp_path, capsys):
    code, out = run(
        tmp_path,
        capsys,
        vector("group_sequential/pocock/K=3", {}, {"z": [1.0]}),
        vector("zero_violation_n/0.05", {"p0": 0.05, "alpha": 0.05}, {"n": 59}, 0),
    )
    assert code == 1
    assert "2 vectors: 1 ok, 1 miss" in out


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"vectors": []}',
        '{"vectors": [1]}',
        '{"vectors": [{"id": "power/x"}]}',
        '{"vectors": [{"id": "power/x", "input": {}, "expected": {"n": 1}, "tol": -1}]}',
        '{"vectors": [{"id": "power/x", "input": {}, "expected": {}, "tol": 1}]}',
    ],
)
def test_an_unusable_file_is_exit_two(tmp_path, capsys, content):
    path = tmp_path / "vectors.json"
    path.write_text(content)
    assert reference.main([str(path)]) == 2
    assert "error" in capsys.readouterr().err


def test_a_missing_file_and_missing_arguments_are_exit_two(tmp_path, capsys):
    assert reference.main([str(tmp_path / "none.json")]) == 2
    assert reference.main(["one.json", "two.json"]) == 2
    assert "usage" in capsys.readouterr().err


def test_it_runs_as_a_command_of_its_own(tmp_path):
    path = tmp_path / "vectors.json"
    path.write_text(
        json.dumps({"vectors": [vector("zero_violation_n/a", {"p0": 0.1, "alpha": 0.05}, {"n": 29}, 0)]})
    )
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "reference.py"), str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "1 vectors: 1 ok" in done.stdout
