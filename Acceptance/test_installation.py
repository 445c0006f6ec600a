"""What belongs together stays together: database, keys and name of one installation; and a server outlives whoever
should have read its log."""

import contextlib
import os
import shutil
import stat
import subprocess

import pytest
import requests

from tidegate import BINARY, Server, free_port, run, wait_for


def environment(**settings):
    ports = {f"TIDEGATE_LISTENERS_{name}": f"127.0.0.1:{free_port()}" for name in ("PEOPLE", "DEVICE", "MQTT", "METRICS")}
    return {**os.environ, **ports, **settings}


def refused(data, *arguments, **settings):
    """Starts a server that must refuse; returns all that it says, which is one line for whoever started it."""
    done = run(BINARY, "serve", "--data", data, *arguments, env=environment(**settings), check=False)
    assert done.returncode == 1, done.stderr.decode()[-2000:]
    assert done.stdout == b"", "a start that is refused greets nobody"
    said = [line for line in done.stderr.decode().splitlines() if line.startswith("tidegate: ")]
    assert len(said) == 1, done.stderr.decode()[-2000:]
    return said[0]


def test_a_database_without_its_keys_is_refused(own_server, tmp_path):
    own_server.tenant("acme")
    assert own_server.stop() == 0
    keys = own_server.data / "keys"
    shutil.move(keys, tmp_path / "elsewhere")
    said = refused(own_server.data)
    assert "keys are not there" in said and "root.wrapped" in said, said
    assert list(keys.iterdir()) == [], "nothing new was made"
    keys.rmdir()
    shutil.move(tmp_path / "elsewhere", keys)
    own_server.start()
    assert own_server.admin("tenant", "show", "acme")["slug"] == "acme"


def test_keys_without_their_database_are_refused(own_server, tmp_path):
    assert own_server.stop() == 0
    database = own_server.data / "tidegate.db"
    shutil.move(database, tmp_path / "elsewhere.db")
    assert "the database is empty" in refused(own_server.data)
    for left in own_server.data.glob("tidegate.db*"):
        left.unlink()
    shutil.move(tmp_path / "elsewhere.db", database)
    own_server.start()


def test_keys_and_database_of_two_installations_are_refused(own_server, tmp_path):
    other = Server(tmp_path / "other") if (tmp_path / "other").mkdir() is None else None
    assert own_server.stop() == 0 and other.stop() == 0
    shutil.copy(other.data / "tidegate.db", own_server.data / "tidegate.db")
    assert "two installations" in refused(own_server.data)


def test_another_name_for_an_installation_is_refused(own_server):
    assert own_server.stop() == 0
    said = refused(own_server.data, TIDEGATE_DEPLOYMENT="other.example.com")
    assert "localhost" in said and "other.example.com" in said, said
    own_server.start()


def test_an_installation_of_an_earlier_version_is_taken_over(own_server):
    """Neither half knew of the other then."""
    import sqlite3

    assert own_server.stop() == 0
    (own_server.data / "keys" / "installation").unlink()
    with sqlite3.connect(own_server.data / "tidegate.db") as database:
        database.execute("DELETE FROM installation")
    own_server.start()
    assert (own_server.data / "keys" / "installation").read_text()


def test_a_directory_that_was_there_before_keeps_its_content_private(tmp_path):
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data").chmod(0o755)
    server = Server(tmp_path)
    try:
        for path in server.data.rglob("*"):
            # The server runs, and may remove what it is done with.
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and path.parent.name != "trust":
                    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    finally:
        server.stop()


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("where", ["full", "gone"])
def test_a_log_that_nobody_takes_does_not_end_the_server(tmp_path, form, where):
    ports = {name: free_port() for name in ("PEOPLE", "DEVICE", "MQTT", "METRICS")}
    settings = {f"TIDEGATE_LISTENERS_{name}": f"127.0.0.1:{port}" for name, port in ports.items()}
    if where == "full":
        taker = open("/dev/full", "wb")
    else:
        read, write = os.pipe()
        os.close(read)
        taker = os.fdopen(write, "wb")
    with taker:
        process = subprocess.Popen(
            [str(BINARY), "serve", "--data", str(tmp_path / "data")], stdout=taker, stderr=taker,
            env={**os.environ, **settings, "TIDEGATE_LOG_FORMAT": form, "TIDEGATE_LOG_LEVEL": "debug"})

        def ready():
            assert process.poll() is None, process.returncode
            try:
                return requests.get(f"http://127.0.0.1:{ports['METRICS']}/readyz", timeout=2).status_code == 200
            except (requests.ConnectionError, requests.Timeout):
                return False

        try:
            wait_for(ready, "the server is ready")
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_the_data_directory_may_come_from_the_environment(tmp_path):
    (tmp_path / "file").write_text("")
    said = subprocess.run(
        [str(BINARY), "serve"], env=environment(TIDEGATE_DATA=str(tmp_path / "file" / "data")), capture_output=True,
        timeout=60)
    assert said.returncode == 1 and str(tmp_path / "file" / "data") in said.stderr.decode(), said.stderr
