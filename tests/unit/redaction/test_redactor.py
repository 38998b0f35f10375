from __future__ import annotations

import re
import time

import pytest

from relgate.redaction import Redactor, find, mask

KEY = b"key of this registry"


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(key=KEY, known_secrets=["s3cret-value", "s3cret-value-longer", "short"])


def test_a_placeholder_says_type_and_six_hex_digits_and_counts_say_how_many(redactor):
    redacted = redactor.redact("Write to jo@example.com or al@example.com, card 4111 1111 1111 1111.")
    pattern = r"Write to <EMAIL_[0-9a-f]{6}> or <EMAIL_[0-9a-f]{6}>, card <CARD_[0-9a-f]{6}>\."
    assert re.fullmatch(pattern, redacted.text)
    assert redacted.counts == {"CARD": 1, "EMAIL": 2}


def test_the_same_value_gets_the_same_placeholder_under_one_key_only(redactor):
    first, second = redactor.redact("jo@example.com").text, redactor.redact("Jo@Example.com").text
    assert first == second
    assert first != redactor.redact("al@example.com").text
    assert first != Redactor(key=b"another").redact("jo@example.com").text


def test_a_number_is_the_same_however_it_is_spaced(redactor):
    assert redactor.redact("4111 1111 1111 1111").text == redactor.redact("4111111111111111").text


def test_a_known_secret_goes_wherever_it_occurs_the_longest_first(redactor):
    redacted = redactor.redact('{"k":"xs3cret-value-longery"} s3cret-value short')
    assert "s3cret" not in redacted.text
    assert "longer" not in redacted.text
    assert redacted.counts == {"SECRET": 2}
    assert redacted.text.endswith(" short")


def test_redacted_text_is_not_touched_again_and_leaves_nothing_to_find(redactor):
    once = redactor.redact("password: hunter2x, postgres://u:pw123@h/x and jo@example.com").text
    again = redactor.redact(once)
    assert (again.text, again.counts) == (once, {})
    assert redactor.residual(once) == {}


def test_residual_counts_what_is_left_by_type(redactor):
    assert redactor.residual("jo@example.com, al@example.com, 078-05-1120") == {"EMAIL": 2, "SSN": 1}


def test_a_value_is_walked_and_its_keys_numbers_and_truth_values_stay(redactor):
    value = {"jo@example.com": ["al@example.com", 4111111111111111, True, None], "a": {"b": "x"}}
    redacted = redactor.redact_value(value)
    assert redacted.counts == {"EMAIL": 1}
    assert redacted.value["jo@example.com"][1:] == [4111111111111111, True, None]
    assert redacted.value["jo@example.com"][0].startswith("<EMAIL_")
    assert value["jo@example.com"][0] == "al@example.com"


def test_overlapping_findings_become_one_of_the_earlier_finders_type():
    def digits(text):
        yield 2, 6, "FIRST"

    def more(text):
        yield 0, 4, "SECOND"

    assert find("abcdefgh", [digits, more]) == [(0, 6, "FIRST")]


@pytest.mark.parametrize("finding", [(0, 1, "lower"), (0, 99, "TYPE"), (2, 1, "TYPE")])
def test_a_finder_that_reports_nonsense_is_refused(finding):
    with pytest.raises(ValueError, match="a redactor reported"):
        find("text", [lambda text: [finding]])


def test_mask_needs_no_key():
    assert mask("KeyError: 'jo@example.com'") == "KeyError: '<EMAIL>'"
    assert mask(mask("password: hunter2x")) == "password: <PASSWORD>"


HOSTILE = {
    "one at": "a" * 10**6 + "@",
    "ats": "@" * 10**6,
    "addresses": "a@a." * 250_000,
    "labels": "@" + "a." * 500_000,
    "digits": "1" * 10**6,
    "dashed digits": "1-" * 500_000,
    "spaced digits": "4 " * 500_000,
    "jwt starts": "eyJaaaaaaaa-" * 83_000,
    "jwt parts": "eyJaaaaaaaa." * 83_000,
    "key starts": "sk-" * 333_333,
    "key begins": "-----BEGIN PRIVATE KEY-----" * 37_000,
    "addresses of servers": "://a:" * 200_000,
    "passwords": "password is " * 83_333,
    "ibans": "DE12" * 250_000,
    "spaced ibans": "DE12 " * 200_000,
    "plus": "+1(" * 333_333,
    "labels of phones": "tel " * 250_000,
    "zeros": "001 " * 250_000,
    "brackets": "<A" * 500_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_megabyte_takes_linear_time(redactor, text):
    started = time.process_time()
    redactor.redact(text)
    assert time.process_time() - started < 2


def test_a_kilobyte_of_support_text_is_quick(redactor):
    text = ("Order 8841-2231 was shipped on 2026-11-20 for $1,234.50, see [returns-12]. " * 14)[:1024]
    started = time.process_time()
    for _ in range(200):
        redactor.redact(text)
    assert (time.process_time() - started) / 200 < 0.002
