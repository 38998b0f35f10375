"""grounded: what counts as a claim, which claims the evidence carries, and the figures that the docs give."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from relgate.domain.case import Case
from relgate.domain.errors import InputError
from relgate.domain.release import Artifact
from relgate.domain.response import Response, ScorerFailure, ToolCall
from relgate.scorers.grounded_claims import claims, read_evidence, unsupported
from relgate.stats import binary_agreement

ROOT = Path(__file__).parents[3]
RETURNS = (
    "You can return most items within 40 days of delivery. The return period for Fernwood Plus members is "
    "60 days. Software codes cannot be returned after the code has been revealed."
)
REFUNDS = (
    "A refund to a credit card takes four to six working days. Refunds to a PayLark wallet show up within "
    "24 hours."
)
CORPUS = "".join(
    json.dumps({"id": key, "title": key, "body": body}) + "\n"
    for key, body in (("returns", RETURNS), ("refunds", REFUNDS))
)


def corpus(text: str = CORPUS) -> tuple[Artifact, ...]:
    return (Artifact("retrieval_corpus", "help", "1", "sha256:1", content=text.encode()),)


def answer(text: str, *evidence: str) -> Response:
    return Response(text, evidence=evidence or (RETURNS, REFUNDS))


@pytest.mark.parametrize(
    "text",
    [
        "You have 40 days from delivery to return most items.",
        "Plus members get 60 days.",
        "Refunds to a PayLark wallet show up within one day.",
        "Card refunds take 4-6 business days.",
        "You can't return software codes once they were revealed.",
        "Hello! Thanks for asking.",
        "Sorry to hear that! Nope, software codes can't be returned once they were revealed.",
        "No problem, Plus members get 60 days.",
        "The articles do not say anything about that.",
    ],
)
def test_what_the_evidence_says_in_other_words_is_grounded(judge, text):
    assert judge("grounded", answer(text)) == 1.0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("You have 50 days from delivery to return most items.", "wrong number"),
        ("You have 40 weeks from delivery to return most items.", "wrong unit"),
        ("You have 60 days from delivery to return most items.", "another's number"),
        ("A refund to a credit card takes 24 hours.", "another's number"),
        ("Software codes can be returned after the code has been revealed.", "negation dropped"),
        ("Most items cannot be returned within 40 days of delivery.", "negation added"),
        ("All customers have 60 days for a return.", "speaks of all"),
        ("Write to help@fernwood.example about a refund.", "invented address"),
        ("Most items go back to Berlin within 40 days of delivery.", "invented name"),
        ("Your refund has already been released.", "account of the customer"),
        ("I've just released the refund to your credit card.", "done for the customer"),
        ("A refund to a credit card takes ten working days.", "four and six are ten, but nobody adds them"),
        ("Our couriers juggle flaming torches.", "nothing of it"),
    ],
)
def test_what_the_evidence_does_not_say_is_not_grounded(judge, text, why):
    assert judge("grounded", answer(text)) == 0.0, why


def test_the_score_is_the_share_of_supported_claims_or_whether_all_are(make, judge):
    mixed = answer("Plus members get 60 days. A refund to a credit card takes 24 hours.")
    assert judge("grounded", mixed) == 0.5
    assert judge("grounded", mixed, all=True) is False
    assert make("grounded").metric.kind == "unit"
    assert make("grounded", {"all": True}).metric.kind == "binary"


def test_the_corpus_gives_the_texts_of_what_was_retrieved_and_no_others(make):
    scorer = make("grounded", {"corpus": "help"}, corpus())
    said = "Plus members get 60 days."
    case = Case("c", "How long?")
    assert scorer.judge(case, Response(said, retrieved=("returns",))) == 1.0
    assert scorer.judge(case, Response(said, retrieved=("refunds",))) == 0.0
    assert scorer.judge(case, Response(said)) == 0.0
    gone = scorer.judge(case, Response(said, retrieved=("gone",)))
    assert isinstance(gone, ScorerFailure)
    assert "gone" in gone.message


def test_a_case_may_carry_the_evidence(judge):
    expected = {"evidence": [RETURNS]}
    assert judge("grounded", "Plus members get 60 days.", expected) == 1.0
    assert isinstance(judge("grounded", "Plus members get 60 days.", {"evidence": 3}), ScorerFailure)


def test_claims_without_any_evidence_to_look_at_are_a_failure_to_judge(judge):
    assert isinstance(judge("grounded", "Plus members get 60 days."), ScorerFailure)


def test_an_answer_by_tool_is_not_judged_and_an_empty_one_is_not_grounded(judge):
    assert judge("grounded", Response("Done: 60 days.", tool_calls=(ToolCall("refund"),))) is None
    assert judge("grounded", "") == 0.0


@pytest.mark.parametrize(
    ("artifacts", "message"),
    [
        ((), "has no retrieval_corpus 'help', it has none"),
        (corpus("nonsense\n"), "line 1 of retrieval_corpus/help@1 is no JSON object with an id"),
        (corpus('{"id": "a"}\n'), "line 1 of retrieval_corpus/help@1 has neither body, text nor content"),
    ],
)
def test_a_corpus_that_cannot_be_used_is_an_error_before_the_first_call(make, artifacts, message):
    with pytest.raises(InputError, match=message):
        make("grounded", {"corpus": "help"}, artifacts)


@pytest.mark.parametrize(
    "text",
    [
        "Sure! Plus members get 60 days. If anything is unclear, just write to us.",
        "According to our help centre: Plus members get 60 days.",
    ],
)
def test_politeness_and_where_it_is_from_are_no_claims(judge, text):
    assert judge("grounded", answer(text)) == 1.0


def test_results_of_one_step_of_arithmetic_are_grounded_and_others_are_not():
    evidence = read_evidence(["Carriage to the floor costs $60 per pallet."])
    question = "What does carriage of four pallets to the floor cost?"
    assert unsupported("Carriage to the floor costs $240 for four pallets.", evidence, question) is None
    assert unsupported("Carriage to the floor costs $250 for four pallets.", evidence, question) is not None


def test_a_bare_yes_is_a_claim_that_the_question_is_true():
    evidence = read_evidence(
        ["Delivery on Saturdays is not available abroad. We deliver abroad in five days."]
    )
    assert claims("Yes.") == claims("yes, of course!") == ["Yes"]
    assert claims("Yes, in five days.") == ["Yes", "in five days."]
    assert (
        unsupported("Yes", evidence, "Is delivery on Saturdays available abroad?") == "the evidence denies it"
    )
    assert unsupported("Yes", evidence, "Do you deliver abroad in five days?") is None
    assert unsupported("Yes", evidence, "Isn't delivery on Saturdays available abroad?") is None


@pytest.mark.parametrize(
    ("claim", "supported"),
    [
        ("Gold costs three times as much as Silver.", True),
        ("Gold costs twice as much as Silver.", False),
        ("Bronze costs double.", True),
        ("Bronze costs three times as much.", False),
    ],
)
def test_twice_double_and_two_times_are_one_quantity(claim, supported):
    evidence = read_evidence(["Gold costs three times as much as Silver. Bronze costs twice as much as Tin."])
    assert (unsupported(claim, evidence) is None) is supported


def test_a_sign_of_multiplication_is_no_word():
    evidence = read_evidence(["Carriage to the floor costs $60 per pallet."])
    assert unsupported("$240, that is 4 x $60.", evidence, "What do four pallets cost?") is None


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("grounded_natural.jsonl", 120),
        ("grounded_labels.jsonl", 100),
        ("grounded_tuning.jsonl", 320),
        ("grounded_held_out.jsonl", 100),
    ],
)
def test_the_agreement_with_the_labels_is_what_the_docs_say(name, number):
    labels, verdicts = _judged(name)
    assert len(labels) == number
    documented = (ROOT / "docs" / "scorers.md").read_text("utf-8")
    [row] = [line for line in documented.splitlines() if f"`tests/data/{name}`" in line]
    assert row.endswith(f"| {number} | {_figures(labels, verdicts)} |")


def _judged(name: str) -> tuple[list[bool], list[bool]]:
    """The labels of a file's answers and what the rules say of them."""
    lines = (ROOT / "tests" / "data" / name).read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    bodies = {article["id"]: f"{article['title']}\n{article['body']}" for article in _articles()}
    verdicts = []
    for row in rows:
        given = (bodies[found] if isinstance(found, str) else found["text"] for found in row["evidence"])
        evidence = read_evidence(given)
        said = claims(row["answer"])
        verdicts.append(all(unsupported(claim, evidence, row["question"]) is None for claim in said))
    return [row["grounded"] for row in rows], verdicts


