"""Running it: starts that are refused with one clear line, ordered ends, keys, ceremonies, backups, the demonstration."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
import threading
import time

import paho.mqtt.client as mqtt
import pytest
import requests

from clients import Paho, RawTLS, curl, send
from tidegate import BINARY, Server, free_port, run, wait_for

THEN = 1_700_000_000_000


@pytest.fixture(scope="module")
def server(sqlite_server):
    sqlite_server.tenant("acme")
    return sqlite_server


def environment(**settings):
    """Free ports for all listeners, and these settings."""
    ports = {f"TIDEGATE_LISTENERS_{name}": f"127.0.0.1:{free_port()}" for name in ("PEOPLE", "DEVICE", "MQTT", "METRICS")}
    return {**os.environ, **ports, **settings}


def refused_start(data, *arguments, **settings):
    """Starts a server that must refuse; returns the one line that it says."""
    done = run(BINARY, "serve", "--data", data, *arguments, env=environment(**settings), check=False)
    said = [line for line in done.stderr.decode().splitlines() if line.startswith("tidegate: ")]
    assert done.returncode == 1 and len(said) == 1, (done.returncode, done.stderr.decode()[-2000:])
    assert done.stderr.decode().splitlines()[-1] == said[0], "it is the last line"
    return said[0]


# Starts that are refused


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listners: { people: 127.0.0.1:1 }", "did you mean listeners.people"),
        ("listeners: { poeple: 127.0.0.1:1 }", "did you mean listeners.people"),
        ("databse: sqlite", "did you mean database"),
        ("log: { fromat: json }", "did you mean log.format"),
        ("listeners: { people: nowhere }", "must be HOST:PORT"),
        ("listeners: { people: 127.0.0.1:70000 }", "must be HOST:PORT"),
        ("listeners: { metrics: 0.0.0.0:9464 }", "loopback"),
        ("database: mysql://x", "postgres://"),
        ("telemetry: { days: many }", "whole number"),
        ("telemetry: { days: 0 }", "whole number"),
        ("tls: { people: { certificate: x.pem } }", "belong together"),
        ("deployment: not a host", "host name"),
        ("- a\n- b", "keys and values"),
        ("a: [", "configuration.yaml"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_would_be_right(tmp_path, text, said):
    file = tmp_path / "configuration.yaml"
    file.write_text(text + "\n")
    done = run(BINARY, "serve", "--data", tmp_path / "data", "--config", file, "--port-base", str(free_port()), check=False)
    assert done.returncode == 1 and said in done.stderr.decode(), done.stderr.decode()[-2000:]
    assert not (tmp_path / "data" / "tidegate.db").exists()


def test_an_unreadable_configuration_and_a_wrong_variable_are_named(tmp_path):
    assert "missing.yaml" in refused_start(tmp_path / "data", "--config", tmp_path / "missing.yaml")
    assert "TIDEGATE_LOG_FORMAT" in refused_start(tmp_path / "data", TIDEGATE_LOG_FORMAT="xml")


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("TIDEGATE_LISTENER_PEOPLE", "TIDEGATE_LISTENERS_PEOPLE"),
        ("TIDEGATE_LOGFORMAT", "TIDEGATE_LOG_FORMAT"),
        ("TIDEGATE_DATABSE", "TIDEGATE_DATABASE"),
        ("TIDEGATE_BACKUPS_KEYS", "TIDEGATE_BACKUP_KEYS"),
        ("TIDEGATE_COMPLETELY_DIFFERENT_THING", None),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_known_one(tmp_path, variable, nearest):
    said = refused_start(tmp_path / "data", **{variable: "x"})
    assert f"{variable} is no known variable" in said and "tidegate settings" in said
    assert (f"did you mean {nearest}?" in said) if nearest else ("did you mean" not in said)
    assert not (tmp_path / "data").exists()


def test_variables_of_the_command_line_and_of_tests_are_no_settings(tmp_path):
    names = ("DATA", "URL", "TOKEN", "CA", "RECOVERY_KEY", "UPDATE_SNAPSHOTS", "BINARY", "TEST_ANYTHING")
    server = Server(tmp_path, environment={f"TIDEGATE_{name}": "x" for name in names})
    assert server.stop() == 0


def test_a_variable_of_the_command_line_does_not_keep_the_server_from_starting(tmp_path):
    # The refusal is of the port, which is looked at after the variables.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused_start(
            tmp_path / "data", TIDEGATE_LOGIN=str(tmp_path / "login.json"), TIDEGATE_LISTENERS_PEOPLE=f"127.0.0.1:{port}")
        assert "another program uses it" in said


def test_a_first_password_that_is_no_good_is_named_with_its_key_and_its_rules(tmp_path):
    who = {"TIDEGATE_ADMINISTRATOR_ADDRESS": "root@example.com"}
    said = refused_start(tmp_path / "data", TIDEGATE_ADMINISTRATOR_PASSWORDFILE="/nope", **who)
    assert "administrator.passwordFile" in said and "/nope" in said, said
    file = tmp_path / "password"
    file.write_text("short\n")
    file.chmod(0o600)
    said = refused_start(tmp_path / "data", TIDEGATE_ADMINISTRATOR_PASSWORDFILE=str(file), **who)
    assert "every rule" in said and "15 characters" in said, said


def test_every_setting_is_listed_with_its_variable():
    listed = run(BINARY, "settings").stdout.decode()
    for name in ("listeners.people", "database", "tls.names", "log.format", "backup.directory", "backup.keys"):
        assert name in listed and "TIDEGATE_" + name.upper().replace(".", "_") in listed


@pytest.mark.parametrize("listener", ["PEOPLE", "DEVICE", "MQTT", "METRICS"])
def test_a_busy_port_is_named(tmp_path, listener):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused_start(tmp_path / "data", **{f"TIDEGATE_LISTENERS_{listener}": f"127.0.0.1:{port}"})
        assert not any(path.is_file() for path in (tmp_path / "data" / "keys").rglob("*")), "no key was made"
        assert said == (
            f"tidegate: The {listener.lower()} listener can not open 127.0.0.1:{port}: another program uses it. Stop that program, set "
            f"listeners.{listener.lower()} to another address, or move all ports with --port-base.")


def test_a_path_too_long_for_the_admin_socket_is_refused(tmp_path):
    said = refused_start(tmp_path / ("long" * 30))
    assert "too long for the admin socket" in said and "--data" in said


def test_a_second_process_on_the_same_data_is_refused(server):
    said = refused_start(server.data)
    assert "in use" in said and str(server.process.pid) in said
    assert server.get("/server", server.token("acme", "viewer")).status_code == 200, "the first one goes on"


def test_a_key_that_others_can_read_is_refused(own_server):
    assert own_server.stop() == 0
    keys = [path for path in (own_server.data / "keys").rglob("*") if path.is_file()]
    assert keys
    for key in keys:
        key.chmod(0o644)
        said = refused_start(own_server.data)
        assert key.name in said and "read" in said.lower(), said
        key.chmod(0o600)
    own_server.start()


@pytest.mark.parametrize("what", ["cut", "empty", "random", "gone"])
def test_a_key_that_can_not_be_used_is_named(own_server, what):
    assert own_server.stop() == 0
    names = ["seal.key", "root.wrapped"] + ([] if what == "gone" else ["root-ca.pem", "intermediate-ca.pem", "server-ca.pem"])
    for path in (own_server.data / "keys" / name for name in names):
        good = path.read_bytes()
        if what == "gone":
            path.unlink()
        else:
            path.write_bytes({"cut": good[:-3], "empty": b"", "random": os.urandom(len(good))}[what])
        said = refused_start(own_server.data)
        assert path.name in said and "Restore" in said, said
        path.write_bytes(good)
        path.chmod(0o600)
    own_server.start()


def test_an_operators_certificate_that_can_not_be_read_is_named(tmp_path):
    missing = {"TIDEGATE_TLS_PEOPLE_CERTIFICATE": str(tmp_path / "none.pem"), "TIDEGATE_TLS_PEOPLE_KEY": str(tmp_path / "none.key")}
    assert "none.pem" in refused_start(tmp_path / "data", **missing)
    (tmp_path / "none.pem").write_text("nonsense")
    (tmp_path / "none.key").write_text("nonsense")
    (tmp_path / "none.key").chmod(0o600)
    assert "none." in refused_start(tmp_path / "data", **missing)


def test_a_schema_that_is_newer_than_the_program_is_refused(own_server):
    assert own_server.stop() == 0
    with sqlite3.connect(own_server.data / "tidegate.db") as database:
        [table] = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if "migration" in name]
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        row = dict(zip(columns, database.execute(f"SELECT * FROM {table} WHERE number = 1").fetchone()))
        row["number"] = 9999
        database.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", list(row.values()))
    database.close()
    assert "newer" in refused_start(own_server.data)


def test_a_changed_migration_is_refused(own_server):
    assert own_server.stop() == 0
    with sqlite3.connect(own_server.data / "tidegate.db") as database:
        [table] = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if "migration" in name]
        database.execute(f"UPDATE {table} SET checksum = checksum + 1 WHERE number = 1")
    database.close()
    assert "migration" in refused_start(own_server.data).lower()


def test_a_database_that_can_not_be_reached_is_named(tmp_path):
    said = refused_start(tmp_path / "data", TIDEGATE_DATABASE=f"postgres://nobody@127.0.0.1:{free_port()}/nothing")
    assert "127.0.0.1" in said or "refused" in said, said


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "tidegate.db").write_bytes(b"this is no database at all" * 100)
    assert "database" in refused_start(tmp_path / "data").lower()


# What the first run makes


def test_keys_and_sockets_are_for_the_owner_only(server):
    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(server.data) == 0o700 and mode(server.data / "keys") == 0o700
    assert mode(server.data / "admin.sock") & 0o077 == 0
    for path in (server.data / "keys").rglob("*"):
        assert mode(path) & 0o077 == 0, path
    assert mode(server.data / "tidegate.db") & 0o077 == 0 or mode(server.data) & 0o077 == 0
    for path in server.data.rglob("*"):
        # The server runs, and may remove what it is done with.
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and b"PRIVATE KEY" in path.read_bytes():
                assert path.parent.name == "keys", f"{path} holds a key"


def test_no_secret_is_in_the_servers_log(server):
    device = server.enrolled("acme", "quiet")
    token = server.token("acme", "viewer")
    assert server.points("acme", "quiet", "power", token) is not None
    log = server.log.read_text()
    assert device.token not in log and token not in log and "PRIVATE KEY" not in log


# Health


def test_metrics_health_and_readiness_are_told_on_loopback(server):
    base = f"http://127.0.0.1:{server.ports['metrics']}"
    assert requests.get(f"{base}/healthz", timeout=10).text == "ok\n"
    assert requests.get(f"{base}/readyz", timeout=10).text == "ready\n"
    answer = requests.get(f"{base}/metrics", timeout=10)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    declared = set()
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in ("counter", "gauge", "histogram") and name.startswith("tidegate_") and name not in declared
            declared.add(name)
        elif not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            float(value)
            base_name = name.partition("{")[0]
            assert any(base_name == known or base_name.startswith(known + "_") for known in declared), line
    assert len(declared) > 20


def test_ready_means_that_every_listener_accepts(tmp_path):
    for attempt in range(3):
        place = tmp_path / str(attempt)
        ports = {name: free_port() for name in ("people", "device", "mqtt", "metrics")}
        settings = {f"TIDEGATE_LISTENERS_{name.upper()}": f"127.0.0.1:{port}" for name, port in ports.items()}
        process = subprocess.Popen(
            [BINARY, "serve", "--data", place], env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            seen = set()

            def ready():
                assert process.poll() is None
                try:
                    answer = requests.get(f"http://127.0.0.1:{ports['metrics']}/readyz", timeout=5)
                except requests.RequestException:
                    return False
                seen.add((answer.status_code, answer.text))
                return answer.status_code == 200

            wait_for(ready, "the server is ready")
            # At once, without another try.
            for name in ("people", "device", "mqtt"):
                socket.create_connection(("127.0.0.1", ports[name]), timeout=10).close()
            with socket.socket(socket.AF_UNIX) as admin:
                admin.connect(str(place / "admin.sock"))
            assert all(status == 200 or "not ready: " in text for status, text in seen)
        finally:
            process.terminate()
            assert process.wait(60) == 0


def test_the_listeners_certificates_carry_the_configured_names(tmp_path):
    server = Server(tmp_path, environment={"TIDEGATE_TLS_NAMES": "fleet.example.com,192.0.2.7"})
    try:
        for port in ("people", "device", "mqtt"):
            shown = run("openssl", "s_client", "-connect", f"localhost:{server.ports[port]}", "-CAfile", server.ca, input=b"", check=False)
            text = run("openssl", "x509", "-noout", "-text", input=shown.stdout).stdout.decode()
            for name in ("DNS:localhost", "DNS:fleet.example.com", "IP Address:192.0.2.7", "IP Address:127.0.0.1"):
                assert name in text, (port, name)
            assert "TLS Web Server Authentication" in text and "Client Authentication" not in text
    finally:
        assert server.stop() == 0


def test_people_may_be_shown_the_operators_own_certificate(tmp_path):
    run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=own",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "own.key", "-out", tmp_path / "own.pem")
    (tmp_path / "own.key").chmod(0o600)
    server = Server(
        tmp_path, environment={"TIDEGATE_TLS_PEOPLE_CERTIFICATE": str(tmp_path / "own.pem"), "TIDEGATE_TLS_PEOPLE_KEY": str(tmp_path / "own.key")})
    try:
        url = f"{server.people_url}/api/v1/openapi.json"
        assert requests.get(url, verify=str(tmp_path / "own.pem"), timeout=60).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, verify=str(server.ca), timeout=60)
        server.tenant("acme")
        assert server.enrolled("acme", "meter-1"), "devices are shown the server's own as before"
    finally:
        assert server.stop() == 0


def test_logs_can_be_json(tmp_path):
    server = Server(tmp_path, environment={"TIDEGATE_LOG_FORMAT": "json"})
    server.tenant("acme")
    assert server.stop() == 0
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert len(lines) > 3
    for line in lines:
        assert {"time", "level", "message"} <= json.loads(line).keys() or {"timestamp", "level", "message"} <= json.loads(line).keys()


def free_ports(count=4):
    """The first of so many free ports in a row."""
    while True:
        base = free_port()
        try:
            for offset in range(count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
            return base
        except (OSError, OverflowError):
            continue


def test_port_base_moves_all_listeners(tmp_path):
    base = free_ports()
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            [BINARY, "serve", "--data", tmp_path / "data", "--port-base", str(base)], stdout=log, stderr=subprocess.STDOUT)
    try:
        def ready():
            assert process.poll() is None, (tmp_path / "log").read_text()
            try:
                return requests.get(f"http://127.0.0.1:{base + 3}/readyz", timeout=5).status_code == 200
            except requests.RequestException:
                return False

        wait_for(ready, "the server is ready")
        for offset in range(3):
            socket.create_connection(("127.0.0.1", base + offset), timeout=10).close()
    finally:
        process.terminate()
        assert process.wait(60) == 0


# An ordered end


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_under_load_says_goodbye_and_keeps_what_was_acknowledged(own_server, how):
    server = own_server
    server.tenant("acme")
    device = server.enrolled("acme", "meter-1")
    viewer = server.token("acme", "viewer")
    idle = server.enrolled("acme", "idle")
    with RawTLS(server, idle) as raw, Paho(server, device) as client:
        raw.send(b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03raw")
        raw.connack()
        client.connected()
        sent = {}

        def load():
            number = 0
            while not client.disconnected:
                body = json.dumps({"ts": THEN + number, "values": {"count": number}})
                sent[client.client.publish("telemetry", body, 1).mid] = number
                number += 1
                wait_for(lambda: client.disconnected or len(client.acknowledged) > len(sent) - 10, "acknowledgements")

        thread = threading.Thread(target=load)
        thread.start()
        wait_for(lambda: len(client.acknowledged) > 100, "load")
        assert server.stop(how) == 0
        thread.join()
        assert raw.rest() == b"\xe0\x01\x8b", "DISCONNECT says: server shutting down"
    acknowledged = sorted(sent[mid] for mid in client.acknowledged if mid in sent)
    server.start()
    found = [int(value) for _, value in server.points("acme", "meter-1", "count", viewer)["count"]]
    assert found == sorted(set(found)) and set(acknowledged) <= set(found)
    assert not server.get("/tenants/acme/devices/meter-1", viewer).json()["presence"]["online"]


def idle_tls(server, port, alpn, request=b""):
    """A TLS connection that says something and then neither reads nor closes."""
    plain = socket.create_connection(("127.0.0.1", server.ports[port]), timeout=60)
    context = ssl.create_default_context(cafile=str(server.ca))
    context.set_alpn_protocols(alpn)
    connection = context.wrap_socket(plain, server_hostname="localhost")
    if request:
        connection.sendall(request)
        assert connection.recv(65536)
    return connection


def idle_socket(place, request):
    connection = socket.socket(socket.AF_UNIX) if isinstance(place, str) else socket.socket()
    connection.connect(place)
    connection.sendall(request)
    assert connection.recv(65536)
    return connection


@pytest.mark.parametrize("kind", ["http1", "http2", "handshake", "device", "mqtt", "metrics", "admin", "all"])
def test_a_stop_does_not_wait_for_idle_connections(own_server, kind):
    server = own_server
    request = b"GET /api/v1/trust/server-ca.pem HTTP/1.1\r\nHost: localhost\r\n\r\n"
    settings_frame = b"\0\0\0\4\0\0\0\0\0"
    opened = {
        "http1": lambda: idle_tls(server, "people", ["http/1.1"], request),
        "http2": lambda: idle_tls(server, "people", ["h2"], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings_frame),
        "handshake": lambda: idle_tls(server, "people", ["http/1.1"]),
        "device": lambda: idle_tls(server, "device", ["http/1.1"], b"GET /acme/.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n\r\n"),
        "mqtt": lambda: idle_tls(server, "mqtt", []),
        "metrics": lambda: idle_socket(("127.0.0.1", server.ports["metrics"]), b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
        "admin": lambda: idle_socket(str(server.data / "admin.sock"), b"GET /api/v1/server HTTP/1.1\r\nHost: x\r\n\r\n"),
    }
    connections = [act() for name, act in opened.items() if kind in (name, "all")]
    began = time.monotonic()
    assert server.stop() == 0
    took = time.monotonic() - began
    # To wait for them would take ten seconds and more.
    assert took < 5, f"{took:.2f} s"
    for connection in connections:
        connection.close()


def test_a_stop_lets_a_request_in_progress_finish(own_server, tmp_path):
    server = own_server
    server.tenant("acme")
    count = 20_000
    devices = tmp_path / "devices.csv"
    devices.write_text("name\n" + "".join(f"bulk-{number}\n" for number in range(count)))
    server.admin("device", "bulk", devices, "--tenant", "acme", check=False)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    plain.connect(("127.0.0.1", server.ports["people"]))
    with ssl.create_default_context(cafile=str(server.ca)).wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(
            b"GET /api/v1/tenants/acme/devices/export HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            + server.token("acme", "viewer").encode() + b"\r\n\r\n")
        answer = connection.recv(1024)
        server.process.terminate()
        wait_for(lambda: closed_port(server.ports["people"]), "the listener is closed")
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200") and answer.count(b",bulk-") == count, (answer[:300], answer.count(b",bulk-"))
    assert server.process.wait(15) == 0


def closed_port(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        return False
    except OSError:
        return True


def test_a_stop_does_not_wait_for_idle_people_and_live_streams(own_server):
    own_server.tenant("acme")
    own_server.enrolled("acme", "meter-1")
    headers = {"Authorization": f"Bearer {own_server.token('acme', 'viewer')}"}
    with requests.Session() as session, requests.get(
        f"{own_server.people_url}/api/v1/tenants/acme/devices/meter-1/telemetry/live", headers=headers, verify=str(own_server.ca),
        stream=True, timeout=30,
    ) as stream:
        session.verify, session.trust_env = str(own_server.ca), False
        assert session.get(f"{own_server.people_url}/api/v1/tenants/acme", headers=headers, timeout=30).status_code == 200
        assert next(stream.iter_lines()).startswith(b"retry")
        began = time.monotonic()
        own_server.process.terminate()
        assert own_server.process.wait(15) == 0
        assert time.monotonic() - began < 5


def test_a_restart_keeps_devices_tokens_certificates_and_readings(own_server):
    server = own_server
    server.tenant("acme")
    device, viewer = server.enrolled("acme", "meter-1"), server.token("acme", "viewer")
    assert send(device, json.dumps({"ts": THEN, "values": {"power": 5}}).encode()).status == 204
    authority = server.ca.read_bytes()
    for how in (signal.SIGTERM, signal.SIGKILL):
        server.stop(how)
        server.start()
        assert server.ca.read_bytes() == authority
        assert server.points("acme", "meter-1", "power", viewer) == {"power": [[THEN, 5]]}
        assert send(device, json.dumps({"ts": THEN, "values": {"power": 5}}).encode()).status == 204


# Keys and authorities


def test_keys_are_rotated_and_everything_goes_on(own_server):
    server = own_server
    server.tenant("acme")
    server.tenant("other")
    device, viewer = server.enrolled("acme", "before"), server.token("acme", "viewer")
    seal = next(path for path in (server.data / "keys").iterdir() if "seal" in path.name)
    before = seal.read_bytes()
    for arguments in (["--tenant", "acme"], [], ["--root"], ["--seal"], ["--resume"]):
        server.admin("keys", "rotate", *arguments)
    assert seal.read_bytes() != before
    for _ in range(2):
        assert send(device, b'{"power":1}').status == 204
        assert server.get("/tenants/acme/devices/before", viewer).status_code == 200
        name = f"after-{server.process.pid}"
        assert send(server.enrolled("acme", name), b'{"power":1}').status == 204
        assert server.stop() == 0
        server.start()
    done = run(BINARY, "verify", "audit", "--data", server.data)
    assert b"DAMAGED" not in done.stdout
    codes = [entry["code"] for entry in server.admin("audit", "list", "--code", "keys.")["items"]]
    assert codes == ["keys.rotated"] * 4


def ca(*arguments, check=True):
    return run(BINARY, "admin", "ca", "root", *arguments, check=check)


def test_the_roots_key_can_be_kept_offline(tmp_path):
    data, vault = tmp_path / "data", tmp_path / "vault"
    request, answer = tmp_path / "request.pem", tmp_path / "answer.pem"
    data.mkdir(mode=0o700)
    ca("create", vault, "--deployment", "fleet.example.com")
    assert ca("create", vault, "--deployment", "fleet.example.com", check=False).returncode == 1, "a root is never overwritten"
    request.write_bytes(ca("request", "--data", data, "--deployment", "fleet.example.com").stdout)
    assert b"PRIVATE" not in request.read_bytes()
    answer.write_bytes(ca("sign", request, vault).stdout)
    ca("install", answer, "--data", data)
    server = Server(tmp_path, environment={"TIDEGATE_DEPLOYMENT": "fleet.example.com"})
    try:
        server.tenant("acme")
        device = server.enrolled("acme", "meter-1")
        assert send(device, b'{"power":1}').status == 204
        chain = curl(server, f"{server.people_url}/api/v1/trust/root-ca.pem").body
        assert chain == (vault / "root-ca.pem").read_bytes()
        assert f"tidegate://acme.fleet.example.com/device/{device.id}" in run(
            "openssl", "x509", "-noout", "-text", "-in", device.certificate).stdout.decode()
        roots = [path for path in server.data.rglob("*") if path.is_file() and "root" in path.name and b"PRIVATE KEY" in path.read_bytes()]
        assert roots == [], "the server has no root key"
    finally:
        assert server.stop() == 0


def test_a_running_deployment_can_move_its_root_offline(own_server, tmp_path):
    server = own_server
    server.tenant("acme")
    old = server.enrolled("acme", "old")
    vault, request, answer = tmp_path / "vault", tmp_path / "request.pem", tmp_path / "answer.pem"
    assert server.stop() == 0
    ca("create", vault, "--deployment", "localhost")
    request.write_bytes(ca("request", "--data", server.data, "--deployment", "localhost").stdout)
    answer.write_bytes(ca("sign", request, vault).stdout)
    ca("install", answer, "--data", server.data)
    server.start()
    server.tenant("later")
    assert send(server.enrolled("later", "new"), b'{"power":1}').status == 204
    assert send(old, b'{"power":1}').status == 204, "certificates of before still count"


def test_a_foreign_answer_is_not_installed(tmp_path):
    ca("create", tmp_path / "vault", "--deployment", "localhost")
    ca("create", tmp_path / "rival", "--deployment", "rival.example")
    (tmp_path / "request.pem").write_bytes(ca("request", "--data", tmp_path / "data", "--deployment", "localhost").stdout)
    (tmp_path / "other.pem").write_bytes(ca("request", "--data", tmp_path / "other", "--deployment", "localhost").stdout)
    (tmp_path / "answer.pem").write_bytes(ca("sign", tmp_path / "other.pem", tmp_path / "vault").stdout)
    assert ca("install", tmp_path / "answer.pem", "--data", tmp_path / "data", check=False).returncode == 1, "another key's"
    (tmp_path / "x.pem").write_text("nonsense")
    assert ca("install", tmp_path / "x.pem", "--data", tmp_path / "data", check=False).returncode == 1
    assert ca("sign", tmp_path / "x.pem", tmp_path / "vault", check=False).returncode == 1


# The command line


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["tenant", "create", "No Slug"], 1, "slug"),
        (["tenant", "create", "acme"], 1, "acme"),
        (["device", "register", "x", "--tenant", "nobody"], 1, "not.found"),
        (["device", "register", "x"], 64, "--tenant"),
        (["device", "rgister", "x"], 64, None),
        (["token", "create", "--tenant", "acme", "--role", "emperor"], 1, None),
    ],
)
def test_the_command_line_says_why_it_refuses_and_by_exit_code(server, arguments, status, said):
    done = server.admin(*arguments, check=False)
    assert done.returncode == status, done.stderr
    assert done.stdout == b"" and (said is None or said in done.stderr.decode())


def test_the_command_line_says_that_no_server_runs(tmp_path):
    done = run(BINARY, "admin", "--data", tmp_path, "tenant", "list", check=False)
    assert done.returncode == 2 and b"tidegate serve" in done.stderr


def test_people_are_shown_tables_and_programs_json(server):
    shown = run(BINARY, "admin", "--data", server.data, "tenant", "list").stdout.decode()
    assert "SLUG" in shown and "acme" in shown and "{" not in shown
    status = server.admin("status")
    assert status["ready"] and status["principal"]["name"] == "local"


# Backups


def backup(*arguments, check=True, env=None):
    return run(BINARY, "backup", *arguments, check=check, env=env)


def test_a_backup_of_a_killed_server_is_restored_with_everything(own_server, tmp_path):
    server = own_server
    server.tenant("acme")
    device, viewer = server.enrolled("acme", "meter-1"), server.token("acme", "viewer")
    body = "\n".join(json.dumps({"ts": THEN + n, "values": {"power": n}}) for n in range(1000))
    assert send(device, body.encode(), "application/x-ndjson").status == 204
    made = json.loads(backup("create", "--data", server.data, "--json").stdout)
    key = tmp_path / "recovery.key"
    os.replace(made["recoveryKey"], key)
    assert b"meter-1" not in open(made["archive"], "rb").read(), "it is encrypted"
    assert send(device, json.dumps({"ts": THEN + 5000, "values": {"power": 1}}).encode()).status == 204
    server.stop(signal.SIGKILL)
    again = json.loads(backup("create", "--data", server.data, "--json").stdout)
    assert again["archive"] != made["archive"]
    for archive, count in [(made["archive"], 1000), (again["archive"], 1001)]:
        place = tmp_path / f"restored-{count}"
        place.mkdir()
        backup("restore", archive, "--data", place / "data", "--recovery-key", key)
        assert b"DAMAGED" not in run(BINARY, "verify", "audit", "--data", place / "data").stdout
        restored = Server(place)
        try:
            assert len(restored.points("acme", "meter-1", "power", viewer)["power"]) == count
            device.server = restored
            assert send(device, b'{"power":7}').status == 204, "the device's certificate counts as before"
        finally:
            assert restored.stop() == 0
    assert backup("restore", made["archive"], "--data", server.data, "--recovery-key", key, check=False).returncode == 1, "never over data"


def test_a_backup_opens_with_its_key_only_and_a_drill_tells_a_damaged_one(own_server, tmp_path):
    server = own_server
    server.tenant("acme")
    made = json.loads(backup("create", "--data", server.data, "--json").stdout)
    key = made["recoveryKey"]
    assert b"sound" in backup("drill", made["archive"], "--recovery-key", key).stdout
    without = {name: value for name, value in os.environ.items() if name != "TIDEGATE_RECOVERY_KEY"}
    assert b"recovery" in backup("drill", made["archive"], check=False, env=without).stderr
    other = tmp_path / "other"
    other.mkdir()
    foreign = Server(other)
    try:
        wrong = json.loads(backup("create", "--data", foreign.data, "--json").stdout)["recoveryKey"]
        assert backup("restore", made["archive"], "--data", tmp_path / "a", "--recovery-key", wrong, check=False).returncode == 1
    finally:
        foreign.stop()
    archive = open(made["archive"], "rb").read()
    for what, damaged in [("edited", archive[: len(archive) // 2] + b"\x00\x01\x02\x03" + archive[len(archive) // 2 + 4 :]), ("cut", archive[:-100])]:
        place = tmp_path / f"{what}.backup"
        place.write_bytes(damaged)
        done = backup("drill", place, "--keys", made["keys"], "--recovery-key", key, check=False)
        assert done.returncode == 1, what
        assert backup("restore", place, "--keys", made["keys"], "--data", tmp_path / what, "--recovery-key", key, check=False).returncode == 1
        assert not (tmp_path / what / "tidegate.db").exists(), "nothing half restored"


# The demonstration


def printed_commands(text):
    """What the demonstration prints to be copied: the lines that are indented as commands."""
    lines = [line.strip() for line in text.partition("Try, in another terminal")[2].splitlines() if line.startswith("  ")]
    return [line for line in lines if line.startswith("curl ") or " admin " in line or " verify " in line]


def test_the_demonstration_comes_up_and_every_command_it_prints_works(tmp_path):
    base = free_ports()
    data, log = tmp_path / "a place" / "data", tmp_path / "log"
    data.parent.mkdir()
    command = [BINARY, "demo", "--data", data, "--devices", "5", "--interval", "1", "--port-base", str(base)]
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        def said():
            assert process.poll() is None, log.read_text()[-3000:]
            return "Stop with Ctrl-C" in log.read_text() and printed_commands(log.read_text())

        commands = wait_for(said, "it says what to try")
        for place in (f"https://0.0.0.0:{base}", f"https://0.0.0.0:{base + 1}", f"mqtts://0.0.0.0:{base + 2}", f"http://127.0.0.1:{base + 3}"):
            assert place in log.read_text(), place

        def works(command, check=False):
            """Runs a printed command as a person would, from another directory."""
            done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, cwd="/")
            assert not check or done.returncode == 0, (command, done.stderr)
            return done.stdout

        listing, readings, live, audit, verify, revoke, remove = commands
        link = re.search(r"https://\S+/set-up\?link=\S+", log.read_text())
        assert link and "keep it, and the console shows you the meters" in log.read_text()
        page = requests.get(link.group(0), verify=str(data / "trust" / "server-ca.pem"), timeout=10).text
        assert 'value="Demo"' in page and "has the simulated devices" in page

        def online():
            output = works(listing)
            return output and [device for device in json.loads(output)["items"] if device["presence"]["online"]]

        wait_for(lambda: len(online() or []) == 5, "all devices are online")
        found = wait_for(lambda: (lambda output: b'"points":[[' in output and json.loads(output))(works(readings)), "readings")
        assert {series["name"] for series in found["series"]} == {"power", "voltage"}
        assert all(series["unit"] for series in found["series"])
        stream = subprocess.Popen(["bash", "-c", live], stdout=subprocess.PIPE)
        try:
            assert any(line.startswith(b"data:") for line in stream.stdout)
        finally:
            stream.kill()
            stream.wait()
        assert b"device.enrolled" in works(audit, check=True)
        assert b"DAMAGED" not in works(verify, check=True)
        works(revoke, check=True)
        wait_for(lambda: len(online()) == 4, "one is kept out")
        with open(tmp_path / "second", "wb") as output:
            second = subprocess.run(
                [BINARY, "demo", "--data", tmp_path / "other", "--port-base", str(base)], stdout=output, stderr=subprocess.STDOUT, timeout=60)
        busy = (tmp_path / "second").read_text()
        assert second.returncode == 1 and any(f":{base + n}" in busy for n in range(4)) and "another program uses it" in busy and "--port-base" in busy, busy[-2000:]
        works(remove, check=True)
        admin = [BINARY, "admin", "--data", data]
        left = {tenant["slug"]: tenant["status"] for tenant in json.loads(run(*admin, "--json", "tenant", "list").stdout)["items"]}
        assert left.get("demo", "deleting") == "deleting" and left["platform"] == "active"
        assert json.loads(works(listing))["status"] in (401, 404), "and its token ends with it"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()[-3000:]
