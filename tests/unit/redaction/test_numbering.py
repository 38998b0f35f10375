"""Placeholders of a report: numbered by first appearance, whatever the key."""

from __future__ import annotations

import pytest

from relgate.redaction import Redactor, cut, number_placeholders

ANN, BEN, CARD = "ann@example.com", "ben@example.com", "4111 1111 1111 1111"


def _report(key: bytes) -> dict[str, object]:
    text = Redactor(key=key).redact
    return {
        "case_id": text(BEN).text,
        "worst": [{"message": text(f"{ANN} and {BEN}").text}, {"message": text(f"{BEN} paid {CARD}").text}],
        "notes": [text(ANN).text],
    }


def test_numbers_follow_the_first_appearance_and_two_mentions_of_one_person_stay_linked() -> None:
    numbered = number_placeholders(_report(b"one"), {"message", "notes"})
    assert numbered["worst"] == [
        {"message": "<EMAIL_1> and <EMAIL_2>"},
        {"message": "<EMAIL_2> paid <CARD_1>"},
    ]
    assert numbered["notes"] == ["<EMAIL_1>"]


def test_reports_that_differ_in_the_key_alone_become_equal_and_names_are_left_alone() -> None:
    first, second = _report(b"one"), _report(b"two")
    assert first["worst"] != second["worst"]
    fields = {"message", "notes"}
    numbered = [number_placeholders(report, fields) for report in (first, second)]
    assert numbered[0]["worst"] == numbered[1]["worst"]
    assert numbered[0]["case_id"] == first["case_id"]


def test_a_number_that_somebody_wrote_himself_is_given_to_nobody_else() -> None:
    report = {"message": Redactor().redact(f"{ANN} wrote to {BEN}, not to <EMAIL_1>").text}
    assert number_placeholders(report, {"message"}) == {
        "message": "<EMAIL_2> wrote to <EMAIL_3>, not to <EMAIL_1>"
    }


def test_numbering_again_changes_nothing() -> None:
    once = number_placeholders(_report(b"one"), {"message", "notes"})
    assert number_placeholders(once, {"message", "notes"}) == once


@pytest.mark.parametrize("length", range(1, 40))
def test_a_cut_text_never_ends_in_half_a_placeholder(length: int) -> None:
    text = Redactor(key=b"one").redact(f"writes to {ANN} today and waits").text
    short = cut(text, length)
    assert len(short) <= length
    assert "<" not in short or ">" in short
    assert cut(text, len(text)) == text
