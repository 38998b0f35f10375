from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from relgate.redaction import find

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcDEF123_-x"


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("mail john.doe+x@example.co.uk now", "EMAIL", "john.doe+x@example.co.uk"),
        ("jürgen@müller.de", "EMAIL", "jürgen@müller.de"),
        ("4111 1111 1111 1111", "CARD", "4111 1111 1111 1111"),
        ("card 4111-1111-1111-1111 until 12/27", "CARD", "4111-1111-1111-1111"),
        ("1234 4111 1111 1111 1111", "CARD", "4111 1111 1111 1111"),
        ("378282246310005.", "CARD", "378282246310005"),
        ("3782 822463 10005", "CARD", "3782 822463 10005"),
        ("to DE89 3704 0044 0532 0130 00 PLEASE", "IBAN", "DE89 3704 0044 0532 0130 00"),
        ("de89370400440532013000", "IBAN", "de89370400440532013000"),
        ("call +49 170 1234567 or", "PHONE", "+49 170 1234567"),
        ("call 0049 170 1234567", "PHONE", "0049 170 1234567"),
        ("(415) 555-2671", "PHONE", "(415) 555-2671"),
        ("1-415-555-2671", "PHONE", "1-415-555-2671"),
        ("415-555-2671", "PHONE", "415-555-2671"),
        ("345-899-3560x4587", "PHONE", "345-899-3560x4587"),
        ("reach me at 07700 900 966", "PHONE", "07700 900 966"),
        ("01.84.17.61.18", "PHONE", "01.84.17.61.18"),
        ("phone: 207 9460 958", "PHONE", "207 9460 958"),
        ("SSN 078-05-1120", "SSN", "078-05-1120"),
        ("sk-proj-abc123def456ghi789jkl", "KEY", "sk-proj-abc123def456ghi789jkl"),
        ("key sk-ant-api03-AbC1_dEf-2345678901234,", "KEY", "sk-ant-api03-AbC1_dEf-2345678901234"),
        ("AKIAIOSFODNN7EXAMPLE", "KEY", "AKIAIOSFODNN7EXAMPLE"),
        ("<AKIAIOSFODNN7EXAMPLE>", "KEY", "AKIAIOSFODNN7EXAMPLE"),
        ("AIzaSyA-1234567890abcdefghijklmnopqrstu", "KEY", "AIzaSyA-1234567890abcdefghijklmnopqrstu"),
        ("api_key=abcd1234efgh5678&x=1", "KEY", "abcd1234efgh5678"),
        ('{"client_secret": "AbC123dEf456"}', "KEY", "AbC123dEf456"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "TOKEN", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("gho_abcdefghijklmnopqrstuvwxyz", "TOKEN", "gho_abcdefghijklmnopqrstuvwxyz"),
        ("github_pat_11ABCDEFG0abcdefghij_k", "TOKEN", "github_pat_11ABCDEFG0abcdefghij_k"),
        ("xoxb-123456789012-abcdefGHI", "TOKEN", "xoxb-123456789012-abcdefGHI"),
        ("glpat-ABCDEFGHIJ1234567890", "TOKEN", "glpat-ABCDEFGHIJ1234567890"),
        ("hf_abcdefghijklmnopqrstuvwxyz", "TOKEN", "hf_abcdefghijklmnopqrstuvwxyz"),
        ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "TOKEN", "npm_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("Authorization: Bearer abcdef1234567890abcdef", "TOKEN", "abcdef1234567890abcdef"),
        (f"token {JWT} end", "JWT", JWT),
        (f"x {PEM} y", "PRIVATE_KEY", PEM),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----\ncut off"),
        ("postgres://user:hunter2@db.example.com:5432/x", "PASSWORD", "hunter2"),
        ("password: hunter2x", "PASSWORD", "hunter2x"),
        ("PASSWORD=letmein", "PASSWORD", "letmein"),
        ('"password": "letmein"', "PASSWORD", "letmein"),
        ("your password is MyPass123", "PASSWORD", "MyPass123"),
        ("Passwort: geheim123", "PASSWORD", "geheim123"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZDEyMw==", "TOKEN", "dXNlcjpwYXNzd29yZDEyMw=="),
        (
            "SG.AbCdEfGhIjKlMnOpQrStUv.WxYz0123456789-ab_CD",
            "KEY",
            "SG.AbCdEfGhIjKlMnOpQrStUv.WxYz0123456789-ab_CD",
        ),
        (
            "AWS secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
        ("your api key is 9f8e7d6c5b4a39281706f5e4", "KEY", "9f8e7d6c5b4a39281706f5e4"),
        ("call 0171/1234567 now", "PHONE", "0171/1234567"),
        ("0171-1234567", "PHONE", "0171-1234567"),
    ],
)
def test_what_must_not_be_shown_is_found_and_nothing_around_it(text, kind, found):
    assert [(text[start:end], k) for start, end, k in find(text)] == [(found, kind)]


@pytest.mark.parametrize(
    "text",
    [
        "order 8841-2231 arrived",
        "order no. 4929-2231-88",
        "order 1002003004005006",
        "version 3.11.7.2 and 1.3.0",
        "article help-1234567 [returns-12]",
        "the price is $1,234.50, or EUR 1.234.567,89",
        "2026-11-20 10:37:00 and 01.02.2026",
        "0.25 0.75 0.5 and 05 06 07",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "4111 1111 1111 1112",
        "DE89 3704 0044 0532 0130 01",
        "sha256:4111111111111111aabbcc",
        "123e4567-e89b-12d3-a456-426614174000",
        "tracking 1Z999AA10123456784",
        "tokens: 12345678, max_tokens=4096",
        "sk-learn-contrib-project, risk-assessment-of-something-1",
        "Your password: Forgotten? Click",
        "password: required",
        "the password is case-sensitive",
        "the token: expired",
        "call us 9-17, Mon-Fri",
        "http://127.0.0.1:8000/v1/chat/completions",
        "gpt-4o-2024-08-06",
        "help@17 and prompt@2 on minilm@1.0.2",
        "in 1984-2000-2001, 100-200-3000, 200 300 4000",
        "000-12-3456 and 900-12-3456",
        "bearer certificates-of-deposit",
        "the key is 24-hour availability, the secret is 2nd-hand information-desk-work",
        "order 0123-4567, lot 012-34567",
        "authorization: basic rights of patients",
    ],
)
def test_orders_versions_articles_prices_and_prose_stay(text):
    assert find(text) == []


@pytest.mark.shared_data
def test_it_finds_what_others_wrote_for_their_own_tool_without_a_false_alarm(shared_data: Path):
    kinds = {"EMAIL_ADDRESS": "EMAIL", "IBAN_CODE": "IBAN", "US_SSN": "SSN", "CREDIT_CARD": "CARD"}
    found: Counter[str] = Counter()
    total: Counter[str] = Counter()
    alarms = 0
    with (shared_data / "presidio-pii" / "cases.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            spans = find(row["input"])
            for entity in row["label"]:
                if kind := kinds.get(entity["type"]):
                    total[kind] += 1
                    found[kind] += any(s < entity["end"] and e > entity["start"] for s, e, _ in spans)
            alarms += sum(
                not any(s < entity["end"] and e > entity["start"] for entity in row["label"])
                for s, e, _ in spans
            )
    assert {kind: found[kind] for kind in ("EMAIL", "IBAN", "SSN")} == {
        kind: total[kind] for kind in ("EMAIL", "IBAN", "SSN")
    }
    assert found["CARD"] / total["CARD"] > 0.9
    assert alarms == 0
