"""The agents, large and small, with the real server: enrolment, calls, signed tasks, updates, readings, configuration."""

import base64
import json
import os
import signal
import time

import pytest
import requests

from agents import KINDS, SHELL_AGENT, AgentDevice, Liar, Proxy
from test_swupdate import Fleet, Signer
from tidegate import run, wait_for


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer(tmp_path_factory.mktemp("signer"), "updates")


@pytest.fixture
def world(own_server):
    """A tenant whose devices call every second."""
    own_server.tenant("acme")
    own_server.admin("heartbeat", "set", "--tenant", "acme", "--interval", "1", "--busy", "1", "--jitter", "0")
    return own_server


@pytest.fixture
def agent(world):
    """Makes devices that run an agent."""
    made = []

    def make(name="one", kind="tidegate-agent", **settings):
        made.append(AgentDevice(world, "acme", name, kind, **settings))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture
def fleet(world):
    return Fleet(world)


def order(fleet, type, device="one", **more):
    body = {"type": type, "target": {"devices": [{"device": device}]}, **more}
    answer = fleet.server.post("/tenants/acme/operations", fleet.token, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def history(task):
    return [line for status in task["history"] for line in status["details"]]


every_kind = pytest.mark.parametrize("kind", KINDS)


def test_the_shell_agent_is_small_and_clean():
    assert len(SHELL_AGENT.read_text().splitlines()) < 400
    run("shellcheck", "-s", "sh", SHELL_AGENT)


@every_kind
def test_a_device_enrols_says_what_it_is_and_does_tasks(agent, fleet, kind):
    one = agent(kind=kind)
    one.program("runDiagnostic", 'echo "progress 1 2"; cat; echo; echo "task $TIDEGATE_TASK_TYPE"')
    one.program("reboot", "echo no battery; exit 3")
    one.program("collectLogs", "exit 77")
    one.start()
    facts = wait_for(lambda: one.reported(fleet.token), "the device says what it is")
    assert facts["agent"]["version"] and facts["host"]["memory"] > 0
    good = order(fleet, "runDiagnostic", input={"deep": True})
    bad, unwanted, unknown = order(fleet, "reboot"), order(fleet, "collectLogs"), order(fleet, "sendSMS", input={})
    task = fleet.wait(good, "succeeded")
    assert "task runDiagnostic" in history(task) and any("deep" in line for line in history(task)), task
    task = fleet.wait(bad, "failed")
    assert "no battery" in history(task) and task["history"][-1]["code"] == 3, task
    fleet.wait(unwanted, "refused")
    assert "there is no program for it" in history(fleet.wait(unknown, "refused"))
    before = one.identity and open(one.identity).read()
    fleet.wait(order(fleet, "renewCertificate"), "succeeded")
    assert open(one.identity).read() != before
    fleet.wait(order(fleet, "wake"), "succeeded")


@every_kind
def test_what_a_task_came_to_is_told_when_the_server_is_back_and_the_agent_has_started_anew(agent, fleet, kind):
    one = agent(kind=kind)
    go = one.folder / "go"
    one.program("runDiagnostic", f"echo ran >> {one.folder}/runs; until [ -e {go} ]; do sleep 0.1; done; echo done")
    one.start()
    operation = order(fleet, "runDiagnostic")
    fleet.wait(operation, "running")
    fleet.server.stop(signal.SIGKILL)
    go.touch()
    wait_for(
        lambda: "ended" in " ".join(file.read_text() for file in one.state.rglob("*") if file.is_file() and
                                    file.name in ("journal.json", "state")), "the end is on disk")
    one.stop(signal.SIGKILL)
    fleet.server.start()
    one.start()
    assert "done" in history(fleet.wait(operation, "succeeded"))
    assert (one.folder / "runs").read_text() == "ran\n"


@every_kind
def test_a_task_that_lost_power_is_not_begun_twice_unless_it_wants_so(agent, fleet, kind):
    one = agent(kind=kind)
    one.program("runDiagnostic", f"echo ran >> {one.folder}/runs; sleep 60")
    one.program("reboot", f'echo "$TIDEGATE_TASK_AGAIN" >> {one.folder}/boots; [ "$TIDEGATE_TASK_AGAIN" = 1 ] || exit 75')
    one.start()
    operation = order(fleet, "runDiagnostic")
    wait_for((one.folder / "runs").exists, "the task runs")
    one.stop(signal.SIGKILL)
    one.start()
    assert "interrupted" in history(fleet.wait(operation, "failed"))[-1]
    assert (one.folder / "runs").read_text() == "ran\n"
    operation = order(fleet, "reboot")
    wait_for((one.folder / "boots").exists, "the device would restart")
    fleet.wait(operation, "running")
    wait_for(lambda: one.keeps("again", "continues"), "the agent knows that it is to ask again")
    one.stop()
    one.start()
    fleet.wait(operation, "succeeded")
    assert (one.folder / "boots").read_text() == "0\n1\n"


@every_kind
def test_forged_replayed_and_strangers_tasks_are_refused(agent, fleet, kind, tmp_path):
    """The server that the device belongs to was taken over: it has its certificate, not the tenant's keys."""
    one, other = agent(kind=kind), agent("other", kind=kind)
    for device in (one, other):
        device.program("runDiagnostic", f"echo ran >> {device.folder}/runs")
        device.start()
    for device in (one, other):
        wait_for(lambda: device.reported(fleet.token), "the device has called")
        device.stop()

    def envelope(device):
        order(fleet, "runDiagnostic", device.name)

        def call():
            answer = requests.get(
                f"{fleet.server.device_url}/acme/heartbeat", cert=device.identity, verify=str(fleet.server.ca))
            return answer.json().get("tasks")

        return wait_for(call, "the task is handed out")[0]

    mine, strangers = envelope(one), envelope(other)
    keys = requests.get(
        f"{fleet.server.device_url}/acme/maintenance-keys", cert=one.identity, verify=str(fleet.server.ca)).content
    head, body, signature = mine["signed"].split(".")
    payload = json.loads(base64.urlsafe_b64decode(body + "=="))

    def resigned(**changes):
        text = base64.urlsafe_b64encode(json.dumps(payload | changes).encode()).decode().rstrip("=")
        return {**mine, "signed": f"{head}.{text}.{signature}"}

    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"tidegate-task+jws"}').decode().rstrip("=")
    liar = Liar(tmp_path)
    try:
        liar.says("maintenance-keys", keys)
        liar.says("heartbeat", {"pause": 1})
        one.settings |= {"server": f"localhost:{liar.port}", "server-ca": liar.ca}
        # The pin holds: another certificate in the settings alone changes nothing.
        one.start()
        time.sleep(3)
        assert not liar.heard
        one.stop()
        assert one.verb("reset-pin").returncode == 0
        one.start()
        wait_for(lambda: any(path.endswith("/heartbeat") for _, path, _ in liar.heard), "the device calls")

        def refused(wrong, reason):
            known = len(liar.statuses())
            liar.says("heartbeat", {"pause": 1, "tasks": [wrong]})
            number, status = wait_for(lambda: liar.statuses()[known:], f"it says {reason}")[0]
            assert (number, status["state"]) == (wrong["id"], "refused") and reason in status["details"][0], status
            liar.says("heartbeat", {"pause": 1})
            time.sleep(1.5)

        refused(resigned(id=99), "forged")
        refused(resigned(expires=payload["expires"] + 1), "forged")
        refused({**mine, "signed": f"{head}.{body}.{signature[:-4]}AAAA"}, "forged")
        refused({**mine, "signed": f"{unsigned}.{body}."}, "malformed")
        refused({**mine, "signed": "nonsense"}, "malformed")
        refused({"id": mine["id"], "type": "runDiagnostic", "input": {}}, "malformed")
        refused(strangers, "otherDevice")
        assert not (one.folder / "runs").exists()
        # The one that is good is done, once.
        liar.says("heartbeat", {"pause": 1, "tasks": [mine]})
        wait_for(lambda: (mine["id"], "succeeded") in [(id, said["state"]) for id, said in liar.statuses()], "it is done")
        wait_for(lambda: any("replayed" in str(said) for _, said in liar.statuses()), "the second time is refused")
        assert (one.folder / "runs").read_text() == "ran\n"
    finally:
        liar.close()


