"""Names that manifests and suites use, and what makes the thing behind each name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

from relgate.catalog.blame import Blame
from relgate.catalog.plugins import Plugins
from relgate.catalog.registers import (
    NAME,
    OWN,
    ApplicationFactory,
    Register,
    Renderer,
    ScorerEntry,
    ScorerRegister,
    Shelf,
)
from relgate.domain.case import ScorerSpec
from relgate.domain.digest import digest_bytes, digest_json
from relgate.domain.errors import CatalogError, InputError, Place, Problem
from relgate.domain.metric import Metric
from relgate.domain.release import ApplicationKind
from relgate.domain.scorer import Judge, Scorer, ScorerContext
from relgate.redaction import BUILTIN_FINDERS, Finder, Finding, Redactor, find, mask
from relgate.scorers import BUILTINS
from relgate.scorers.options import OptionError, OptionProblem, suggest
from relgate.scorers.safety import must_not, no_pii, no_secrets

ARTIFACT_KINDS = (
    "model",
    "prompt",
    "tool_schema",
    "safety_policy",
    "embedding_model",
    "retrieval_corpus",
    "retrieval_index",
    "reranker",
    "cache_policy",
    "router_policy",
    "post_processing",
    "memory",
    "limits",
    "database_schema",
    "application_code",
)
BUILTIN_RENDERERS = ("terminal", "markdown", "json")


class Catalog:
    """Everything that can be named; made by ``Catalog.load``."""

    def __init__(self) -> None:
        self._scorers: Shelf[ScorerEntry] = Shelf("scorer")
        self._applications: Shelf[ApplicationFactory] = Shelf("application kind", get_args(ApplicationKind))
        self.plugins_digest = ""
        """Of the code of every plugin: a scorer that changed may judge the same answer otherwise."""
        self._artifact_kinds: Shelf[str] = Shelf("artifact kind", ARTIFACT_KINDS)
        self._redactors: Shelf[Finder] = Shelf("redactor")
        self._renderers: Shelf[Renderer] = Shelf("renderer", BUILTIN_RENDERERS)
        for name, finder in BUILTIN_FINDERS.items():
            self._redactors.put(name, finder)
        forbidding = {
            "no_pii": no_pii(self._find),
            "no_secrets": no_secrets(self._find),
            "must_not": must_not(self._made),
        }
        for name, factory in {**BUILTINS, **forbidding}.items():
            self._scorers.put(name, ScorerEntry(factory, "binary", True, name in forbidding))

    @classmethod
    def load(cls, plugins: Iterable[object] = ()) -> Catalog:
        """A catalog of the built-ins, the installed plugins and the given ones, in this order.

        Args:
            plugins: objects or modules with hook functions, such as conftest.py modules.

        Raises:
            CatalogError: a plugin cannot be loaded or fails, or a name is registered twice: all of it.
        """
        catalog, problems = cls.read(plugins)
        if problems:
            raise CatalogError("\n".join(map(str, problems)))
        return catalog

    @classmethod
    def read(cls, plugins: Iterable[object] = ()) -> tuple[Catalog, tuple[Problem, ...]]:
        """As ``load``, but a catalog of what can be registered, and a problem for each thing that cannot."""
        catalog = cls()
        manager = Plugins()
        manager.add_installed()
        for plugin in plugins:
            manager.add(plugin, Blame(plugin))
        catalog.plugins_digest = digest_json(sorted(map(_code, manager.added)))
        manager.call("scorers", lambda blame: ScorerRegister(catalog._scorers, blame))
        manager.call("applications", lambda blame: Register(catalog._applications, blame))
        manager.call("artifact_kinds", lambda blame: Register(catalog._artifact_kinds, blame))
        manager.call("redactors", lambda blame: Register(catalog._redactors, blame))
        manager.call("renderers", lambda blame: Register(catalog._renderers, blame))
        return catalog, manager.problems

    @property
    def scorer_names(self) -> tuple[str, ...]:
        """Every scorer that a suite may name."""
        return tuple(self._scorers.mapping())

    @property
    def artifact_kinds(self) -> tuple[str, ...]:
        """Every kind of artifact that a manifest may list."""
        return (*ARTIFACT_KINDS, *self._artifact_kinds.mapping())

    @property
    def applications(self) -> Mapping[str, ApplicationFactory]:
        """The kinds of application that plugins added."""
        return self._applications.mapping()

    @property
    def renderers(self) -> Mapping[str, Renderer]:
        """The report files that plugins added."""
        return self._renderers.mapping()

    @property
    def redactors(self) -> Mapping[str, Finder]:
        """Every finder, the built-in ones first."""
        return self._redactors.mapping()

    def redactor(self, key: bytes, known_secrets: Iterable[str] = ()) -> Redactor:
        """A redactor with every registered finder."""
        return Redactor(self.redactors.values(), key, known_secrets)

    def make_scorer(self, spec: ScorerSpec, context: ScorerContext) -> Scorer:
        """Make a scorer ready for one suite and one release; option ``as`` renames its metric.

        Raises:
            InputError: the name is unknown, options are wrong or a plugin's factory fails: everything at
                once, each where the suite writes it.
        """
        try:
            return self._made(spec, context)
        except OptionError as error:
            raise InputError(
                Problem(
                    Place(str(context.suite_path), *spec.spot(problem.at, key=problem.key)),
                    f"scorer {spec.name}: {problem.what}",
                )
                for problem in error.problems
            ) from error

    def _made(self, spec: ScorerSpec, context: ScorerContext) -> Scorer:
        """As ``make_scorer``, but what is wrong is an OptionError: a scorer within another has no place."""
        scorers = self._scorers.mapping()
        entry = scorers.get(spec.name)
        if entry is None:
            raise OptionError([OptionProblem(f"there is no such scorer{suggest(spec.name, scorers)}")])
        options = dict(spec.options)
        name = options.pop("as", None)
        problems = []
        if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
            problems.append(OptionProblem(f"option 'as' must be a metric's name (is {name!r})", ("as",)))
        made: Scorer | Judge | None = None
        try:
            made = entry.factory(options, context)
        except OptionError as error:
            problems += error.problems
        except InputError as error:
            problems += [OptionProblem(_line(problem.what)) for problem in error.problems]
        except ValueError as error:
            problems.append(OptionProblem(_line(str(error))))
        except (Exception, SystemExit) as error:  # a project's own factory may raise anything
            problems.append(OptionProblem(_line(f"cannot be made ({type(error).__name__}: {error})")))
        else:
            given: object = made  # a plugin's factory may return anything
            if not callable(given) and not isinstance(given, Scorer):
                what = f"its factory returned {type(given).__name__}, not a function (case, response)"
                problems.append(OptionProblem(what))
        if problems:
            raise OptionError(problems)
        if not isinstance(made, Scorer):
            assert made is not None
            metric = Metric(spec.name, entry.kind, entry.higher_is_better)
            made = Scorer(spec.name, metric, made, entry.forbids)
        if name is None:
            return made
        return replace(made, metric=replace(made.metric, name=name))

    def owns(self, name: str) -> bool:
        """Whether a scorer is relgate's own."""
        return name in self._scorers.mapping() and self._scorers.owner(name) == OWN

    def _find(self, text: str) -> list[Finding]:
        return find(text, self.redactors.values())


def _line(text: str) -> str:
    """What a plugin's exception says, as one line without secrets."""
    return mask(" ".join(text.split()))


def _code(plugin: object) -> str:
    """A plugin's code by digest; its name where it has no file."""
    file = getattr(plugin, "__file__", None)
    try:
        return digest_bytes(Path(str(file)).read_bytes()) if file else repr(type(plugin))
    except OSError:
        return str(file)
