"""pytest rewrites the assertions of tests and of whatever it is told to, but not those of relgate."""

from __future__ import annotations

import sys

from relgate.plugin.rewriting import not_rewritten

CONFTEST = """
import sys
import pytest

pytest.register_assert_rewrite("helper")

def rewritten(name):
    return type(sys.modules[name].__loader__).__module__ == "_pytest.assertion.rewrite"

def pytest_sessionfinish():
    import helper

    print("OURS", rewritten("relgate.usecases.run_release"), rewritten("relgate.plugin.session"))
    print("THEIRS", rewritten("helper"), rewritten("conftest"))
"""


def test_relgate_is_not_rewritten_and_what_is_registered_is(recording):
    recording.write("helper.py", "")
    recording.write("conftest.py", CONFTEST)
    result = recording.spawn("-s")
    result.stdout.fnmatch_lines(["*OURS False False", "*THEIRS True True"])


def test_a_second_session_of_a_process_warns_of_nothing(recording):
    recording.write(
        "twice.py",
        "import pytest\n\nfor _ in range(2):\n"
        "    assert pytest.main(['-W', 'error', '--manifest=candidate.yaml']) == 0\n",
    )
    assert recording.pytester.run(sys.executable, "twice.py").ret == 0


def test_the_hooks_come_back_where_they_were():
    before = list(sys.meta_path)
    try:
        with not_rewritten():
            assert not [hook for hook in sys.meta_path if type(hook).__module__.startswith("_pytest")]
            raise KeyError
    except KeyError:
        assert sys.meta_path == before
