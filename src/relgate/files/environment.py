"""``${VAR}``: where it may stand, which variables are unset, and putting the values in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from relgate.domain.errors import InputError, Problem
from relgate.domain.release import Release, Secret
from relgate.files.checking import Check
from relgate.files.reading import tidy
from relgate.files.yamldoc import Loc, YamlDocument, parse_yaml

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FREE_TEXT = frozenset({"description", "changelog"})


def check_variables(check: Check, environment: Mapping[str, str], *, given_later: bool) -> None:
    """Check every ``${VAR}`` of a manifest and every secret.

    Args:
        check: the manifest.
        environment: what is set.
        given_later: whether services may still give variables, or nobody will be asked; then unset ones are
            not a problem here.
    """
    for loc, text in strings_of(check.value, ()):
        key = loc[-1] if loc else ""
        if loc[0] == "providers" and key == "api_key":
            if not VARIABLE.fullmatch(text):
                check.at(loc, "a secret in the manifest", "write api_key: ${NAME_OF_A_VARIABLE}")
                continue
        elif "${" in text and loc[0] not in ("providers", "dependencies") and key not in _FREE_TEXT:
            remedy = "only providers and dependencies take ${VARIABLES}; write the value"
            check.at(loc, "a variable in the wrong place", remedy)
            continue
        if loc[0] in ("providers", "dependencies") and key not in _FREE_TEXT:
            _check_names(check, loc, text, environment, given_later)
        if key in ("base_url", "url") and not VARIABLE.match(text):
            _check_url(check, loc, text)


def _check_names(
    check: Check, loc: Loc, text: str, environment: Mapping[str, str], given_later: bool
) -> None:
    if "${" in VARIABLE.sub("", text):
        check.at(loc, "a variable that is not written ${NAME}", "use letters, digits and _")
    unset = [name for name in VARIABLE.findall(text) if not environment.get(name)]
    if unset and not given_later:
        check.at(loc, _unset(unset), "set it in the environment")


def _unset(names: list[str]) -> str:
    return (
        f"variable {names[0]} is not set" if len(names) == 1 else f"variables {', '.join(names)} are not set"
    )


def _check_url(check: Check, loc: Loc, text: str) -> None:
    if "@" in text.partition("//")[2].partition("/")[0]:
        check.at(loc, "a secret in the manifest", "write the credentials as ${VARIABLES}")
    elif loc[-1] == "base_url" and not _is_http(text):
        check.at(loc, "should be an http or https address", "write https://host/...")


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(VARIABLE.sub("0", url))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def strings_of(value: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    """Every text in a JSON value, with where it stands."""
    if isinstance(value, str):
        yield loc, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings_of(item, (*loc, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings_of(item, (*loc, index))


def values_of_variables(manifest: str, environment: Mapping[str, str]) -> frozenset[str]:
    """The values that the ``${VAR}`` of a manifest's text have now: what may be a secret."""
    return frozenset(environment.get(name, "") for name in VARIABLE.findall(manifest)) - {""}


def bind_environment(release: Release, environment: Mapping[str, str]) -> Release:
    """The same release with values in place of ``${VAR}`` in its providers and dependencies; equal digest.

    Raises:
        InputError: for every variable that is not set and every address that is not http(s).
    """
    document, _ = parse_yaml(release.manifest_text, release.path)
    binder = _Binder(document or YamlDocument(str(release.path), {}), environment)
    providers = {}
    for name, provider in release.providers.items():
        url = binder.fill(("providers", name, "base_url"), provider.base_url)
        if url is not None and not _is_http(url):
            what = "should be an http or https address once its variables are put in"
            binder.problem(("providers", name, "base_url"), what, "write https://host/...")
        key = provider.api_key
        if key is not None:
            secret = binder.fill(("providers", name, "api_key"), key.reveal())
            key = Secret(secret) if secret is not None else None
        providers[name] = replace(provider, base_url=url or "", api_key=key)
    dependencies = {
        name: {
            key: binder.fill(("dependencies", name, key), value) if isinstance(value, str) else value
            for key, value in entry.items()
        }
        for name, entry in release.dependencies.items()
    }
    if binder.problems:
        raise InputError(tidy(binder.problems))
    return replace(release, providers=providers, dependencies=dependencies)


class _Binder:
    def __init__(self, document: YamlDocument, environment: Mapping[str, str]) -> None:
        self.document = document
        self.environment = environment
        self.problems: list[Problem] = []

    def problem(self, loc: Loc, what: str, remedy: str) -> None:
        self.problems.append(Problem(self.document.place(loc), what, remedy=remedy))

    def fill(self, loc: Loc, text: str) -> str | None:
        """The text with values, None when a variable is unset."""
        unset = [name for name in VARIABLE.findall(text) if not self.environment.get(name)]
        if unset:
            self.problem(loc, _unset(unset), "set it in the environment, or let a service give it")
            return None
        return VARIABLE.sub(lambda found: self.environment[found.group(1)], text)
