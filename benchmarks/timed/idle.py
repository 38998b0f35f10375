"""What the plugin costs a run that names no manifest."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from statistics import median

from timed.figure import Figure
from timed.process import run

LIST = """
import sys
def pytest_unconfigure():
    print("MODULES", *sorted(sys.modules))
"""
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| +(\S+)")
_ITS_OWN = frozenset({"pytest", "_pytest", "pluggy", "relgate", "listing"})


def measure_idle(repetitions: int, *, quick: bool) -> list[Figure]:
    """Import time of our files, and modules that a run has because of us."""
    with tempfile.TemporaryDirectory(prefix="relgate-bench-") as place:
        folder = Path(place)
        (folder / "test_one.py").write_text("def test_one():\n    pass\n")
        (folder / "listing.py").write_text(LIST)
        quiet = ["-q", "-p", "no:cacheprovider", "-p", "listing"]

        def pytest(*more: str, x: str = "") -> str:
            interpreter = [sys.executable, *(["-X", x] if x else [])]
            return run(
                [*interpreter, "-m", "pytest", *quiet, *more],
                folder=folder,
                environment={"PYTHONPATH": place, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            ).output

        ours = ["-p", "relgate.plugin"]
        pytest(*ours)  # writes the byte code
        took = []
        for _ in range(repetitions):
            lines = _LINE.findall(pytest(*ours, x="importtime"))
            took.append(
                sum(int(own) for own, _, name in lines if name.partition(".")[0] == "relgate") / 1000.0
            )
        more = _modules(pytest(*ours)) - _modules(pytest("-p", "no:relgate"))
        others = {name.partition(".")[0] for name in more} - _ITS_OWN - set(sys.stdlib_module_names)
    return [
        Figure("plugin idle: import time of our files", median(took), 5.0, " ms"),
        Figure(
            "plugin idle: modules beyond stdlib and pytest",
            float(len(others)),
            0.0,
            note=", ".join(sorted(others)) or f"{len(more)} modules of ours and of the stdlib",
        ),
    ]


def _modules(output: str) -> set[str]:
    return set(next(line for line in output.splitlines() if line.startswith("MODULES")).split()[1:])
