import contextlib
import os
import subprocess

import pytest

from receivers import Authority
from tidegate import Server

ENGINES = ["sqlite"] + (["postgres"] if os.environ.get("TIDEGATE_TEST_POSTGRES_URL") else [])


# Files run beside each other in two processes, each with schemas of its own.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")


def psql(statement):
    """Runs a statement on the test server with the unmodified psql."""
    command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", os.environ["TIDEGATE_TEST_POSTGRES_URL"], "-c", statement]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def schema_of(name):
    """What a schema of this process is called."""
    return f"{name}_{WORKER}"


def fresh_postgres(schema):
    """The URL of an empty schema of its own: the test server's role may make no databases."""
    url = os.environ["TIDEGATE_TEST_POSTGRES_URL"]
    drop_postgres(schema)
    psql(f"CREATE SCHEMA {schema_of(schema)}")
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema_of(schema)}"


def drop_postgres(schema):
    psql(f"SET client_min_messages = warning; DROP SCHEMA IF EXISTS {schema_of(schema)} CASCADE")


@contextlib.contextmanager
def server_on(engine, folder, schema, environment=None):
    """A server on an engine, on PostgreSQL in a schema of its own; both end with the block."""
    running = Server(folder, fresh_postgres(schema) if engine == "postgres" else "sqlite", environment)
    try:
        yield running
    finally:
        running.stop()
        if engine == "postgres":
            drop_postgres(schema)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate authority of a test file's own, for what its servers ask or are asked by."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module", params=ENGINES)
def server(request, tmp_path_factory):
    """One server for a test file, on each engine; tests keep apart by tenants of their own."""
    with server_on(request.param, tmp_path_factory.mktemp("server"), "acceptance_" + request.module.__name__) as running:
        yield running
        assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def sqlite_server(tmp_path_factory):
    """One server for a test file whose subject is not the database."""
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(params=ENGINES)
def own_server_of_each_engine(request, tmp_path):
    """As `own_server`, on each engine."""
    with server_on(request.param, tmp_path, "acceptance_own") as running:
        yield running


@pytest.fixture
def own_server(tmp_path):
    """A server that the test may stop, kill and restart."""
    running = Server(tmp_path)
    yield running
    running.stop()
