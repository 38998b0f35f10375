# ruff: noqa: E501 (a problem is one line, whatever its length)

from __future__ import annotations

import types
from pathlib import Path

import pytest

from relgate.catalog import Catalog, hookimpl
from relgate.domain.case import Case, ScorerSpec
from relgate.domain.errors import CatalogError, InputError
from relgate.domain.metric import Metric
from relgate.domain.release import ApplicationSpec, Release
from relgate.domain.response import Response
from relgate.domain.scorer import Scorer, ScorerContext

RELEASE = Release("desk", "1", "team", "sha256:0", Path("m.yaml"), ApplicationSpec("recording", "x"))
CONTEXT = ScorerContext(Path("golden/suite.yaml"), RELEASE)


def plugin(source: str, file: str = "/project/conftest.py") -> types.ModuleType:
    module = types.ModuleType("conftest")
    module.__file__ = file
    exec(compile(source, file, "exec"), module.__dict__)
    return module


def scorers(line: str) -> types.ModuleType:
    return plugin(f"def relgate_register_scorers(register):\n    {line}")


def make(catalog: Catalog, name: str, **options: object) -> Scorer:
    return catalog.make_scorer(ScorerSpec(name, options, 4, 11), CONTEXT)


def test_the_built_in_scorers_are_there():
    names = {"exact", "contains", "one_of", "regex", "numeric", "json_schema", "citations", "tool_call"}
    names |= {"refusal", "no_pii", "no_secrets", "must_not", "recorded", "regression"}
    names |= {"judge", "grounded"}
    assert set(Catalog.load().scorer_names) == names


def test_a_plain_function_in_a_conftest_is_a_scorer():
    catalog = Catalog.load([scorers("register('polite', lambda case, r: 'please' in r.output)")])
    polite = make(catalog, "polite")
    assert polite.metric == Metric("polite", "binary")
    assert polite.judge(Case("c", "?"), Response("please")) is True


def test_a_marked_function_and_an_object_are_plugins_too():
    class Plugin:
        @hookimpl
        def relgate_register_scorers(self, register):
            register("polite", lambda case, response: 1)

    assert "polite" in Catalog.load([Plugin()]).scorer_names


def test_the_same_plugin_given_twice_counts_once():
    conftest = scorers("register('polite', lambda case, r: 1)")
    assert "polite" in Catalog.load([conftest, conftest]).scorer_names


def test_kind_and_direction_come_from_the_registration():
    catalog = Catalog.load(
        [
            plugin(
                "def relgate_register_scorers(register):\n"
                "    judge = lambda case, response: 1\n"
                "    register('words', judge, kind='count')\n"
                "    register('smiles', judge, kind='count', higher_is_better=True)\n"
                "    register('no_slang', judge, forbids=True)\n"
            )
        ]
    )
    assert make(catalog, "words").metric == Metric("words", "count", higher_is_better=False)
    assert make(catalog, "smiles").metric == Metric("smiles", "count")
    assert make(catalog, "no_slang").forbids


def test_a_factory_gets_options_and_context():
    source = (
        "def make_longer(options, context):\n"
        "    words = options['words']\n"
        "    if words < 1: raise ValueError('words must be 1 or more')\n"
        "    return lambda case, response: len(response.output.split()) > words\n"
        "def relgate_register_scorers(register):\n"
        "    register.factory('longer', make_longer)\n"
    )
    catalog = Catalog.load([plugin(source)])
    assert make(catalog, "longer", words=1).judge(Case("c", "?"), Response("a b")) is True
    with pytest.raises(InputError, match=r"golden/suite\.yaml:4:11: scorer longer: words must be 1 or more"):
        make(catalog, "longer", words=0)
    with pytest.raises(InputError, match=r":4:11: scorer longer: cannot be made \(KeyError: 'words'\)$"):
        make(catalog, "longer")


def test_as_renames_the_metric():
    assert make(Catalog.load(), "exact", **{"as": "answer_right"}).metric.name == "answer_right"
    with pytest.raises(InputError, match="option 'as' must be a metric's name"):
        make(Catalog.load(), "exact", **{"as": "a b"})


