import os
import subprocess

import pytest

from tidegate import Server

ENGINES = ["sqlite"] + (["postgres"] if os.environ.get("TIDEGATE_TEST_POSTGRES_URL") else [])


# Files run beside each other in two processes, each with schemas of its own.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")


def psql(statement):
    """Runs a statement on the test server with the unmodified psql."""
    command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", os.environ["TIDEGATE_TEST_POSTGRES_URL"], "-c", statement]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def fresh_postgres(schema):
    """The URL of an empty schema of its own: the test server's role may make no databases."""
    url = os.environ["TIDEGATE_TEST_POSTGRES_URL"]
    drop_postgres(schema)
    psql(f"CREATE SCHEMA {schema}_{WORKER}")
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}_{WORKER}"


def drop_postgres(schema):
    psql(f"SET client_min_messages = warning; DROP SCHEMA IF EXISTS {schema}_{WORKER} CASCADE")


@pytest.fixture(scope="module", params=ENGINES)
def server(request, tmp_path_factory):
    """One server for a test file, on each engine; tests keep apart by tenants of their own."""
    schema = "acceptance_" + request.module.__name__
    database = fresh_postgres(schema) if request.param == "postgres" else "sqlite"
    running = Server(tmp_path_factory.mktemp("server"), database)
    yield running
    status = running.stop()
    if request.param == "postgres":
        drop_postgres(schema)
    assert status == 0, running.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def sqlite_server(tmp_path_factory):
    """One server for a test file whose subject is not the database."""
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(params=ENGINES)
def own_server_of_each_engine(request, tmp_path):
    """As `own_server`, on each engine."""
    schema = "acceptance_own"
    running = Server(tmp_path, fresh_postgres(schema) if request.param == "postgres" else "sqlite")
    yield running
    running.stop()
    if request.param == "postgres":
        drop_postgres(schema)


@pytest.fixture
def own_server(tmp_path):
    """A server that the test may stop, kill and restart."""
    running = Server(tmp_path)
    yield running
    running.stop()