def _figures(labels: list[bool], verdicts: list[bool]) -> str:
    found = binary_agreement(labels, verdicts)
    numbers = (found.agreement.observed, found.agreement.kappa, found.sensitivity, found.specificity)
    return " | ".join(f"{number:.2f}".removeprefix("0") for number in numbers if number is not None)


def _articles():
    path = ROOT / "src" / "relgate" / "demo" / "artifacts" / "corpus" / "help.v18.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_articles_are_grounded_in_themselves_and_not_in_others():
    articles = _articles()
    drawn = random.Random(1)
    own, foreign, total = 0, 0, 0
    for article in articles:
        other = drawn.choice([a for a in articles if a["topic"] != article["topic"]])
        itself, another = (read_evidence([f"{a['title']}\n{a['body']}"]) for a in (article, other))
        for claim in claims(article["body"]):
            total += 1
            own += unsupported(claim, itself, article["title"]) is None
            foreign += unsupported(claim, another, article["title"]) is None
    assert total > 1000
    assert own / total > 0.99
    assert foreign / total < 0.02


def test_questions_courtesy_and_silence_are_no_claims_and_a_yes_is():
    assert claims("Hi there! Yes. Anything else? The articles give no figure for that.") == ["Yes"]


def test_two_sentences_that_both_deny_do_not_contradict_each_other():
    evidence = read_evidence(["Enclose the form, otherwise import tax is charged a second time."])
    assert unsupported("Enclose the form so that import tax is not charged a second time.", evidence) is None


def test_a_sum_with_a_figure_of_the_question_is_supported():
    evidence = read_evidence(["We contribute up to $12 to the postage."])
    assert unsupported("At least $6 of the postage is not contributed.", evidence, "Postage was $18") is None
    assert unsupported("We contribute $7 to the postage.", evidence, "Postage was $18") is not None


@pytest.mark.parametrize("text", ["", "?!", "9" * 20_000, "a" * 20_000, "a@" * 10_000, "\x00²½ $ % ," * 3000])
def test_no_text_raises_or_takes_long(text):
    evidence = read_evidence([text, RETURNS])
    assert all(isinstance(unsupported(c, evidence, text), str | None) for c in claims(text))
