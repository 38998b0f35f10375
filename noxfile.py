"""`nox` runs everything that must hold before a change lands."""

from __future__ import annotations

import nox

nox.options.sessions = ["format", "lint", "types", "layers", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False


@nox.session
def format(session: nox.Session) -> None:
    """Formatting is as ruff leaves it."""
    session.install("ruff>=0.11")
    session.run("ruff", "format", "--check", ".")


@nox.session
def lint(session: nox.Session) -> None:
    """No lint finding."""
    session.install("ruff>=0.11")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict finds nothing."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Imports point down."""
    session.install("-e", ".[dev]")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Every test passes."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)
