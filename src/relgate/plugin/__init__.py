"""The pytest plugin.

Without a manifest it imports the standard library and pytest only, and changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from relgate.plugin.options import LONG_MANIFEST, OPTIONS, add_options, add_short_options, is_wanted

if TYPE_CHECKING:
    from relgate.plugin.session import RelgateSession

SESSION_NAME = "relgate-session"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Define the long options and the ini keys."""
    add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, Any, Any]:
    """Add the short names in a run that names a manifest, and the golden sets where no path is given."""
    failure: Any = None
    result = None
    try:
        result = yield
    except Exception as error:
        if not hasattr(error, "path"):  # no conftest.py that cannot be imported
            raise
        failure = error
    if is_wanted(args):
        add_short_options(early_config, parser, args)
        known = parser.parse_known_args(args)
        manifest = getattr(known, OPTIONS[LONG_MANIFEST].dest, None)
        if manifest:
            with _own_imports():
                from relgate.files.paths import is_folder, resolved
                from relgate.plugin.moved_rootdir import refuse_moved_rootdir
                from relgate.plugin.places import golden_sets_folder

            refuse_moved_rootdir(early_config, known)
            folder = golden_sets_folder(early_config, manifest, known)
            if not known.file_or_dir and is_folder(folder):
                args.append(str(folder))
            if failure is not None and resolved(folder) in failure.path.parents:
                return None  # named among the other problems of the run when it is loaded again
    if failure is not None:
        raise failure
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start a relgate session when a manifest is named; every user error ends here with exit status 4.

    A worker of xdist only leaves the cases alone, without the cost of importing what measures them.
    """
    if not manifest_of(config):
        return
    if hasattr(config, "workerinput"):
        from relgate.plugin.worker import WorkerSession

        config.pluginmanager.register(WorkerSession(), SESSION_NAME)
        return
    config.pluginmanager.register(_session_class().open(config), SESSION_NAME)


def _session_class() -> type[RelgateSession]:
    with _own_imports():
        from relgate.plugin.session import RelgateSession
    return RelgateSession


@contextmanager
def _own_imports() -> Iterator[None]:
    """What is imported inside is not rewritten, and never searched for garbage in the first session."""
    from relgate.plugin.garbage import kept_for_good, search_all
    from relgate.plugin.rewriting import not_rewritten

    first = "relgate.plugin.session" not in sys.modules
    if not first:
        search_all()
    with not_rewritten(), kept_for_good() if first else nullcontext():
        yield


def manifest_of(config: pytest.Config) -> str | None:
    """The manifest that this run names; only an option starts a session, so that no other run is changed."""
    value = config.getoption(OPTIONS[LONG_MANIFEST].dest, None)
    return str(value) if value else None
