"""The hooks by which a project or a package adds to the catalog."""

from __future__ import annotations

import pluggy

from relgate.catalog.registers import ApplicationFactory, Register, Renderer, ScorerRegister
from relgate.redaction import Finder

hookspec = pluggy.HookspecMarker("relgate")
hookimpl = pluggy.HookimplMarker("relgate")
"""Marks a hook's implementation; functions whose names begin with ``relgate_register_`` need no mark."""


class CatalogHooks:
    """The hooks that a plugin may implement; each gets one function, ``register``."""

    @hookspec
    def relgate_register_scorers(self, register: ScorerRegister) -> None:
        """Add scorers.

        A scorer is a function of a case and a response that returns a number, a truth value, or None where
        it does not apply. One with options is made by a factory, which raises ValueError with a sentence
        for the user when an option is wrong::

            def polite(case, response):
                return "please" in response.output.lower()

            def make_shorter_than(options, context):
                words = options["words"]
                return lambda case, response: len(response.output.split()) < words

            def relgate_register_scorers(register):
                register("polite", polite)
                register("length", lambda case, response: len(response.output), kind="count")
                register.factory("shorter_than", make_shorter_than)
        """

    @hookspec
    def relgate_register_applications(self, register: Register[ApplicationFactory]) -> None:
        """Add kinds of application: a factory of the manifest's entry and the release gives a Responder.

        Example::

            def relgate_register_applications(register):
                register("queue", lambda spec, release: QueueResponder(spec.value, release))
        """

    @hookspec
    def relgate_register_artifact_kinds(self, register: Register[str]) -> None:
        """Add kinds of artifact that a manifest may list, each with a few words that say what it is.

        Example::

            def relgate_register_artifact_kinds(register):
                register("voice", "the voice that reads answers aloud")
        """

    @hookspec
    def relgate_register_redactors(self, register: Register[Finder]) -> None:
        """Add finders of what must not be stored: a text in, ``(start, end, TYPE)`` out.

        Example::

            def customer_numbers(text):
                for match in re.finditer(r"KD-[0-9]{8}", text):
                    yield match.start(), match.end(), "CUSTOMER"

            def relgate_register_redactors(register):
                register("customer_number", customer_numbers)
        """

    @hookspec
    def relgate_register_renderers(self, register: Register[Renderer]) -> None:
        """Add report files: the document of scorecard.json in, the file's text out.

        Example::

            def relgate_register_renderers(register):
                register("csv", lambda scorecard: to_csv(scorecard["gates"]))
        """