def test_a_task_that_runs_is_ended_when_somebody_wants_so(agent, fleet):
    one = agent()
    one.program("runDiagnostic", f"touch {one.folder}/ran; sleep 60")
    one.start()
    operation = order(fleet, "runDiagnostic")
    wait_for((one.folder / "ran").exists, "the task runs")
    fleet.cancel(operation)
    fleet.wait(operation, "cancelled")


def test_everything_goes_through_the_proxy(agent, fleet):
    proxy = Proxy()
    one = agent(proxy=f"http://user:word@127.0.0.1:{proxy.port}").start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    authority = f"localhost:{fleet.server.ports['device']}"
    assert {head.split(" ")[1] for head in proxy.wanted} == {authority}
    assert all("Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in head for head in proxy.wanted)
    proxy.close()


# ---- Updates

def install_device(agent, signer, **settings):
    return agent(update_key=signer.certificate, hardware="board-1", **settings)


def test_swupdate_installs_what_is_signed_and_nothing_else(agent, fleet, signer, tmp_path):
    one = install_device(agent, signer, swupdate_options="-H tidegate:1.0")
    one.start()
    target, content = one.folder / "installed", b"the new software" * 4096
    release = fleet.release(signer.package(tmp_path / "a", content, target))
    task = fleet.wait(fleet.install(release, "one"), "succeeded")
    assert target.read_bytes() == content, task
    wait_for(lambda: one.reported(fleet.token)["agent"]["installed"] == {"system": 1}, "it says what it has")
    stranger = Signer(tmp_path, "stranger")
    bad = fleet.release(stranger.package(tmp_path / "b", b"evil", target), "3.0")
    task = fleet.wait(fleet.install(bad, "one"), "failed")
    assert target.read_bytes() == content and history(task), task
    # What lies below is no step back that somebody signed for.
    newer = fleet.release(signer.package(tmp_path / "c", b"newer", target), "4.0")
    fleet.wait(fleet.install(newer, "one"), "succeeded")
    task = fleet.wait(fleet.install(release, "one"), "refused")
    assert "older" in history(task)[-1] and target.read_bytes() == b"newer"


def test_a_download_goes_on_where_power_or_server_went(agent, fleet, signer, tmp_path):
    one = install_device(agent, signer, swupdate_options="-H tidegate:1.0")
    fleet.server.admin("plan", "put", "slow", "--set", "downloadKilobytesPerSecond=1000")
    fleet.server.admin("tenant", "plan", "acme", "slow")
    target, content = one.folder / "installed", os.urandom(6 << 20)
    one.start()
    operation = fleet.install(fleet.release(signer.package(tmp_path / "a", content, target)), "one")

    def there():
        return sum(file.stat().st_size for file in (one.state / "downloads").glob("*.part"))

    wait_for(lambda: there() > 1_000_000, "a sixth is there")
    one.stop(signal.SIGKILL)
    kept = there()
    one.start()
    wait_for(lambda: there() > kept + 1_000_000, "it goes on")
    fleet.server.stop(signal.SIGKILL)
    fleet.server.start()
    fleet.wait(operation, "succeeded")
    assert target.read_bytes() == content
    # The server's second life sent the rest alone.
    assert fleet.server.metric("tidegate_download_bytes_total") < len(content) - 1_500_000


def test_the_agent_replaces_itself_and_comes_back_when_the_new_one_fails(agent, fleet, tmp_path):
    one = agent(update_key="/dev/null")
    one.start(supervised=True)
    wait_for(lambda: one.reported(fleet.token), "the device has called")

    def release(version, content):
        file = tmp_path / f"agent-{version}"
        file.write_bytes(content)
        artifact = fleet.server.admin("artifact", "upload", file, "--tenant", "acme")
        return fleet.server.admin(
            "release", "create", "tidegate-agent", version, "--artifact", artifact["id"], "--publish", "--tenant",
            "acme")["id"]

    # Bytes behind the end of a program do not count; they make it another file.
    run("strip", "-o", tmp_path / "stripped", KINDS["tidegate-agent"][0])
    fresh = (tmp_path / "stripped").read_bytes() + b"newer"
    fleet.wait(fleet.install(release("2.0", fresh), "one"), "succeeded")
    assert one.reported(fleet.token)["agent"]["installed"] == {"tidegate-agent": 1}
    running = [os.readlink(f"/proc/{pid}/exe") for pid in os.listdir("/proc") if pid.isdigit() and of(pid, one)]
    assert any(str(one.state / "agent") in path for path in running), running
    # The next one starts and never gets to the server.
    broken = b'#!/bin/sh\n[ "$1" != --version ] || { echo tidegate-agent 3.0; exit; }\nexit 1\n'
    task = fleet.wait(fleet.install(release("3.0", broken), "one"), "failed")
    assert "did not reach the server" in history(task)[-1], task
    # What is no program at all is not even tried.
    fleet.wait(fleet.install(release("4.0", b"nonsense"), "one"), "failed")
    fleet.wait(order(fleet, "wake"), "succeeded")


def of(pid, one):
    try:
        return os.getpgid(int(pid)) == one.process.pid and os.path.exists(f"/proc/{pid}/exe")
    except OSError:
        return False


# ---- Readings

def test_readings_wait_sealed_and_arrive_whole_and_in_order(agent, fleet):
    one = agent(metrics=1)
    one.start()
    token = fleet.token
    wait_for(lambda: fleet.server.points("acme", "one", "host.load", token).get("host.load"), "the device is measured")
    fleet.server.stop(signal.SIGKILL)
    start = 1_750_000_000_000
    for number in range(3000):
        fresh = one.state / "readings" / f"{number:06}.new"
        fresh.write_text(json.dumps({"ts": start + number * 1000, "values": {"secretSeries": number}}))
        fresh.rename(fresh.with_suffix(".json"))
    wait_for(lambda: not list((one.state / "readings").iterdir()), "every reading is taken")
    one.stop(signal.SIGKILL)
    assert all(b"secretSeries" not in file.read_bytes() for file in (one.state / "buffer").iterdir())
    fleet.server.start()
    one.start()
    wait_for(lambda: not list((one.state / "buffer").iterdir()), "the server has everything", 90)
    points = fleet.server.points(
        "acme", "one", "secretSeries", token, start="2025-06-15T15:06:40Z", end="2025-06-15T16:00:00Z")
    assert [point[1] for point in points["secretSeries"]] == list(range(3000))


def test_two_channels_have_two_keys(agent, fleet):
    one = agent(channels="separate", metrics=1).start()
    stream = one.state / "stream.pem"
    wait_for(stream.exists, "there is a certificate for telemetry")
    wait_for(lambda: fleet.server.points("acme", "one", "host.load", fleet.token).get("host.load"), "it is measured")

    def ask(method, path, file, **more):
        return requests.request(
            method, fleet.server.device_url + path, cert=str(file), verify=str(fleet.server.ca), **more).status_code

    assert ask("GET", "/acme/heartbeat", stream) == 403
    assert ask("GET", "/acme/heartbeat", one.identity) == 200
    assert ask("POST", "/acme/telemetry", stream, json={"x": 1}) == 204
    keys = [file.read_text().split("-----END")[0] for file in (stream, one.state / "maintenance.pem")]
    assert keys[0] != keys[1]


# ---- Configuration

def desired(fleet, one, document, folder):
    file = folder / "desired.json"
    file.write_text(json.dumps(document))
    fleet.server.admin("device", "desired", one.name, "--tenant", "acme", file)


def test_a_configuration_comes_into_effect_or_back(agent, fleet, tmp_path):
    one = agent(trial=10)
    one.program("configure", f"cat >> {one.folder}/seen; echo \" $TIDEGATE_ROLLBACK\" >> {one.folder}/seen")
    one.start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    seen = lambda: (one.folder / "seen").read_text() if (one.folder / "seen").exists() else ""
    state = lambda: one.reported(fleet.token).get("configuration", {})
    desired(fleet, one, {"colour": "blue"}, tmp_path)
    wait_for(lambda: state().get("state") == "applied", "it is in effect")
    assert '"colour":"blue"' in seen() and seen().endswith(" 0\n")
    # The next one cuts the device off: the server is not there until the old one is back.
    one.program(
        "configure",
        f"cat >> {one.folder}/seen; echo \" $TIDEGATE_ROLLBACK\" >> {one.folder}/seen; kill -STOP {fleet.server.process.pid}")
    desired(fleet, one, {"colour": "red"}, tmp_path)
    try:
        wait_for(lambda: seen().endswith(" 1\n"), "the old one is back", 120)
    finally:
        one.program("configure", "true")
        os.kill(fleet.server.process.pid, signal.SIGCONT)
    assert [line.split('"')[5] for line in seen().splitlines()] == ["blue", "red", "blue"]
    wait_for(lambda: state().get("state") == "rolledBack", "the server learns of it", 60)
