"""The agents, large and small, with the real server: enrolment, calls, signed tasks, updates, readings, configuration."""

import base64
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

from agents import AGENT, KINDS, SHELL_AGENT, AgentDevice, Liar, OwnKeys, Proxy
from test_swupdate import Fleet, Signer
from tidegate import Server, free_port, run, wait_for


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


def test_a_stopped_agent_asks_its_program_to_end_and_waits_for_it(agent, fleet):
    one = agent()
    said = one.folder / "said"
    one.program("runDiagnostic", f"trap 'echo asked >>{said}; exit 0' TERM; echo ran >>{said}; sleep 600 & wait")
    one.program("reboot", f"trap '' TERM; echo begun >{one.folder}/busy; sleep 2; echo done >>{said}")
    one.start()
    operation = order(fleet, "runDiagnostic")
    wait_for(lambda: said.exists() and said.read_text() == "ran\n", "the program runs")
    one.stop()
    assert said.read_text() == "ran\nasked\n" and one.keeps('"running"')
    one.start()
    assert "interrupted" in history(fleet.wait(operation, "failed"))[-1]
    # What does not want to be interrupted has its time.
    order(fleet, "reboot")
    wait_for((one.folder / "busy").exists, "the program runs")
    one.stop()
    assert said.read_text() == "ran\nasked\ndone\n"


def test_what_the_agent_does_itself_is_left_to_its_next_start(agent, fleet):
    one = agent()
    go, journal = one.folder / "go", one.state / "journal.json"
    one.program("runDiagnostic", f"until [ -e {go} ]; do sleep 0.1; done")

    def states():
        return [task["state"] for task in json.loads(journal.read_text())["tasks"]]

    one.start()
    order(fleet, "runDiagnostic")
    operation = order(fleet, "rotateKeys")
    wait_for(lambda: journal.exists() and "rotateKeys" in journal.read_text(), "it took both")
    # The renewal waits for a server that does not answer.
    fleet.server.process.send_signal(signal.SIGSTOP)
    try:
        go.touch()
        wait_for(lambda: states() == ["ended", "running"], "it asks")
        one.stop()
        assert states() == ["ended", "running"]
    finally:
        fleet.server.process.send_signal(signal.SIGCONT)
    one.start()
    assert "interrupted" in history(fleet.wait(operation, "failed"))[-1]
    assert "call failed" not in one.log.read_text()


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
        # That it was done is on disk.
        one.stop(signal.SIGKILL)
        known = len(liar.statuses())
        one.start()
        wait_for(lambda: any("replayed" in str(said) for _, said in liar.statuses()[known:]), "nor after a restart")
        assert (one.folder / "runs").read_text() == "ran\n"
    finally:
        liar.close()


@every_kind
def test_a_task_that_is_out_of_date_is_not_done(agent, fleet, kind, tmp_path):
    one = agent(kind=kind)
    one.program("runDiagnostic", f"echo ran >> {one.folder}/runs")
    one.start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    one.stop()
    # Its first keys are the liar's, so that whatever it signs is the tenant's.
    liar, own = Liar(tmp_path), OwnKeys(tmp_path)
    try:
        one.settings |= {"server": f"localhost:{liar.port}", "server-ca": liar.ca}
        assert one.verb("reset-pin").returncode == 0
        liar.says("maintenance-keys", own.set)
        liar.says("heartbeat", {"pause": 1, "tasks": [own.task(one, 21, expires=int(time.time()) - 1)]})
        one.start()
        number, status = wait_for(liar.statuses, "it says that it refuses")[0]
        assert number == 21 and status["state"] == "refused" and "expired" in status["details"][0], status
        assert not (one.folder / "runs").exists()
        liar.says("heartbeat", {"pause": 1, "tasks": [own.task(one, 22)]})
        wait_for(lambda: (one.folder / "runs").exists(), "one that counts is done")
    finally:
        liar.close()


