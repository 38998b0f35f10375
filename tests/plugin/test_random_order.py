"""pytest-randomly and pytest-random-order shuffle what is reported, never what is judged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Crowd, Project, Provider

N = 24
IN_ORDER = [f"c{n}" for n in range(N)]
SHUFFLES = {
    "randomly": ("--randomly-seed=1",),
    "randomly-n2": ("--randomly-seed=2", "-n", "2"),
    "random-order": ("--random-order", "--random-order-seed=3"),
}
OF_THE_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d[:\d.]*(?:Z|\+00:00)?")


def judged(project: Project) -> dict[str, Any]:
    """The scorecard without what is different in every run."""
    card = project.scorecard()
    for name in ("run", "schema"):
        card.pop(name)
    for suite in card["suites"]:
        suite["metrics"] = [m for m in suite["metrics"] if not m["metric"].startswith("latency_ms")]
    card["verdict"]["next_step"] = OF_THE_RUN.sub("", card["verdict"]["next_step"])
    return card


@pytest.fixture
def compared(python_app: Project, provider: Provider) -> Project:
    """A candidate with two misses against a baseline with one, and ordinary tests."""
    python_app.suite(
        "small",
        python_app.numbered(N),
        "gates:\n  - {metric: exact, at_least: 0.5}\n  - {metric: exact, non_inferior: {margin: 0.3}}\n",
    )
    python_app.write("production.yaml", python_app.live("answerer-1", version="1.0.0"))
    provider.wrong = {"answerer-1": {"question 3"}, "answerer-2": {"question 7", "question 20"}}
    python_app.write("test_ordinary.py", "".join(f"def test_{n}(): pass\n" for n in range(5)))
    return python_app


def test_the_verdict_is_the_same_in_any_order(compared: Project, provider: Provider, crowd: Crowd) -> None:
    options = ("-v", "--full", "--baseline=production.yaml", "golden_sets", "test_ordinary.py")
    plain = compared.run(*options, "--registry=plain.db")
    expected = judged(compared)
    seen = []
    for name, flags in SHUFFLES.items():
        provider.asked.clear()
        result = crowd.run(compared, *flags, *options, f"--registry={name}.db")
        assert result.returncode == plain.ret == 0, result.stdout + result.stderr
        assert set(provider.asked.values()) == {1}
        assert provider.calls == 2 * N
        assert "5 passed" in result.stdout
        seen.append(re.findall(r"^golden_sets/small/cases\.jsonl::(c\d+) ", result.stdout, re.MULTILINE))
        assert judged(compared) == expected, name
    assert [sorted(order) for order in seen] == [sorted(IN_ORDER)] * len(SHUFFLES)
    assert len({tuple(order) for order in [*seen, IN_ORDER]}) == len(SHUFFLES) + 1, "each was another order"