def test_an_unknown_scorer_or_option_is_an_error_at_its_place_with_a_suggestion():
    with pytest.raises(InputError) as caught:
        make(Catalog.load(), "exct")
    assert (
        str(caught.value)
        == "golden/suite.yaml:4:11: scorer exct: there is no such scorer, did you mean 'exact'?"
    )
    with pytest.raises(InputError, match="unknown option 'atleast', did you mean 'at_least'"):
        make(Catalog.load(), "citations", atleast=2)
    with pytest.raises(InputError, match="scorer polite: unknown option 'x', it takes none"):
        make(Catalog.load([scorers("register('polite', lambda case, r: 1)")]), "polite", x=1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "register('exact', lambda c, r: 1)",
            "registers the scorer 'exact', which relgate registered before",
        ),
        ("register('a b', lambda c, r: 1)", "a name is a letter"),
        ("register('x', lambda r: 1)", "must be a function (case, response)"),
        ("register('x', 3)", "must be a function (case, response)"),
        ("register.factory('x', lambda o: 1)", "must be a function (options, context)"),
        ("register('x', lambda c, r: 1, kind='units')", "did you mean 'unit'"),
        ("register('x', lambda c, r: 1, kind='unit', forbids=True)", "it must be binary"),
        ("1 / 0", "relgate_register_scorers fails, ZeroDivisionError: division by zero"),
    ],
)
def test_a_plugin_that_registers_nonsense_is_named(line, message):
    with pytest.raises(CatalogError) as caught:
        Catalog.load([scorers(line)])
    assert str(caught.value).startswith("/project/conftest.py:2:1: ")
    assert message in str(caught.value)


def test_an_async_scorer_is_refused():
    source = "async def judge(case, response): return 1\n"
    source += "def relgate_register_scorers(register): register('x', judge)"
    with pytest.raises(CatalogError, match="not async"):
        Catalog.load([plugin(source)])


def test_two_plugins_with_one_name_are_both_named():
    line = "def relgate_register_scorers(register): register('polite', lambda case, r: 1)"
    with pytest.raises(
        CatalogError, match=r"/b/conftest\.py:1:1: registers .*'polite', which /a/conftest\.py"
    ):
        Catalog.load([plugin(line, "/a/conftest.py"), plugin(line, "/b/conftest.py")])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "def relgate_register_scorer(register): ...",
            ":1:1: relgate_register_scorer is no hook of relgate, did you mean relgate_register_scorers",
        ),
        (
            "def relgate_register_scorers(reg): ...",
            ":1:1: relgate_register_scorers takes register only, not reg, write def",
        ),
    ],
)
def test_a_misspelled_hook_is_an_error_never_silence(source, message):
    with pytest.raises(CatalogError, match=message):
        Catalog.load([plugin(source)])


def test_artifact_kinds_applications_and_renderers_are_added():
    source = (
        "def relgate_register_artifact_kinds(register): register('voice', 'reads answers aloud')\n"
        "def relgate_register_applications(register): register('queue', lambda spec, release: None)\n"
        "def relgate_register_renderers(register): register('csv', lambda scorecard: 'a,b')\n"
    )
    catalog = Catalog.load([plugin(source)])
    assert {"model", "voice"} <= set(catalog.artifact_kinds)
    assert set(catalog.applications) == {"queue"}
    assert catalog.renderers["csv"]({}) == "a,b"


@pytest.mark.parametrize(
    ("hook", "name"), [("artifact_kinds", "model"), ("applications", "chat"), ("renderers", "json")]
)
def test_built_in_names_of_every_sort_are_taken(hook, name):
    source = f"def relgate_register_{hook}(register): register({name!r}, lambda *a: None)"
    if hook == "artifact_kinds":
        source = source.replace("lambda *a: None", "'words'")
    with pytest.raises(CatalogError, match="which relgate registered before"):
        Catalog.load([plugin(source)])


def test_a_registered_redactor_serves_redaction_and_no_pii():
    source = (
        "import re\n"
        "def customer_numbers(text):\n"
        "    for match in re.finditer('KD-[0-9]{4}', text):\n"
        "        yield match.start(), match.end(), 'CUSTOMER'\n"
        "def relgate_register_redactors(register): register('customer_number', customer_numbers)\n"
    )
    catalog = Catalog.load([plugin(source)])
    redacted = catalog.redactor(b"key").redact("KD-1234 and jo@example.com")
    assert redacted.counts == {"CUSTOMER": 1, "EMAIL": 1}
    assert make(catalog, "no_pii").judge(Case("c", "?"), Response("KD-1234")) is False