@every_kind
def test_the_programs_of_the_package_do_what_they_say(agent, fleet, kind):
    one = agent(kind=kind)
    tools = one.folder / "tools"
    tools.mkdir()
    # Nothing of it may reach this machine.
    for name, text in (
        ("systemctl", "exit 1"), ("reboot", f"sleep 5; touch {one.folder}/restarted"), ("journalctl", 'echo "journal $*"')
    ):
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    for program in (SHELL_AGENT.parent / "tasks.d").iterdir():
        one.program(program.name, f"PATH={tools}:$PATH\nexport PATH\n" + program.read_text())
    one.start()
    task = fleet.wait(order(fleet, "runDiagnostic"), "succeeded")
    assert any(line.startswith("MemTotal") for line in history(task)), task
    task = fleet.wait(order(fleet, "collectLogs", input={"unit": "ssh.service"}), "succeeded")
    assert any("--unit=ssh.service" in line for line in history(task)), task
    operation = order(fleet, "reboot")
    # It comes although everything that the program left behind in its group was ended.
    wait_for((one.folder / "restarted").exists, "the device would restart")
    wait_for(lambda: one.keeps("again", "continues"), "the agent knows that it is to ask again")
    one.stop()
    notes = list(one.state.glob("reboot.*"))
    assert len(notes) == 1
    notes[0].write_text("another run\n")
    one.start()
    fleet.wait(operation, "succeeded")
    (one.folder / "restarted").unlink()
    operation = order(fleet, "reboot")
    wait_for((one.folder / "restarted").exists, "the device would restart once more")
    one.stop()
    one.start()
    assert "the device did not restart" in history(fleet.wait(operation, "failed"))


def test_a_task_that_runs_is_ended_when_somebody_wants_so(agent, fleet):
    one = agent()
    one.program("runDiagnostic", f"touch {one.folder}/ran; sleep 60")
    one.start()
    operation = order(fleet, "runDiagnostic")
    wait_for((one.folder / "ran").exists, "the task runs")
    fleet.cancel(operation)
    fleet.wait(operation, "cancelled")


@every_kind
def test_a_task_that_the_server_has_ended_while_it_waited_on_the_device_is_not_begun(agent, fleet, kind):
    """When its time was over it was given out anew: done late as well, it would be done twice."""

    def end(operation):
        fleet.server.admin("operation", "cancel", operation, "--force", "--tenant", "acme")
        fleet.wait(operation, "cancelled")

    one = agent(kind=kind)
    go = one.folder / "go"
    one.program("runDiagnostic", f"until [ -e {go} ]; do sleep 0.1; done")
    one.program("reboot", f"echo ran >> {one.folder}/runs")
    one.start()
    first = order(fleet, "runDiagnostic")
    fleet.wait(first, "running")
    late = order(fleet, "reboot")
    if kind == "tidegate-agent":
        # The large agent takes it while the first one runs; the small ones call again when that is over.
        wait_for(lambda: "reboot" in (one.state / "journal.json").read_text(), "the device has it")
        one.stop(signal.SIGKILL)
        end(late)
        go.touch()
        one.start()
        fleet.wait(first, "failed")
        wait_for(lambda: "reboot" not in (one.state / "journal.json").read_text(), "the server's word counts")
    else:
        go.touch()
        fleet.wait(first, "succeeded")
        fleet.wait(late, "succeeded")
        one.stop()
        # Taken, and the power went before it was begun.
        (one.folder / "runs").unlink()
        again = order(fleet, "reboot")
        envelope = wait_for(lambda: requests.get(
            f"{fleet.server.device_url}/acme/heartbeat", cert=one.identity,
            verify=str(fleet.server.ca)).json().get("tasks"), "it is handed out")[0]
        body = envelope["signed"].split(".")[1]
        folder = one.state / "open" / str(envelope["id"])
        folder.mkdir()
        (folder / "task").write_bytes(base64.urlsafe_b64decode(body + "=="))
        (folder / "state").write_text("taken\n")
        end(again)
        one.start()
        wait_for(lambda: not folder.exists(), "the server's word counts")
    assert not (one.folder / "runs").exists()


@pytest.mark.parametrize("kind", ["dash", "busybox"])
def test_two_shell_agents_do_not_share_a_state(agent, fleet, kind):
    one = agent(kind=kind)
    one.start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    second = one.verb("call")
    assert second.returncode == 1 and b"another agent runs" in second.stderr, second
    one.stop(signal.SIGKILL)
    assert (one.state / "lock.d").exists()
    # What one that was killed left is in nobody's way; what it did not write into either.
    assert one.verb("call").returncode == 0
    (one.state / "lock.d").mkdir()
    assert one.verb("call").returncode == 0
    assert sorted(path.name for path in one.state.glob("*.d")) == [] and not list(one.state.glob("work.*"))


