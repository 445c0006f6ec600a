"""Debian's unmodified swupdate (suricatta) takes its updates from the server, from the order to success."""

import datetime
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from tidegate import run, wait_for

HARDWARE = "tidegate:1.0"


class Signer:
    """A key that signs updates."""

    def __init__(self, folder, name):
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.pem"
        run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.certificate,
            "-subj", f"/CN={name}", "-days", "30", "-addext", "extendedKeyUsage=emailProtection",
            "-addext", "keyUsage=digitalSignature",
        )

    def package(self, folder, content, target):
        """An archive that writes `content` to the file `target`."""
        folder.mkdir()
        (folder / "image").write_bytes(content)
        (folder / "sw-description").write_text(f"""software = {{
            version = "2.0"; hardware-compatibility: [ "1.0" ];
            images: ( {{ filename = "image"; type = "rawfile"; path = "{target}"; installed-directly = true;
                sha256 = "{hashlib.sha256(content).hexdigest()}"; }} ); }};""")
        run(
            "openssl", "cms", "-sign", "-in", "sw-description", "-out", "sw-description.sig", "-signer",
            self.certificate, "-inkey", self.key, "-outform", "DER", "-nosmimecap", "-binary", cwd=folder,
        )
        done = run("cpio", "-o", "-H", "crc", cwd=folder, input=b"sw-description\nsw-description.sig\nimage\n")
        (folder / "update.swu").write_bytes(done.stdout)
        return folder / "update.swu"


class SWUpdate:
    """A device that runs swupdate, in a directory of its own."""

    def __init__(self, device, signer, *options):
        self.device, self.options = device, options
        # Its sockets' paths must be short.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="swu", dir="/tmp"))
        self.target = self.folder / "installed"
        self.log = self.folder / "log"
        self.configuration = self.folder / "swupdate.cfg"
        self.signer = signer
        self.configuration.write_text(f"""
            globals : {{ verbose = true; loglevel = 5; public-key-file = "{signer.certificate}"; }};
            identify : ( {{ name = "serial"; value = "{device.name}-serial"; }} );
            suricatta : {{
                tenant = "{device.tenant}"; id = "{device.name}"; url = "{device.server.device_url}"; polldelay = 1;
                nocheckcert = false; retry = 10; retrywait = 1; cafile = "{device.server.ca}";
                sslkey = "{device.key}"; sslcert = "{device.certificate}"; }};
            """)
        self.process = None

    def start(self, *options):
        """Starts it; `-c 2` says, after a restart, that the update is a success."""
        (self.folder / "run").mkdir(exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["swupdate", "-H", HARDWARE, "-f", self.configuration, "-u", " ".join([*self.options, *options, "-e"])],
                env={"TMPDIR": str(self.folder / "run"), "PATH": "/usr/bin:/bin"}, stdout=log, stderr=log,
                start_new_session=True,
                # Its parts answer each other over sockets that may be closed, and SIGPIPE would end it: it is left
                # ignored, as systemd leaves it for Debian's own unit (`IgnoreSIGPIPE`).
                restore_signals=False,
            )

    def stop(self, how=signal.SIGTERM):
        """Ends it and its own subprocesses, which are in a session of their own."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(30)
        self.process = None
        shutil.rmtree(self.folder / "run", ignore_errors=True)

    def said(self, text):
        return text in self.log.read_text(errors="replace")


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer(tmp_path_factory.mktemp("signer"), "updates")


@pytest.fixture
def swupdate(own_server, signer):
    """Makes devices that run swupdate."""
    own_server.tenant("acme")
    own_server.admin("heartbeat", "set", "--tenant", "acme", "--interval", "1", "--busy", "1", "--jitter", "0")
    running = []

    def make(name, *options):
        one = SWUpdate(own_server.enrolled("acme", name), signer, *options)
        running.append(one)
        return one

    yield make
    for one in running:
        one.stop(signal.SIGKILL)
        print(one.log.read_text(errors="replace")[-4000:])
        shutil.rmtree(one.folder, ignore_errors=True)


class Fleet:
    """What an operator does and sees."""

    def __init__(self, server):
        self.server, self.token = server, server.token("acme", "admin")

    def release(self, path, version="2.0", *options):
        artifact = self.server.admin("artifact", "upload", path, "--tenant", "acme")
        return self.server.admin(
            "release", "create", "system", version, *options, "--artifact", artifact["id"], "--publish", "--tenant",
            "acme")["id"]

    def install(self, release, device, **terms):
        answer = self.server.post(
            "/tenants/acme/operations", self.token,
            json={"type": "install", "target": {"devices": [{"device": device}]}, "release": release, "terms": terms},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def cancel(self, operation):
        answer = self.server.post(f"/tenants/acme/operations/{operation}/cancel", self.token)
        assert answer.status_code == 200, answer.text

    def task(self, operation):
        """The operation's task, with everything that was said of it."""
        tasks = self.server.get(f"/tenants/acme/operations/{operation}/tasks", self.token).json()["items"]
        return self.server.get(f"/tenants/acme/tasks/{tasks[0]['id']}", self.token).json()

    def wait(self, operation, state):
        try:
            return wait_for(
                lambda: (task := self.task(operation))["state"] == state and task, f"the task is {state}", 90)
        except AssertionError:
            raise AssertionError(json.dumps(self.task(operation), indent=1))

    def attributes(self, device):
        answer = self.server.get(f"/tenants/acme/devices/{device}/reported", self.token).json()
        return answer["reported"].get("attributes", {})


