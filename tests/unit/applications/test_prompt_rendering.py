"""``{{ name }}`` is replaced, once, and nothing else is touched."""

from __future__ import annotations

import pytest

from relgate.applications.prompt import render_prompt
from relgate.domain.placeholders import placeholders


def test_variables_are_listed_once_in_order_of_use():
    assert placeholders("{{ b }} {{a}} {{ b }} { c } {{ 1x }}") == ("b", "a")


def test_values_are_put_in_as_they_are():
    assert render_prompt("{{ a }}|{x}|{% y %}", {"a": r"\1 {{ a }} $&"}) == r"\1 {{ a }} $&|{x}|{% y %}"


def test_a_variable_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        render_prompt("{{ a }}", {})