def test_the_unit_lets_the_installer_write_block_devices():
    """ProtectClock and PrivateDevices bring rules for devices, which take away those that nobody names."""
    unit = (SHELL_AGENT.parent / "tidegate-agent.service").read_text()
    names = ("ProtectClock=", "PrivateDevices=", "DeviceAllow=", "DevicePolicy=")
    # swupdate's handlers write below /sys, and unpack programs that have the set-user-ID bit.
    names += ("ProtectKernelTunables=", "RestrictSUIDSGID=")
    for directive in names:
        assert not any(line.startswith(directive) for line in unit.splitlines()), directive
    assert "SystemCallFilter=~@clock" in unit


def test_everything_goes_through_the_proxy(agent, fleet):
    proxy = Proxy()
    one = agent(proxy=f"http://user:word@127.0.0.1:{proxy.port}").start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    authority = f"localhost:{fleet.server.ports['device']}"
    assert {head.split(" ")[1] for head in proxy.wanted} == {authority}
    assert all("Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in head for head in proxy.wanted)
    proxy.close()


def test_a_server_by_its_address_is_reached_through_a_proxy_and_its_certificate_counts(agent, fleet, tmp_path):
    """TLS sees the proxy at the other end of the connection; it is the server's address that must be in the certificate."""
    proxy = Proxy("127.0.0.2")
    one = agent(proxy=f"127.0.0.2:{proxy.port}")
    one.settings["server"] = f"127.0.0.1:{fleet.server.ports['device']}"
    one.start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    one.stop()
    # One whose certificate is for another address gets not even the first request.
    liar = Liar(tmp_path, "IP:127.0.0.2,DNS:localhost")
    try:
        one.settings |= {"server": f"127.0.0.1:{liar.port}", "server-ca": liar.ca}
        assert one.verb("reset-pin").returncode == 0
        one.start()
        wait_for(lambda: one.said("certificate is not for 127.0.0.1"), "it leaves")
        assert not liar.heard
    finally:
        liar.close()
        proxy.close()


@every_kind
def test_whoever_shows_keys_of_his_own_orders_nothing(agent, fleet, kind, tmp_path):
    """He has the server's TLS key, and not the tenant's; a change of the tenant's key is followed all the same."""
    one = agent(kind=kind)
    one.program("runDiagnostic", f"echo ran >> {one.folder}/runs")
    one.start()
    kept_in = one.state / ("maintenance-keys.json" if kind == "tidegate-agent" else "keys.json")
    wait_for(kept_in.exists, "the keys are kept")
    for _ in range(2):
        fleet.server.admin("keys", "rotate", "--maintenance", "--tenant", "acme")
    fleet.wait(order(fleet, "runDiagnostic"), "succeeded")
    assert (one.folder / "runs").read_text() == "ran\n"
    one.stop()
    kept = kept_in.read_bytes()

    own = OwnKeys(tmp_path)
    liar = Liar(tmp_path)
    try:
        # The same device that trusts this certificate, with the keys that it knew.
        one.settings |= {"server": f"localhost:{liar.port}"}
        (one.state / "server-ca.pem").write_bytes(liar.ca.read_bytes())
        liar.says("maintenance-keys", own.set | {"vouchers": [own.sign("tidegate-keys+jws", own.set)]})
        task = own.task(one, 4711, sequence=int(time.time() * 1e6) + 10**9)
        liar.says("heartbeat", {"pause": 1, "tasks": [task]})
        one.start()
        # Of the task before it may say once more that it is done.
        said = wait_for(lambda: [one for one in liar.statuses() if one[0] == 4711], "it says that it refuses")[0]
        assert "unknownKey" in said[1]["details"][0], said
        assert one.said("no known key vouches for" if kind == "tidegate-agent" else "refused a task: unknownKey")
    finally:
        liar.close()
    assert (one.folder / "runs").read_text() == "ran\n"
    assert kept_in.read_bytes() == kept


@every_kind
def test_a_key_that_nothing_vouches_for_counts_in_the_first_set(agent, fleet, kind, tmp_path):
    """The key before it could not be read when it was replaced; the one before that had vouched for that one."""
    first, lost, present = (OwnKeys(tmp_path / name, name) for name in ("first", "lost", "present"))
    one = agent(kind=kind)
    one.program("runDiagnostic", f"echo ran >> {one.folder}/runs")
    one.start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    one.stop()
    liar = Liar(tmp_path)
    try:
        one.settings |= {"server": f"localhost:{liar.port}", "server-ca": liar.ca}
        assert one.verb("reset-pin").returncode == 0
        keys = [key for keys in (present, lost, first) for key in keys.set["keys"]]
        voucher = first.sign("tidegate-keys+jws", lost.set)
        liar.says("maintenance-keys", {"keys": keys, "vouchers": [voucher]})
        liar.says("heartbeat", {"pause": 1, "tasks": [present.task(one, 4711)]})
        one.start()
        wait_for(lambda: (4711, "succeeded") in [(id, said["state"]) for id, said in liar.statuses()], "it is done")
    finally:
        liar.close()
    assert (one.folder / "runs").read_text() == "ran\n"


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
    back = {"type": "install", "target": {"devices": [{"device": "one"}]}, "release": release}
    refused = fleet.server.post("/tenants/acme/operations", fleet.token, json=back)
    assert refused.status_code == 409 and refused.json()["code"] == "release.downgrade", refused.text
    assert target.read_bytes() == b"newer"
    granted = fleet.server.post("/tenants/acme/operations", fleet.token, json={**back, "rollback": True})
    fleet.wait(granted.json()["id"], "succeeded")
    assert target.read_bytes() == content, "somebody has signed for it"


@every_kind
def test_one_order_gives_each_device_a_secret_of_its_own(agent, fleet, kind):
    devices = [agent(name, kind) for name in ("one", "two")]
    for device in devices:
        device.program("changeSecret", f"cat >{device.folder}/brought")
        device.start()
    operation = order(fleet, "changeSecret", target={"filter": None}, input={
        "user": "admin", "secret": {"$random": 24}, "host": {"$generate": "{number:2}-{name}"}})
    for device in devices:
        wait_for(lambda: (device.folder / "brought").exists() and (device.folder / "brought").stat().st_size, "it came")
    brought = [json.loads((device.folder / "brought").read_text())["input"] for device in devices]
    assert [(one["user"], one["host"], len(one["secret"])) for one in brought] == [
        ("admin", "01-one", 24), ("admin", "02-two", 24)]
    assert brought[0]["secret"] != brought[1]["secret"]
    everything = [fleet.server.get(f"/tenants/acme/operations/{operation}{path}", fleet.token).text for path in ("", "/tasks")]
    assert all(one["secret"] not in text for one in brought for text in everything)
    for path in fleet.server.data.glob("tidegate.db*"):
        assert not any(one["secret"].encode() in path.read_bytes() for one in brought)


def test_an_install_that_asks_first_waits_for_a_word_beside_the_device(agent, fleet, signer, tmp_path):
    one = install_device(agent, signer, swupdate_options="-H tidegate:1.0")
    one.start()
    target = one.folder / "installed"
    release = fleet.release(signer.package(tmp_path / "a", b"the new software", target))
    task = fleet.wait(fleet.install(release, "one", confirm=True), "refused")
    assert history(task) == ["it asks first, and nobody here agreed", "there is no program for it"]
    one.program("confirm", "echo not during the shift; exit 1")
    task = fleet.wait(fleet.install(release, "one", confirm=True), "refused")
    assert task["code"] == 1 and "not during the shift" in history(task)
    # Not now: it is asked again after a start, and once it has agreed not once more.
    one.program("confirm", f"cat >{one.folder}/read; echo $TIDEGATE_TASK_AGAIN >>{one.folder}/asked; exit 75")
    operation = fleet.install(release, "one", confirm=True)
    asked = one.folder / "asked"
    wait_for(lambda: asked.exists() and asked.read_text() == "0\n", "it is asked")
    wait_for(lambda: one.keeps('"continues"'), "it waits for the next start")
    assert json.loads((one.folder / "read").read_text())["release"]["version"] == "2.0"
    one.program("confirm", f"echo $TIDEGATE_TASK_AGAIN >>{one.folder}/asked")
    one.stop()
    assert not target.exists() and fleet.task(operation)["state"] not in ("succeeded", "failed", "refused")
    one.start()
    fleet.wait(operation, "succeeded")
    assert target.read_bytes() == b"the new software" and asked.read_text() == "0\n1\n"
    # One that does not ask needs no word.
    again = fleet.release(signer.package(tmp_path / "b", b"newer", target), "3.0")
    fleet.wait(fleet.install(again, "one"), "succeeded")
    assert asked.read_text() == "0\n1\n"


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


@pytest.mark.parametrize("component", ["system", "tidegate-agent"])
def test_a_download_is_left_to_the_next_start_and_ended_when_somebody_wants_so(agent, fleet, signer, tmp_path, component):
    one = install_device(agent, signer, swupdate_options="-H tidegate:1.0")
    fleet.server.admin("plan", "put", "slow", "--set", "downloadKilobytesPerSecond=1000")
    fleet.server.admin("tenant", "plan", "acme", "slow")
    file = tmp_path / "large"
    file.write_bytes(os.urandom(30 << 20))
    artifact = fleet.server.admin("artifact", "upload", file, "--tenant", "acme")
    release = fleet.server.admin(
        "release", "create", component, "2.0", "--artifact", artifact["id"], "--publish", "--tenant", "acme")["id"]
    one.start()
    operation = fleet.install(release, "one")

    def there():
        return sum(file.stat().st_size for file in (one.state / "downloads").glob("*.part"))

    wait_for(lambda: there() > 500_000, "the download runs")
    one.stop()
    kept = there()
    assert one.keeps('"running"')
    one.start()
    wait_for(lambda: there() > kept, "it goes on")
    fleet.cancel(operation)
    fleet.wait(operation, "cancelled")
    assert kept < there() < 30 << 20


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
    wait_for(lambda: one.reported(fleet.token)["agent"]["installed"] == {"tidegate-agent": 1}, "it says what it is")
    running = [path for pid in os.listdir("/proc") if pid.isdigit() and (path := of(pid, one))]
    assert any(str(one.state / "agent") in path for path in running), running
    # The next one starts and never gets to the server.
    broken = b'#!/bin/sh\n[ "$1" != --version ] || { echo tidegate-agent 3.0; exit; }\nexit 1\n'
    before = fleet.server.metric("tidegate_download_bytes_total")
    task = fleet.wait(fleet.install(release("3.0", broken), "one"), "failed")
    assert "did not reach the server" in history(task)[-1], task
    assert fleet.server.metric("tidegate_download_bytes_total") == before + len(broken)
    # It was fetched once, and is not fetched again by the agent that is back.
    fetched = fleet.server.metric("tidegate_download_bytes_total")
    time.sleep(3)
    assert fleet.server.metric("tidegate_download_bytes_total") == fetched
    left = [file.read_bytes() for file in (one.state / "agent").glob("?" * 64)]
    assert left == [fresh], "the failed program is gone, and the one before it is back"
    wait_for(lambda: one.reported(fleet.token)["agent"]["installed"] == {"tidegate-agent": 1}, "it says what it is")
    # One that hangs is ended by its alarm, which is not waited for here.
    hanging = b'#!/bin/sh\n[ "$1" != --version ] || { echo tidegate-agent 3.5; exit; }\nexec sleep 1000\n'
    operation = fleet.install(release("3.5", hanging), "one")

    def asleep():
        found = []
        for pid in os.listdir("/proc"):
            # It may end while it is looked at.
            with contextlib.suppress(OSError):
                if pid.isdigit() and of(pid, one) and b"sleep\x001000" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
        return found

    for _ in range(3):
        hanging = wait_for(asleep, "the new one hangs", 60)
        for pid in hanging:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGALRM)
        # The next one may be there at once.
        wait_for(lambda: not set(hanging) & set(asleep()), "it has ended")
    fleet.wait(operation, "failed")
    # What is no program at all is not even tried.
    fleet.wait(fleet.install(release("4.0", b"nonsense"), "one"), "failed")
    fleet.wait(order(fleet, "wake"), "succeeded")


