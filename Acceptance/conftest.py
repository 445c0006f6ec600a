import os

import pytest

from tidegate import Server

ENGINES = ["sqlite"] + (["postgres"] if os.environ.get("TIDEGATE_TEST_POSTGRES_URL") else [])


def fresh_postgres(name):
    """A database of its own on the test server, by the unmodified psql."""
    import subprocess

    url = os.environ["TIDEGATE_TEST_POSTGRES_URL"]
    subprocess.run(["psql", url, "-q", "-c", f'DROP DATABASE IF EXISTS "{name}"', "-c", f'CREATE DATABASE "{name}"'], check=True)
    base, _, query = url.partition("?")
    head, _, _ = base.rpartition("/")
    return f"{head}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="module", params=ENGINES)
def server(request, tmp_path_factory):
    """One server for a test file, on each engine; tests keep apart by tenants of their own."""
    database = "sqlite"
    if request.param == "postgres":
        database = fresh_postgres("acceptance_" + request.module.__name__)
    running = Server(tmp_path_factory.mktemp("server"), database)
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture
def own_server(tmp_path):
    """A server that the test may stop, kill and restart."""
    running = Server(tmp_path)
    yield running
    running.stop()