def install(folder: Path, package: str, value: str) -> None:
    metadata = folder / f"{package}-2.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.1\n")
    (metadata / "entry_points.txt").write_text(f"[relgate]\nhouse = {value}\n")


def test_an_installed_package_registers_by_its_entry_point(tmp_path, monkeypatch):
    install(tmp_path, "house_scorers", "relgate_house_scorers_test")
    (tmp_path / "relgate_house_scorers_test.py").write_text(
        "def relgate_register_scorers(register): register('house', lambda case, response: 1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert "house" in Catalog.load().scorer_names
    with pytest.raises(CatalogError, match=r"'house', which entry point house of house_scorers 2\.1"):
        Catalog.load([scorers("register('house', lambda case, r: 1)")])


def test_a_package_that_cannot_be_loaded_is_named(tmp_path, monkeypatch):
    install(tmp_path, "broken_scorers", "no_such_module_of_relgate_tests")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        CatalogError, match=r"house of broken_scorers 2\.1: cannot be loaded, ModuleNotFoundError"
    ):
        Catalog.load()


def test_a_hook_that_exits_is_blamed_without_what_it_leaks() -> None:
    class Leaving:
        @staticmethod
        def relgate_register_scorers(register: object) -> None:
            raise SystemExit("ask ann@example.com")

    with pytest.raises(CatalogError, match=r"relgate_register_scorers fails, SystemExit: ask <EMAIL>"):
        Catalog.load([Leaving])


def test_a_hook_from_another_file_is_blamed_there() -> None:
    elsewhere = plugin(
        "def relgate_register_scorers(register):\n    register('exact', print)\n", "/project/own.py"
    )
    conftest = plugin("")
    conftest.relgate_register_scorers = elsewhere.relgate_register_scorers
    _, [problem] = Catalog.read([conftest])
    assert str(problem).startswith("/project/own.py:2:1: registers the scorer 'exact'")


def test_every_wrong_registration_of_every_plugin_is_a_problem_at_its_line() -> None:
    first = plugin(
        "def relgate_register_scorer(register): ...\n"
        "def relgate_register_renderers(reg): ...\n"
        "def relgate_register_redactors(register):\n"
        "    raise ValueError('no table')\n"
        "def relgate_register_scorers(register):\n"
        "    register('polite', lambda case, r: 1)\n"
        "    register('exact', lambda case, r: 1)\n"
        "    register('odd', lambda r: 1)\n"
        "    register('polite', lambda case, r: 1)\n"
        "    register.factory('short', lambda o: 1)\n",
        "/a/conftest.py",
    )
    second = plugin(
        "def relgate_register_scorers(register):\n"
        "    register('calm', lambda case, r: 1)\n"
        "    register('polite', lambda case, r: 1)\n",
        "/b/conftest.py",
    )
    catalog, problems = Catalog.read([first, second])
    assert {"polite", "calm"} <= set(catalog.scorer_names)
    assert not {"odd", "short"} & set(catalog.scorer_names)
    assert sorted(map(str, problems), key=lambda line: (line[1], int(line.split(":")[1]))) == [
        "/a/conftest.py:1:1: relgate_register_scorer is no hook of relgate, did you mean relgate_register_scorers?",
        "/a/conftest.py:2:1: relgate_register_renderers takes register only, not reg, "
        "write def relgate_register_renderers(register)",
        "/a/conftest.py:4:1: relgate_register_redactors fails, ValueError: no table",
        "/a/conftest.py:7:1: registers the scorer 'exact', which relgate registered before",
        "/a/conftest.py:8:1: registers the scorer 'odd', it must be a function (case, response), not async",
        "/a/conftest.py:9:1: registers the scorer 'polite', which this file registered before",
        "/a/conftest.py:10:1: registers the scorer 'short', it must be a function (options, context), not async",
        "/b/conftest.py:3:1: registers the scorer 'polite', which /a/conftest.py registered before",
    ]
    with pytest.raises(CatalogError) as caught:
        Catalog.load([first, second])
    assert str(caught.value).splitlines() == [str(problem) for problem in problems]
