"""Recorded verdicts of judges against gold and human labels: the figures that their authors published."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from relgate.stats import binary_agreement, position_bias, rater_agreement

pytestmark = pytest.mark.shared_data


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# Judge, subset, and statistics.json of the LLMBar repository: right with the order kept and swapped, right in
# both, equal in both, kappa of the two orders.
LLMBAR = [
    ("GPT-4/Vanilla_NoRules", "Natural", 92, 95, 92, 97, 100, 0.9389747762408462),
    ("GPT-4/Vanilla", "Natural", 95, 96, 93, 95, 100, 0.897708674304419),
    ("GPT-4/Swap", "Natural", 94, 95, 93, 97, 100, 0.9386753883892068),
    ("GPT-4/Metrics_Reference", "Natural", 95, 97, 94, 96, 100, 0.9179318834632745),
    ("ChatGPT/Vanilla_NoRules", "Natural", 79, 79, 63, 68, 100, 0.3881453154875717),
    ("ChatGPT/Vanilla", "Natural", 80, 83, 67, 71, 100, 0.4286840031520883),
    ("ChatGPT/CoT", "Natural", 70, 78, 56, 64, 100, 0.3617797228300511),
    ("LLaMA2/Vanilla", "Natural", 79, 82, 70, 79, 100, 0.5731707317073171),
    ("GPT-4/Vanilla_NoRules", "GPTInst", 71, 70, 66, 83, 92, 0.8039772727272727),
    ("GPT-4/Vanilla", "GPTInst", 78, 81, 77, 87, 92, 0.8909952606635071),
    ("GPT-4/Swap", "GPTInst", 80, 82, 79, 88, 92, 0.9124226558781533),
    ("GPT-4/Metrics_Reference", "GPTInst", 80, 85, 78, 83, 92, 0.8043478260869565),
    ("ChatGPT/Vanilla_NoRules", "GPTInst", 24, 30, 5, 48, 92, 0.22123893805309736),
    ("ChatGPT/Vanilla", "GPTInst", 25, 24, 7, 57, 92, 0.3160577740016993),
    ("ChatGPT/CoT", "GPTInst", 28, 26, 8, 54, 92, 0.296694214876033),
    ("LLaMA2/Vanilla", "GPTInst", 28, 28, 16, 67, 92, 0.48912540490513656),
    ("GPT-4/Vanilla_NoRules", "GPTOut", 35, 37, 33, 41, 47, 0.7417582417582418),
    ("GPT-4/Vanilla", "GPTOut", 35, 38, 35, 44, 47, 0.8685927306616962),
    ("GPT-4/Swap", "GPTOut", 34, 35, 34, 46, 47, 0.9567617295308187),
    ("GPT-4/Metrics_Reference", "GPTOut", 34, 34, 30, 39, 47, 0.6472795497185742),
    ("ChatGPT/Vanilla_NoRules", "GPTOut", 20, 21, 7, 20, 47, 0.10318021201413419),
    ("ChatGPT/Vanilla", "GPTOut", 17, 22, 10, 28, 47, 0.28041901692183724),
    ("ChatGPT/CoT", "GPTOut", 21, 21, 7, 19, 47, 0.1132075471698113),
    ("LLaMA2/Vanilla", "GPTOut", 27, 26, 20, 34, 47, 0.4746345657781599),
]


@pytest.mark.parametrize(
    ("judge", "subset", "kept", "swapped", "both", "equal", "n", "kappa"),
    LLMBAR,
    ids=[f"{row[0]}-{row[1]}" for row in LLMBAR],
)
def test_llmbar_judges_have_the_accuracy_and_the_consistency_that_were_published(
    shared_data: Path,
    judge: str,
    subset: str,
    kept: int,
    swapped: int,
    both: int,
    equal: int,
    n: int,
    kappa: float,
) -> None:
    cases = {case["id"]: case for case in read_lines(shared_data / "llmbar-judges" / "cases.jsonl")}
    rows = [
        row
        for row in read_lines(shared_data / "llmbar-judges" / "outputs.jsonl")
        if row["system"] == judge and cases[row["case_id"]]["tags"]["subset"] == subset
    ]
    labels = [int(cases[row["case_id"]]["label"]) for row in rows]
    first, second = ([int(row[key] or 0) for row in rows] for key in ("verdict", "verdict_swapped"))
    assert len(rows) == n
    assert round(rater_agreement(labels, first).observed * n) == kept
    assert round(rater_agreement(labels, second).observed * n) == swapped
    assert sum(label == a == b for label, a, b in zip(labels, first, second, strict=True)) == both
    assert position_bias(first, second).consistent == equal
    # the authors' kappa takes a verdict that could not be parsed for the second output
    for_kappa = ([verdict or 2 for verdict in verdicts] for verdicts in (first, second))
    assert rater_agreement(*for_kappa).kappa == pytest.approx(kappa, abs=1e-12)


def test_a_judge_fooled_by_length_prefers_a_place_as_well(shared_data: Path) -> None:
    cases = {case["id"]: case for case in read_lines(shared_data / "llmbar-judges" / "cases.jsonl")}
    rows = read_lines(shared_data / "llmbar-judges" / "outputs.jsonl")

    def bias(judge: str) -> float:
        asked = [row for row in rows if row["system"] == judge]
        pairs = [row for row in asked if row["verdict"] and row["verdict_swapped"]]
        assert len(asked) - len(pairs) <= 5
        assert {row["case_id"] for row in asked} == set(cases)
        return position_bias(
            [int(row["verdict"]) for row in pairs], [int(row["verdict_swapped"]) for row in pairs]
        ).bias

    assert bias("ChatGPT/Vanilla") > 0.25
    assert abs(bias("GPT-4/Vanilla")) < 0.05


def test_pandalm_annotators_agree_as_published(shared_data: Path) -> None:
    cases = read_lines(shared_data / "pandalm-human" / "cases.jsonl")
    assert Counter(case["label"] for case in cases) == {0: 105, 1: 422, 2: 472}
    kappas = [
        rater_agreement([c["annotations"][i] for c in cases], [c["annotations"][j] for c in cases]).kappa
        for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    assert [f"{kappa:.3f}" for kappa in kappas] == ["0.852", "0.879", "0.862"]


def test_pandalms_recorded_judge_agrees_as_published(shared_data: Path) -> None:
    """The row gpt-3.5-turbo of the paper (arXiv 2306.05087), which counts an unreadable verdict as a tie."""
    labels = {c["id"]: c["label"] for c in read_lines(shared_data / "pandalm-human" / "cases.jsonl")}
    rows = read_lines(shared_data / "pandalm-human" / "outputs.jsonl")
    human = [labels[row["case_id"]] for row in rows]
    judge = [row["verdict_norm"] or 0 for row in rows]
    assert f"{rater_agreement(human, judge).observed:.4f}" == "0.7107"
    found = [binary_agreement([h == k for h in human], [j == k for j in judge]) for k in (0, 1, 2)]
    precision = [one.true_yes / (one.true_yes + one.false_yes) for one in found]
    recall = [one.sensitivity or 0.0 for one in found]
    f1 = [2 * p * r / (p + r) for p, r in zip(precision, recall, strict=True)]
    assert [f"{sum(each) / 3:.4f}" for each in (precision, recall, f1)] == ["0.5879", "0.5736", "0.5755"]


def test_an_unreadable_verdict_is_a_failure_of_the_judge_and_no_category(shared_data: Path) -> None:
    labels = {c["id"]: c["label"] for c in read_lines(shared_data / "pandalm-human" / "cases.jsonl")}
    rows = read_lines(shared_data / "pandalm-human" / "outputs.jsonl")
    read = [row for row in rows if row["verdict_norm"] is not None]
    assert len(rows) - len(read) == 25
    found = rater_agreement([labels[row["case_id"]] for row in read], [row["verdict_norm"] for row in read])
    assert found.n == 974
    assert found.kappa is not None
    assert 0.45 < found.kappa < 0.53 < found.observed