@pytest.fixture
def fleet(own_server, swupdate):
    return Fleet(own_server)


def test_an_update_goes_from_order_to_success_over_a_restart(swupdate, fleet, signer, tmp_path):
    one = swupdate("one")
    one.start()
    wait_for(lambda: fleet.attributes("one") == {"serial": "one-serial"}, "the device says what it is")
    content = b"the new software" * 4096
    operation = fleet.install(fleet.release(signer.package(tmp_path / "a", content, one.target)), "one")
    wait_for(lambda: one.target.exists() and one.target.read_bytes() == content, "the update is installed")
    task = fleet.wait(operation, "running")
    one.stop()
    one.start("-c", "2")
    task = fleet.wait(operation, "succeeded")
    assert [status["word"] for status in task["history"]][-1] == "succeeded"
    # It polls on, and is offered nothing more.
    polls = fleet.server.metric("tidegate_ddi_polls_total")
    wait_for(lambda: fleet.server.metric("tidegate_ddi_polls_total") >= polls + 2, "it polls on")
    assert fleet.server.metric("tidegate_ddi_refused_total") == 0
    assert fleet.server.get(f"/tenants/acme/operations/{operation}", fleet.token).json()["state"] == "finished"


def test_a_wrong_signature_is_a_failure_with_its_reason(swupdate, fleet, tmp_path):
    one = swupdate("one")
    one.start()
    other = Signer(tmp_path, "somebody-else")
    operation = fleet.install(fleet.release(other.package(tmp_path / "a", b"evil", one.target)), "one")
    task = fleet.wait(operation, "failed")
    assert not one.target.exists()
    assert any("ignature" in line or "erif" in line for status in task["history"] for line in status["details"]), task


def test_an_install_is_ended_while_it_downloads(swupdate, fleet, signer, tmp_path):
    one = swupdate("one", "-n", "100k")
    one.start()
    operation = fleet.install(fleet.release(signer.package(tmp_path / "a", b"x" * (8 << 20), one.target)), "one")
    wait_for(lambda: fleet.server.metric("tidegate_downloads_open") == 1, "the download runs")
    fleet.cancel(operation)
    fleet.wait(operation, "cancelled")
    wait_for(lambda: fleet.server.metric("tidegate_downloads_open") == 0, "the download has ended")


def test_a_device_that_loses_power_in_the_download_begins_anew(swupdate, fleet, signer, tmp_path):
    one = swupdate("one", "-n", "500k")
    one.start()
    content = b"power" * 400_000
    operation = fleet.install(fleet.release(signer.package(tmp_path / "a", content, one.target)), "one")
    wait_for(lambda: fleet.server.metric("tidegate_download_bytes_total") > 100_000, "the download runs")
    one.stop(signal.SIGKILL)
    one.start()
    wait_for(lambda: one.target.exists() and one.target.read_bytes() == content, "the update is installed")
    one.stop()
    one.start("-c", "2")
    fleet.wait(operation, "succeeded")


def test_a_download_goes_on_where_the_servers_death_cut_it(swupdate, fleet, signer, tmp_path):
    one = swupdate("one", "-n", "500k")
    one.start()
    content = b"power" * 800_000
    operation = fleet.install(fleet.release(signer.package(tmp_path / "a", content, one.target)), "one")
    wait_for(lambda: fleet.server.metric("tidegate_download_bytes_total") > 500_000, "the download runs")
    fleet.server.stop(signal.SIGKILL)
    fleet.server.start()
    wait_for(lambda: one.target.exists() and one.target.read_bytes() == content, "the update is installed")
    assert 0 < fleet.server.metric("tidegate_download_bytes_total") < len(content), "the rest alone was sent again"
    one.stop()
    one.start("-c", "2")
    fleet.wait(operation, "succeeded")


def test_nothing_is_offered_outside_of_the_window_and_nothing_said_of_it(swupdate, fleet, signer, tmp_path):
    one = swupdate("one")
    one.start()
    release = fleet.release(signer.package(tmp_path / "a", b"later", one.target))
    # A window of one minute that lies half a day away.
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=12)
    window = {"from": then.strftime("%H:%M"), "to": (then + datetime.timedelta(minutes=1)).strftime("%H:%M")}
    operation = fleet.install(release, "one", windows=[window])
    fleet.wait(operation, "queued")
    polls = fleet.server.metric("tidegate_ddi_polls_total")
    wait_for(lambda: fleet.server.metric("tidegate_ddi_polls_total") >= polls + 4, "it polls on")
    task = fleet.task(operation)
    assert task["state"] == "queued", task
