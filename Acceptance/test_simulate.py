"""`tidegate simulate`: devices as a command, which enrol, report, renew and come back."""

import json
import os
import signal
import subprocess

import pytest

from tidegate import BINARY, run, wait_for


@pytest.fixture(scope="module")
def server(sqlite_server):
    sqlite_server.tenant("acme")
    return sqlite_server


def command(server, state, *arguments, tenant="acme"):
    return [
        BINARY, "simulate", "--tenant", tenant, "--device-port", server.ports["device"], "--mqtt-port", server.ports["mqtt"],
        "--state", state, "--interval", "0.2", *arguments,
    ]


def simulate(server, state, *arguments, check=True, **more):
    return run(*command(server, state, *arguments, **more), check=check)


def lines(done):
    return [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]


def test_it_registers_devices_and_a_second_run_goes_on_with_them(server, tmp_path):
    viewer = server.token("acme", "viewer")
    state = tmp_path / "state"
    first = simulate(server, state, "--data", server.data, "--count", "20", "--prefix", "a-", "--duration", "10", "--json")
    last = lines(first)[-1]
    assert last["devices"] == 20 and last["refused"] == 0 and last["acknowledged"] > 100, last
    assert last["sent"] - last["acknowledged"] <= 20 and last["ackP50"] <= last["ackP99"]
    points = server.points("acme", "a-20", "power,voltage", viewer)
    assert len(points["power"]) > 3 and len(points["power"]) == len(points["voltage"])
    kept = {path.name: path.read_bytes() for path in (state / "acme").iterdir()}
    assert len(kept) == 20 and all(path.stat().st_mode & 0o077 == 0 for path in (state / "acme").iterdir())
    enrolled = len(server.admin("audit", "list", "--tenant", "acme", "--code", "device.enrolled")["items"])
    second = simulate(server, state, "--data", server.data, "--count", "22", "--prefix", "a-", "--duration", "2")
    assert b"2 enrolled" in second.stdout and b" 0 refusals" in second.stdout, second.stdout
    assert {name: (state / "acme" / name).read_bytes() for name in kept} == kept, "their keys and certificates stay"
    again = len(server.admin("audit", "list", "--tenant", "acme", "--code", "device.enrolled")["items"])
    assert again - enrolled == 2
    assert len(server.points("acme", "a-20", "power", viewer)["power"]) > len(points["power"])


def test_it_takes_tokens_from_a_file_and_needs_nothing_else_of_the_server(server, tmp_path):
    devices = [server.admin("device", "register", f"t-{n}", "--tenant", "acme") for n in range(3)]
    tokens, ca = tmp_path / "tokens", tmp_path / "ca.pem"
    by_name = f"t-0 {devices[0]['enrolmentToken']}\n"
    by_id = "".join(f"{device['id']} {device['enrolmentToken']}\n" for device in devices[1:])
    tokens.write_text("# devices\n\n" + by_name + by_id)
    ca.write_bytes(server.ca.read_bytes())
    done = simulate(server, tmp_path / "state", "--tokens", tokens, "--ca", ca, "--duration", "2")
    assert b"3 enrolled" in done.stdout and b" 0 refusals" in done.stdout, done.stdout
    viewer = server.token("acme", "viewer")
    for n in range(3):
        assert server.points("acme", f"t-{n}", "energy", viewer)["energy"]
    # The tokens are used up, the certificates are not.
    done = simulate(server, tmp_path / "state", "--tokens", tokens, "--ca", ca, "--duration", "2")
    assert b"0 enrolled" in done.stdout and b" 0 refusals" in done.stdout, done.stdout


def test_it_registers_over_the_network_with_a_token(server, tmp_path):
    env = {**os.environ, "TIDEGATE_TOKEN": server.token("acme", "admin"), "TIDEGATE_CA": str(server.ca)}
    done = run(
        *command(server, tmp_path / "state", "--url", server.people_url, "--count", "2", "--prefix", "u-", "--duration", "2"), env=env)
    assert b"2 enrolled" in done.stdout, done.stdout


def test_certificates_are_renewed_while_it_runs(server, tmp_path):
    state = tmp_path / "state"
    done = simulate(
        server, state, "--data", server.data, "--count", "3", "--prefix", "r-", "--renew-after", "1", "--duration", "10")
    said = done.stdout.decode()
    renewed = int(said.split(" renewed")[0].rsplit(" ", 1)[1])
    assert renewed >= 6 and " 0 refusals" in said, said
    codes = [entry["code"] for entry in server.admin("audit", "list", "--tenant", "acme", "--code", "device.renewed")["items"]]
    assert len(codes) >= 6


