"""pytest-replay owns ``--replay``: relgate gives way and ``--relgate-replay`` replays its answers.

``test_option_names.py`` tries the same in this interpreter where pytest-replay is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Crowd, Project, Provider

FLAGS = ("-p", "no:hypothesispytest", "-W", "error")
"""Those of conftest.py without the one that keeps pytest-replay out."""


def test_their_recording_stands_beside_our_replay(
    python_app: Project, provider: Provider, crowd: Crowd
) -> None:
    assert python_app.run("--record=answers.jsonl", "--registry=1.db").ret == 0
    provider.asked.clear()
    options = ("--relgate-replay=answers.jsonl", "--replay-record-dir=theirs")
    result = crowd.run(python_app, *options, flags=FLAGS)
    shown = result.stdout + result.stderr
    assert result.returncode == 0, shown
    assert "belongs to" not in shown, "nobody used the short name"
    assert provider.calls == 0
    assert python_app.decisions == ["promote"]
    names = (python_app.path / "theirs/.pytest-replay.txt").read_text()
    assert names.count("cases.jsonl::c") == 8


def test_the_short_name_is_theirs(python_app: Project, provider: Provider, crowd: Crowd) -> None:
    python_app.write("test_ordinary.py", "def test_one(): pass\ndef test_two(): pass\n")
    python_app.write("one.txt", '{"nodeid": "test_ordinary.py::test_two", "start": 0.1}\n')
    result = crowd.run(python_app, "--replay=one.txt", "golden_sets", "test_ordinary.py", flags=FLAGS)
    assert result.returncode == 5, result.stdout + result.stderr
    assert "use --relgate-replay" in result.stderr
    assert "1 passed, 9 deselected" in result.stdout
    assert "no verdict" in result.stdout
    assert provider.calls == 0
    assert python_app.decisions == []
