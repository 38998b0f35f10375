"""What a failing application says of its secrets reaches no sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

SECRET = "sk-proj-" + "a1b2c3d4e5f6g7h8"
MAIL = "jane.doe@example.com"
SAID = f"'refused {SECRET} of {MAIL}'"
ASKED = "def build(release):\n    def answer(request):\n        raise {error}({said})\n    return answer\n"
BUILT = "def build(release):\n    raise {error}({said})\n"
APPLICATIONS = {
    "builder-raises": (BUILT.format(error="RuntimeError", said=SAID), 4),
    "builder-exits": (BUILT.format(error="SystemExit", said=SAID), 4),
    "application-raises": (ASKED.format(error="RuntimeError", said=SAID), 1),
    "application-exits": (ASKED.format(error="SystemExit", said=SAID), 1),
}


@pytest.mark.parametrize("flags", [(), ("-n", "2"), ("-rA", "-vv")], ids=["serial", "n2", "rA"])
@pytest.mark.parametrize("kind", APPLICATIONS)
def test_an_exception_is_masked_everywhere(python_app: Project, kind: str, flags: tuple[str, ...]) -> None:
    content, status = APPLICATIONS[kind]
    python_app.write("desk_app.py", content)
    result = python_app.spawn("--junitxml=junit.xml", *flags)
    shown = python_app.text(result)
    assert result.ret == status, shown
    assert "INTERNALERROR" not in shown
    if kind.startswith("builder"):
        assert "refused" in shown, "the reason is told, without the secret"
    ours = {python_app.path / "desk_app.py"}
    sinks = [
        path
        for path in python_app.path.rglob("*")
        if path.is_file() and path not in ours and "__pycache__" not in path.parts
    ]
    assert python_app.path / "junit.xml" in sinks
    for secret in (SECRET, MAIL):
        assert secret not in shown
        assert [path for path in sinks if secret.encode() in path.read_bytes()] == []