def test_a_refused_device_is_told_and_the_others_go_on(server, tmp_path):
    state = tmp_path / "state"
    simulate(server, state, "--data", server.data, "--count", "3", "--prefix", "x-", "--duration", "1")
    server.admin("device", "revoke", "x-2", "--tenant", "acme")
    done = simulate(server, state, "--data", server.data, "--count", "3", "--prefix", "x-", "--duration", "6", "--json")
    last = lines(done)[-1]
    assert last["connected"] == 2 and last["refused"] > 0 and last["acknowledged"] > 0
    assert b"x-2" in done.stderr, done.stderr


def test_an_interrupt_ends_it_with_a_goodbye(server, tmp_path):
    viewer = server.token("acme", "viewer")
    process = subprocess.Popen(
        [str(word) for word in command(server, tmp_path / "state", "--data", server.data, "--count", "5", "--prefix", "i-")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def online():
        items = server.get("/tenants/acme/devices", viewer, params={"filter": "online", "limit": 1000}).json()["items"]
        return sum(item["name"].startswith("i-") for item in items)

    try:
        wait_for(lambda: online() == 5, "all are online")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=15)[0].decode()
        assert process.returncode == 0 and "Done: 5 enrolled" in said, said
        wait_for(lambda: online() == 0, "none is online")
    finally:
        process.kill()


def test_what_can_not_work_is_said_in_one_line(server, tmp_path):
    def refused(*arguments, tenant="acme", status=1):
        done = simulate(server, tmp_path / "state", *arguments, check=False, tenant=tenant)
        said = done.stderr.decode()
        assert done.returncode == status, (done.returncode, said)
        assert status == 64 or (said.startswith("tidegate: ") and said.count("\n") == 1), said
        return said

    data = ["--data", server.data]
    assert "no tenant nobody" in refused(*data, tenant="nobody")
    assert "no slug" in refused(*data, tenant="No Slug")
    assert "--ca" in refused("--data", tmp_path / "nothing")
    other = tmp_path / "other.pem"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=x",
        "-keyout", tmp_path / "other.key", "-out", other)
    assert "does not come from" in refused(*data, "--ca", other)
    assert "--port-base" in refused(*data, "--port-base", "1")
    tokens = tmp_path / "tokens"
    tokens.write_text("meter-1 token\nmeter-2\n")
    assert "line 2" in refused(*data, "--tokens", tokens)
    tokens.write_text("meter-1 token\n")
    assert "fewer than --count" in refused(*data, "--tokens", tokens, "--count", "5")
    assert "--interval" in refused(*data, "--interval", "0", status=64)
    # A state of another server's devices is not mixed with this one's.
    simulate(server, tmp_path / "own", *data, "--count", "1", "--prefix", "w-", "--duration", "1")
    (tmp_path / "own" / "server-ca.pem").write_bytes(other.read_bytes())
    done = simulate(server, tmp_path / "own", *data, "--count", "1", "--prefix", "w-", "--duration", "1", check=False)
    assert done.returncode == 1 and b"another server" in done.stderr


def test_devices_do_their_tasks_and_some_fail_or_fall_silent_as_wanted(server, tmp_path):
    admin = server.token("acme", "admin")
    server.admin("heartbeat", "set", "--tenant", "acme", "--interval", "1", "--busy", "1", "--jitter", "0")
    state = tmp_path / "state"
    simulate(server, state, "--data", server.data, "--count", "10", "--prefix", "k-", "--duration", "1")
    image = tmp_path / "image"
    image.write_bytes(b"new")
    artifact = server.admin("artifact", "upload", image, "--tenant", "acme")["id"]
    release = server.admin(
        "release", "create", "system", "2.0", "--artifact", artifact, "--publish", "--tenant", "acme")["id"]

    def order(**what):
        devices = [{"device": f"k-{n}"} for n in range(1, 11)]
        answer = server.post("/tenants/acme/operations", admin, json={"target": {"devices": devices}, **what})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def tasks(operation):
        return server.get(f"/tenants/acme/operations/{operation}", admin).json()["tasks"]

    rest, update = order(type="reboot"), order(type="install", release=release)
    running = subprocess.Popen([str(part) for part in command(
        server, state, "--data", server.data, "--count", "10", "--prefix", "k-", "--duration", "300", "--tasks",
        "--task-time", "0.1", "--failing", "20", "--mute", "20")], stdout=subprocess.PIPE)
    try:
        wait_for(lambda: tasks(rest) == {"succeeded": 10}, "all have started anew", 120)
        wait_for(lambda: tasks(update) == {"succeeded": 6, "failed": 2, "running": 2}, f"installs end: {tasks(update)}", 120)
    finally:
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[0]
    assert b"18 tasks ended" in said, said


def test_nothing_acknowledged_is_an_exit_code(server, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("nobody-1 wrong\n")
    done = simulate(server, tmp_path / "state", "--data", server.data, "--tokens", tokens, "--duration", "1", check=False)
    assert done.returncode == 1 and b"nobody-1" in done.stderr, done.stderr
