from __future__ import annotations

from pathlib import Path

import pytest

from relgate.domain.errors import RegistryError
from relgate.store.location import registry_url, shown


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    return tmp_path


def test_by_default_it_lies_beside_the_nearest_pyproject(project):
    assert registry_url(None, {}, project / "a" / "b") == str(project / ".relgate" / "registry.db")


def test_a_nearer_pytest_ini_is_the_project(project):
    (project / "a" / "pytest.ini").write_text("[pytest]\n")
    assert registry_url(None, {}, project / "a" / "b") == str(project / "a" / ".relgate" / "registry.db")


def test_without_a_project_it_lies_in_the_current_folder(tmp_path):
    assert registry_url(None, {}, tmp_path) == str(tmp_path / ".relgate" / "registry.db")


def test_without_a_project_file_the_nearest_registry_is_the_projects(tmp_path):
    (tmp_path / ".relgate").mkdir()
    (tmp_path / ".relgate" / "registry.db").touch()
    (tmp_path / "a").mkdir()
    assert registry_url(None, {}, tmp_path / "a") == str(tmp_path / ".relgate" / "registry.db")


def test_the_option_goes_before_the_variable_and_the_variable_before_the_ini(project):
    (project / "pytest.ini").write_text("[pytest]\nrelgate_registry = ini.db\n")
    folder = project / "a"
    assert registry_url(None, {}, folder) == str(project / "ini.db")
    assert registry_url(None, {"RELGATE_REGISTRY": "variable.db"}, folder) == str(folder / "variable.db")
    assert registry_url("option.db", {"RELGATE_REGISTRY": "variable.db"}, folder) == str(folder / "option.db")


@pytest.mark.parametrize("table", ["tool.pytest.ini_options", "tool.pytest"])
def test_the_ini_key_may_stand_in_pyproject(project, table):
    (project / "pyproject.toml").write_text(f"[{table}]\nrelgate_registry = 'shared/reg%istry.db'\n")
    assert registry_url(None, {}, project / "a") == str(project / "shared" / "reg%istry.db")


def test_pytest_ini_goes_before_pyproject(project):
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\nrelgate_registry = 'toml.db'\n")
    (project / "pytest.ini").write_text("[pytest]\n")
    assert registry_url(None, {}, project) == str(project / ".relgate" / "registry.db")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("sqlite:///sub/registry.db", "sub/registry.db"),
        ("sqlite:////srv/registry.db", "/srv/registry.db"),
        ("/srv/registry.db", "/srv/registry.db"),
        ("odd name?.db", "odd name?.db"),
    ],
)
def test_a_sqlite_place_becomes_an_absolute_path(tmp_path, given, path):
    assert registry_url(given, {}, tmp_path) == str(tmp_path / path)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_postgresql_url_stays_as_it_is(tmp_path, scheme):
    url = f"{scheme}://me:word@host:5432/db"
    assert registry_url(url, {}, tmp_path) == url


@pytest.mark.parametrize("given", ["sqlite://", "sqlite:///:memory:"])
def test_a_registry_in_memory_is_refused(tmp_path, given):
    with pytest.raises(RegistryError, match="must outlive the run"):
        registry_url(given, {}, tmp_path)


def test_another_kind_of_database_is_refused_without_showing_the_url(tmp_path):
    with pytest.raises(RegistryError, match="mysql:// is no place for a registry") as caught:
        registry_url("mysql://me:secret-word@host/db", {}, tmp_path)
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize("name", ["pyproject.toml", "pytest.ini"])
def test_an_ini_file_that_cannot_be_read_is_an_error_that_names_it(project, name):
    (project / name).write_text("this is = = neither [\n")
    with pytest.raises(RegistryError, match=f"{name} cannot be read"):
        registry_url(None, {}, project)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("/srv/registry.db", "/srv/registry.db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("postgresql://me:p%40ss@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql://host/db?user=me&password=word", "postgresql://host/db?user=me&password=***"),
        ("postgresql://host/db?sslpassword=word", "postgresql://host/db?sslpassword=***"),
    ],
)
def test_passwords_are_never_shown(place, text):
    assert shown(place) == text
