"""Where the registry is: an option, a variable, the ini file, or ``.relgate/registry.db`` in the project."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from relgate.domain.errors import RegistryError
from relgate.files.paths import expanded, resolved, unusable

VARIABLE = "RELGATE_REGISTRY"
INI_KEY = "relgate_registry"
DEFAULT = Path(".relgate") / "registry.db"
POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
SQLITE_SCHEMES = ("sqlite", "sqlite+pysqlite")


def registry_url(option: str | None, environment: Mapping[str, str], start: Path) -> str:
    """The registry's place: an absolute path of a SQLite file, or a PostgreSQL URL.

    Args:
        option: ``--registry``, None or "" when it was not given.
        environment: the process's variables.
        start: the folder from which relative paths count and the project is looked for.

    Raises:
        RegistryError: the place is of no kind that relgate can use, or an ini file cannot be read.
    """
    given = option or environment.get(VARIABLE)
    if given:
        return normalise(given, start)
    root = project_root(start)
    configured = ini_value(root, INI_KEY)
    return normalise(configured, root) if configured else str(root / DEFAULT)


def responses_file(url: str, rootdir: Path) -> Path:
    """Where the answers of runs are kept: beside a registry file, else in the project.

    Args:
        url: of ``registry_url``.
        rootdir: the project.
    """
    folder = rootdir / DEFAULT.parent if is_postgres(url) else Path(url).parent
    return folder / "responses.db"


def project_root(start: Path) -> Path:
    """The nearest parent with pyproject.toml or pytest.ini, else with a registry, else the folder itself."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file() or (folder / "pytest.ini").is_file():
            return folder
    return next((folder for folder in (start, *start.parents) if (folder / DEFAULT).is_file()), start)


def ini_value(root: Path, key: str) -> str | None:
    """A key of pytest's ini in this folder; pytest.ini goes before pyproject.toml, as in pytest."""
    ini, pyproject = root / "pytest.ini", root / "pyproject.toml"
    try:
        if ini.is_file():
            parser = configparser.ConfigParser(interpolation=None)
            parser.read(ini, encoding="utf-8")
            return parser.get("pytest", key, fallback=None)
        if pyproject.is_file():
            with pyproject.open("rb") as file:
                table = tomllib.load(file).get("tool", {}).get("pytest", {})
            value = table.get("ini_options", table).get(key)
            return None if value is None else str(value)
    except (configparser.Error, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise RegistryError(f"{ini if ini.is_file() else pyproject} cannot be read: {error}") from None
    return None


def normalise(place: str, base: Path) -> str:
    """An absolute path for a SQLite file, the URL itself for PostgreSQL.

    Raises:
        RegistryError: another kind of database, or SQLite without a file.
    """
    scheme, separator, rest = place.partition("://")
    if not separator:
        return _file(base / expanded(place), place)
    if scheme in POSTGRES_SCHEMES:
        return place
    if scheme in SQLITE_SCHEMES:
        path = rest.removeprefix("/").partition("?")[0]
        if path in ("", ":memory:"):
            raise RegistryError(
                f"{place} has no file, and a registry must outlive the run: sqlite:///registry.db"
            )
        return _file(base / Path(path), place)
    raise RegistryError(
        f"{scheme}:// is no place for a registry; use a path, sqlite:///path or postgresql://user@host/database"
    )


def _file(path: Path, place: str) -> str:
    reason = unusable(path)
    if reason:
        raise RegistryError(f"{place[:60]!r} cannot be a registry's file ({reason}); name another place")
    return str(resolved(path))


def is_postgres(place: str) -> bool:
    """Whether a normalised place is a PostgreSQL URL."""
    return place.partition("://")[0] in POSTGRES_SCHEMES


def shown(place: str) -> str:
    """The place for the eye: passwords are dots, in the authority and in the query."""
    if "://" not in place:
        return place
    parts = urlsplit(place)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = [(k, "***" if "password" in k.lower() else v) for k, v in parse_qsl(parts.query)]
    netloc = f"{name}{':***' if colon else ''}{at}{host}"
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(query, safe="*/"), ""))