def of(pid, one):
    """The program that the process runs, if it is one of the agent's."""
    try:
        return os.getpgid(int(pid)) == one.process.pid and os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None


# ---- Size

# What a release build may keep of a device's memory.
RESIDENT_BYTES = 20 << 20


@pytest.mark.skipif("release" not in str(AGENT.resolve()), reason="a debug build is larger; AGENT_BINARY names another")
def test_the_running_agent_is_small(agent, fleet):
    one = agent(metrics=1).start()
    wait_for(lambda: fleet.server.points("acme", "one", "host.load", fleet.token).get("host.load"), "it is measured")
    status = pathlib.Path(f"/proc/{one.process.pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10
    print(f"resident: {resident} bytes of at most {RESIDENT_BYTES}", re.findall(r"(Rss\w+|Threads):\s+(\d+)", status))
    assert resident <= RESIDENT_BYTES


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


def test_a_reading_that_the_server_never_takes_costs_that_one_alone(agent, fleet):
    one = agent()
    one.start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    fleet.server.stop(signal.SIGKILL)
    start = 1_750_000_000_000
    for number in range(100):
        value = {"": 1} if number == 50 else {"power": number}
        fresh = one.state / "readings" / f"{number:06}.new"
        fresh.write_text(json.dumps({"ts": start + number * 1000, "values": value}))
        fresh.rename(fresh.with_suffix(".json"))
    wait_for(lambda: not list((one.state / "readings").iterdir()), "every reading is taken")
    fleet.server.start()
    wait_for(lambda: not list((one.state / "buffer").iterdir()), "nothing is held up", 90)
    points = fleet.server.points(
        "acme", "one", "power", fleet.token, start="2025-06-15T15:06:40Z", end="2025-06-15T16:00:00Z")
    assert [point[1] for point in points["power"]] == [number for number in range(100) if number != 50]
    wait_for(lambda: one.reported(fleet.token)["agent"]["readings"]["lost"] == 1, "it is counted", 90)


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


def test_a_disk_that_takes_no_readings_is_told_of_and_ends_nothing(agent, fleet):
    one = agent(metrics=1)
    (one.state / "buffer").touch()
    one.start()
    wait_for(lambda: fleet.server.points("acme", "one", "host.load", fleet.token).get("host.load"), "it is measured")
    facts = wait_for(lambda: one.reported(fleet.token), "the device says what it is")
    assert "buffer" in facts["agent"]["readings"]["fault"], facts
    fleet.wait(order(fleet, "wake"), "succeeded")
    assert one.process.poll() is None and one.said("readings are kept in memory")


def test_what_the_server_had_is_sent_again_when_it_asks(agent, fleet):
    one = agent(history=1)
    one.start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    start = 1_750_000_000_000
    for number in range(50):
        fresh = one.state / "readings" / f"{number:06}.new"
        fresh.write_text(json.dumps({"ts": start + number * 1000, "values": {"power": number}}))
        fresh.rename(fresh.with_suffix(".json"))
    times = {"start": "2025-06-15T15:06:40Z", "end": "2025-06-15T16:00:00Z"}
    wait_for(lambda: len(fleet.server.points("acme", "one", "power", fleet.token, **times).get("power", [])) == 50,
             "the server has them")
    wish = {"resend": {"from": "2025-06-15T15:00:00Z", "to": "2025-06-15T16:00:00Z", "series": ["power"]}}
    task = fleet.wait(order(fleet, "synchronise", input=wish), "succeeded")
    assert any("50 readings are sent again" in line for line in history(task)), task
    wait_for(lambda: not list((one.state / "buffer").iterdir()), "they have left")
    assert len(fleet.server.points("acme", "one", "power", fleet.token, **times)["power"]) == 50
    task = fleet.wait(order(fleet, "synchronise", input={"resend": {"from": "yesterday"}}), "refused")
    assert "names no time" in history(task)[-1]


def test_an_opened_case_is_an_event(agent, fleet, tmp_path):
    case = tmp_path / "case"
    case.write_text("0\n")
    one = agent(tamper=case).start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    fleet.server.stop(signal.SIGKILL)
    case.write_text("1\n")
    wait_for(lambda: one.keeps("tamper.opened"), "it waits for the server")
    case.write_text("0\n")
    wait_for(lambda: one.keeps("tamper.closed"), "and so does its end")
    fleet.server.start()

    def told():
        answer = fleet.server.get("/tenants/acme/devices/one/events", fleet.token).json()
        return [event["code"] for event in answer["items"]][:2] if len(answer["items"]) > 1 else None

    assert wait_for(told, "the server knows", 90) == ["tamper.closed", "tamper.opened"]
    case.unlink()
    wait_for(lambda: one.said("the tamper input can not be read"), "it says that it can not look")


def test_modem_and_position_are_measured_where_they_are_there(agent, fleet, tmp_path):
    modem = tmp_path / "mmcli"
    modem.write_text("""#!/bin/sh
[ "$*" = "-J -m any" ] || exit 1
echo '{"modem":{"3gpp":{"operator-name":"Example","operator-code":"00101","registration-state":"home"},
"generic":{"access-technologies":["lte"],"signal-quality":{"value":"73"}}}}'
""")
    modem.chmod(0o755)
    said = b'{"class":"VERSION"}\nnonsense\n{"class":"TPV","mode":3,"lat":52.5,"lon":13.4,"altMSL":34}\n'
    with socket.create_server(("127.0.0.1", 0)) as gpsd:
        def serve():
            while True:
                try:
                    client, _ = gpsd.accept()
                except OSError:
                    return
                client.recv(100)
                client.sendall(said)
        threading.Thread(target=serve, daemon=True).start()
        one = agent(metrics=1, modem=modem, position=f"127.0.0.1:{gpsd.getsockname()[1]}").start()
        for series, value in (("host.cellular.signal", 73), ("host.position.latitude", 52.5)):
            points = wait_for(
                lambda: fleet.server.points("acme", "one", series, fleet.token).get(series), f"{series} is there")
            assert points[-1][1] == value
        fleet.wait(order(fleet, "synchronise"), "succeeded")
        cellular = wait_for(lambda: one.reported(fleet.token)["host"].get("cellular"), "the operator is known")
        assert cellular == {
            "operator": "Example", "operatorCode": "00101", "registration": "home", "technology": "lte"}


# ---- Set-up page

def test_a_device_without_settings_is_set_up_by_its_page(agent, fleet):
    port = free_port()
    one = agent(setup=f"127.0.0.1:{port}")
    for key in ("server", "tenant", "device", "token", "server-ca"):
        del one.settings[key]
    token = one.token
    page = f"http://127.0.0.1:{port}/"
    one.start(supervised=True)
    shown = wait_for(lambda: answer(page), "the page is there").text
    assert "Set up this device" in shown and token not in shown
    form = {
        "form": re.search('name="form" value="([0-9a-f]+)"', shown)[1], "token": token, "tenant": "acme",
        "server": f"localhost:{fleet.server.ports['device']}", "device": "one",
        "server-ca": fleet.server.ca.read_text(),
    }
    # What another site in somebody's browser could send.
    assert requests.get(page, headers={"Host": "evil.example"}).status_code == 421
    assert requests.post(page, data=form, headers={"Origin": "http://evil.example"}).status_code == 403
    assert requests.post(page, data=form | {"form": "0" * 32}).status_code == 400
    assert requests.post(page, json=form).status_code == 415
    assert requests.post(page, data=form | {"server": "a b"}).status_code == 400
    assert requests.post(page, data=form | {"device": "one\nstate = /etc"}).status_code == 400
    # Whoever sends too much may not even read the answer.
    with contextlib.suppress(requests.ConnectionError):
        assert requests.post(page, data=form | {"more": "x" * 100_000}).status_code == 413
    assert requests.get(page + "other").status_code == 404
    # Nonsense, and one who says nothing, hold nothing up.
    with socket.create_connection(("127.0.0.1", port)) as quiet, socket.create_connection(("127.0.0.1", port)) as bad:
        bad.sendall(b"\x00\xff nonsense\r\n\r\n")
        quiet.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert requests.get(page).status_code == 200
    done = requests.post(page, data=form)
    assert done.status_code == 200 and "It is set up" in done.text and token not in done.text
    wait_for(lambda: one.reported(fleet.token), "the device is enrolled and has called")
    # It is gone once the device is enrolled.
    wait_for(lambda: answer(page) is None, "the page is gone")
    assert token not in one.log.read_text()


def answer(page):
    try:
        return requests.get(page, timeout=5)
    except requests.RequestException:
        return None


# ---- A private network

NEW_NETWORK = 0x40000000  # CLONE_NEWNET; os.unshare came with Python 3.12

needs_namespaces = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces")


@contextlib.contextmanager
def own_network():
    """This thread, and what it starts, in a network of their own: a browser that another test drives would take a change
    of this machine's own for a reason to give up what it loads."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(NEW_NETWORK) != 0:
            pytest.skip(f"no network namespaces here: {os.strerror(ctypes.get_errno())}")
        try:
            run("ip", "link", "set", "lo", "up")
            yield
        finally:
            assert libc.setns(before, NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
    finally:
        os.close(before)


@pytest.fixture
def private_network():
    """A network of one device without a name server, from which nothing but one address can be reached: this thread's."""
    name, near, far = f"tg{os.getpid()}", "10.213.77.1", "10.213.77.2"
    folder = pathlib.Path("/etc/netns") / name
    with own_network():
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
        if made.returncode != 0:
            pytest.skip(f"no network namespaces here: {made.stderr.strip()}")
        try:
            # `ip netns exec` lays these over the device's own.
            folder.mkdir(parents=True)
            (folder / "resolv.conf").write_text("")
            (folder / "hosts").write_text("")
            run("ip", "link", "add", "down0", "type", "veth", "peer", "name", "up0", "netns", name)
            run("ip", "address", "add", near, "peer", f"{far}/32", "dev", "down0")
            run("ip", "link", "set", "down0", "up")
            inside = ["ip", "netns", "exec", name]
            run(*inside, "ip", "address", "add", far, "peer", f"{near}/32", "dev", "up0")
            run(*inside, "ip", "link", "set", "up0", "up")
            yield inside, near, far
        finally:
            subprocess.run(["ip", "netns", "delete", name])
            shutil.rmtree(folder, ignore_errors=True)


@needs_namespaces
def test_a_device_needs_no_name_server_no_open_port_and_no_way_but_to_its_server(private_network, tmp_path):
    inside, near, far = private_network
    port = free_port()
    server = Server(tmp_path, environment={
        "TIDEGATE_LISTENERS_DEVICE": f"{near}:{port}", "TIDEGATE_TLS_NAMES": f"localhost, {near}"})
    one = None
    try:
        server.tenant("acme")
        server.admin("heartbeat", "set", "--tenant", "acme", "--interval", "1", "--busy", "1", "--jitter", "0")
        fleet = Fleet(server)
        one = AgentDevice(server, "acme", "one", metrics=1)
        one.settings["server"] = f"{near}:{port}"
        one.prefix = inside
        one.program("runDiagnostic", "echo here")
        one.start()
        facts = wait_for(lambda: one.reported(fleet.token), "the device has called")
        assert facts["agent"]["version"]
        assert "here" in history(fleet.wait(order(fleet, "runDiagnostic"), "succeeded"))
        wait_for(lambda: server.points("acme", "one", "host.load", fleet.token).get("host.load"), "it is measured")
        # There is one way, and no port is open: nothing listens, over TCP or UDP.
        routes = run(*inside, "ip", "route").stdout.decode().split("\n")
        assert [route.split()[0] for route in routes if route] == [near]
        assert run(*inside, "ss", "-Hlntu").stdout == b""
        assert run(*inside, "getent", "hosts", "example.com", check=False).returncode != 0
        # From the server's side nothing is reachable either.
        with pytest.raises(OSError):
            socket.create_connection((far, port), timeout=2)
    finally:
        if one:
            one.remove()
        server.stop()


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
        f"cat >> {one.folder}/seen; echo \" $TIDEGATE_ROLLBACK\" >> {one.folder}/seen; "
        f"[ \"$TIDEGATE_ROLLBACK\" = 1 ] || kill -STOP {fleet.server.process.pid}")
    desired(fleet, one, {"colour": "red"}, tmp_path)
    try:
        wait_for(lambda: seen().endswith(" 1\n"), "the old one is back", 120)
    finally:
        one.program("configure", "true")
        os.kill(fleet.server.process.pid, signal.SIGCONT)
    assert [line.split('"')[5] for line in seen().splitlines()] == ["blue", "red", "blue"]
    wait_for(lambda: state().get("state") == "rolledBack", "the server learns of it", 60)


