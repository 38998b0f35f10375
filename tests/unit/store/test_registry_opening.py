from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from relgate.domain.errors import MissingExtra, RegistryError
from relgate.store import database, opening
from relgate.store.opening import NoRegistryError, open_registry
from relgate.store.tables import SCHEMA, VERSION_TABLE, metadata

FIXTURE = Path(__file__).parents[2] / "fixtures" / "registry-0001.db"


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_new_registry_gets_its_folders_its_tables_and_write_ahead_logging(tmp_path):
    path = tmp_path / "a" / "b" / "registry.db"
    with open_registry(path) as registry:
        assert registry.runs() == []
        assert registry.place == str(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall() == [(SCHEMA,)]
    assert not list(path.parent.glob("*-wal"))


def test_migrations_make_exactly_the_tables_of_this_version(place):
    open_registry(place).close()
    url = place.replace("postgresql://", "postgresql+psycopg://") if "://" in place else f"sqlite:///{place}"
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_an_up_to_date_registry_is_opened_without_alembic(tmp_path):
    path = tmp_path / "registry.db"
    open_registry(path).close()
    code = (
        "import sys; from relgate.store.opening import open_registry; open_registry(sys.argv[1]).close(); "
        "print('alembic' in sys.modules, 'sqlalchemy.orm' in sys.modules)"
    )
    assert run_python(code, str(path)).stdout.split() == ["False", "False"]


def test_a_registry_of_a_newer_relgate_is_refused_by_its_version(tmp_path):
    path = tmp_path / "registry.db"
    open_registry(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0042'")
    with pytest.raises(RegistryError, match=r"schema 0042.*up to 0003.*upgrade relgate"):
        open_registry(path)


def test_an_older_registry_is_upgraded_and_keeps_its_rows(tmp_path, make, monkeypatch):
    path = tmp_path / "registry.db"
    make.make(path)
    migrations = tmp_path / "migrations"
    shutil.copytree(opening.MIGRATIONS, migrations)
    (migrations / "versions" / "0004_note.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = '0004'\ndown_revision = '0003'\n"
        "def upgrade():\n"
        "    with op.batch_alter_table('runs') as batch:\n"
        "        batch.add_column(sa.Column('note', sa.Text(), nullable=False, server_default='none'))\n"
        "        batch.alter_column('manifest_path', nullable=True)\n"
    )
    monkeypatch.setattr(opening, "MIGRATIONS", migrations)
    monkeypatch.setattr(opening, "SCHEMA", "0004")
    with open_registry(path) as registry:
        assert len(registry.runs()) == 3
        assert len(registry.measurements("0a1b")) == 16
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT DISTINCT note FROM runs").fetchall() == [("none",)]


def test_a_failing_upgrade_leaves_the_registry_as_it_was(tmp_path, make, monkeypatch):
    path = tmp_path / "registry.db"
    make.make(path)
    migrations = tmp_path / "migrations"
    shutil.copytree(opening.MIGRATIONS, migrations)
    (migrations / "versions" / "0004_bad.py").write_text(
        "from alembic import op\nrevision = '0004'\ndown_revision = '0003'\n"
        "def upgrade():\n"
        "    op.drop_table('scores')\n"
        "    op.drop_table('there is no such table')\n"
    )
    with monkeypatch.context() as patched:
        patched.setattr(opening, "MIGRATIONS", migrations)
        patched.setattr(opening, "SCHEMA", "0004")
        with pytest.raises(RegistryError, match="no such table"):
            open_registry(path)
    with open_registry(path) as registry:
        assert registry.measurements("0a1b")[0].scores == {"exact": 1.0, "citations": 1.0}


def test_the_registry_file_of_schema_0001_can_be_read_whole(tmp_path):
    path = tmp_path / "registry.db"
    shutil.copy(FIXTURE, path)
    with open_registry(path) as registry:
        assert [(run.id, run.decision, run.attempt) for run in registry.runs()] == [
            ("2c3d4e5f6071", "reject", 1),
            ("1b2c3d4e5f60", "promote", 1),
            ("0a1b2c3d4e5f", "promote", None),
        ]
        assert [(row.alias, row.release.label, row.waived) for row in registry.aliases()] == [
            ("production", "support-desk@1.3.1", True),
            ("previous", "support-desk@1.3.0", False),
        ]
        assert [waiver.reason for waiver in registry.waivers("support-desk")] == ["hotfix for the outage"]
        assert [release.version for release in registry.releases()] == ["1.2.4", "1.3.0", "1.3.1"]
        assert registry.releases()[1].artifacts[1].version == "v15"
        stored = registry.judged("key-new")
        assert stored is not None
        assert stored.scorecard["verdict"]["decision"] == "promote"
        assert len(registry.measurements("2c3d")) == 16
        assert len(registry.cases("2c3d", "regressed")) == 1
        assert registry.regression_cases()[0].redacted == {"EMAIL": 1}
        assert len(registry.redaction_key()) == 64


def test_the_committed_registry_file_is_small():
    assert FIXTURE.stat().st_size < 200_000


def test_a_file_that_is_no_database_is_an_error_with_a_remedy(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello, this is no database at all" * 100)
    with pytest.raises(RegistryError, match=r"notes\.txt: file is not a database; .*--registry"):
        open_registry(path)
    assert path.read_text().startswith("hello")


def test_a_folder_in_place_of_the_file_is_an_error_with_a_remedy(tmp_path):
    with pytest.raises(RegistryError, match=r"is a folder; name a file in it: --registry .*registry\.db"):
        open_registry(tmp_path)


def test_a_file_in_place_of_the_folder_is_an_error_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match=r"make its folder writable"):
        open_registry(tmp_path / "file" / "registry.db")


def test_another_applications_database_is_left_alone(tmp_path):
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE customers (id)")
    with pytest.raises(RegistryError, match="another application's database"):
        open_registry(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_a_damaged_registry_is_an_error_with_a_remedy(tmp_path, make):
    path = tmp_path / "registry.db"
    make.make(path)
    content = bytearray(path.read_bytes())
    content[4096:60000] = b"\xff" * (60000 - 4096)
    path.write_bytes(content)
    with pytest.raises(RegistryError, match="restore it from a backup"), open_registry(path) as registry:
        registry.runs()


def test_a_registry_that_must_be_there_is_not_created(tmp_path):
    path = tmp_path / "none" / "registry.db"
    with pytest.raises(NoRegistryError, match=r"there is no registry at .* yet"):
        open_registry(path, create=False)
    assert not path.parent.exists()


@pytest.fixture
def read_only_folder():
    """A folder that this process cannot write, even when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="relgate-read-only-"))
    folder.chmod(0o555)
    as_root = os.geteuid() == 0
    if as_root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if as_root:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_a_read_only_folder_is_an_error_with_a_remedy(read_only_folder):
    with pytest.raises(RegistryError, match="unable to open database file; make its folder writable"):
        open_registry(read_only_folder / "registry.db")
    with pytest.raises(RegistryError, match="Permission denied; make its folder writable"):
        open_registry(read_only_folder / "new" / "registry.db")


def test_without_its_driver_postgresql_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r'pip install "relgate\[postgres\]"'):
        open_registry("postgresql://me:secret-word@127.0.0.1:1/db")


def test_a_server_that_is_away_is_an_error_without_the_password():
    pytest.importorskip("psycopg")
    with pytest.raises(RegistryError, match="check that the server is up") as caught:
        open_registry("postgresql://me:secret-word@127.0.0.1:1/db")
    assert "secret-word" not in str(caught.value)


def test_a_busy_registry_is_waited_for_and_then_an_error(tmp_path, monkeypatch, make):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    path = tmp_path / "registry.db"
    with open_registry(path) as registry, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RegistryError, match=r"locked; another process has been writing"):
            registry.record(make.run_record("a", make.release("1.0.0")))
        assert registry.runs() == []  # reading does not wait for a writer
        other.execute("COMMIT")
        assert registry.record(make.run_record("a", make.release("1.0.0"))) == 0