def test_a_configuration_whose_answer_was_lost_is_asked_for_again(agent, fleet, tmp_path):
    """The server counts it as fetched before the answer has arrived, and says nothing of it any more."""
    one = agent()
    one.program("configure", f"cat >> {one.folder}/seen")
    one.start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    one.stop()
    desired(fleet, one, {"colour": "blue"}, tmp_path)

    def get(path):
        return requests.get(
            f"{fleet.server.device_url}/acme/{path}", cert=one.identity, verify=str(fleet.server.ca)).content

    liar = Liar(tmp_path)
    try:
        one.settings |= {"server": f"localhost:{liar.port}"}
        (one.state / "server-ca.pem").write_bytes(liar.ca.read_bytes())
        liar.says("maintenance-keys", get("maintenance-keys"))
        liar.says("desired", b"")
        liar.says("heartbeat", {"pause": 1, "desired": {"version": 1}})
        one.start()
        wait_for(lambda: any(path.endswith("/desired") for _, path, _ in liar.heard), "it asks")
        liar.says("heartbeat", {"pause": 1})
        liar.says("desired", get("desired"))
        wait_for(lambda: (one.folder / "seen").exists(), "it is in effect", 60)
    finally:
        liar.close()


def test_what_a_domain_is_wanted_to_be_reaches_the_agent(agent, fleet, tmp_path):
    one = agent()
    one.program("configure", f"cat >> {one.folder}/seen")
    one.start()
    wait_for(lambda: one.reported(fleet.token), "the device has called")
    document = json.dumps({"net": {"apn": "m2m"}}).encode()
    fleet.server.admin("desired", "set", "--domain", "/", "--tenant", "acme", "-", input=document)
    wait_for(lambda: one.reported(fleet.token).get("configuration", {}).get("state") == "applied", "it is in effect")
    assert '"apn":"m2m"' in (one.folder / "seen").read_text()
    members = fleet.server.admin("desired", "members", one.name, "--tenant", "acme")
    assert members["drift"] == 0 and members["members"][0]["source"]["kind"] == "domain"
