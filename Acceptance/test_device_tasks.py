"""Tasks over HTTPS as docs/device-tasks.md tells whoever writes a device's software, verified by other people's code."""

import json
import pathlib
import re
import subprocess

import pytest
import requests
from authlib.jose import JsonWebKey, JsonWebSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from authlib.common.encoding import urlsafe_b64decode

from tidegate import ROOT, Server, wait_for

TENANT = ("--tenant", "acme")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"))
    running.admin("tenant", "create", "acme")
    yield running
    running.stop()


class Caller:
    """A device that calls with requests, on one kept connection."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.device = server.enrolled("acme", name)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(server.ca)
        self.session.cert = (str(self.device.certificate), str(self.device.key))

    def get(self, path):
        answer = self.session.get(f"{self.server.device_url}/acme/{path}", timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def say(self, number, **status):
        return self.session.post(
            f"{self.server.device_url}/acme/tasks/{number}/status", json=status, timeout=30).status_code

    def order(self, *arguments):
        operation = self.server.admin("operation", "order", *arguments, "--device", self.name, *TENANT)
        wait_for(
            lambda: self.server.admin("operation", "show", operation["id"], *TENANT)["tasks"].get("queued"),
            "the task is queued")
        return operation["id"]

    def states(self, operation):
        return self.server.admin("operation", "show", operation, *TENANT)["tasks"]


@pytest.fixture
def caller(server, request):
    return Caller(server, re.sub("[^a-z]", "-", request.node.name.removeprefix("test_"))[:40].strip("-"))


def verified(keys, compact):
    """The payload, checked by Authlib and once more by cryptography alone."""
    key_set = JsonWebKey.import_key_set(keys)
    found = JsonWebSignature(["EdDSA"]).deserialize_compact(compact, lambda header, _: key_set.find_by_kid(header["kid"]))
    message, _, signature = compact.rpartition(".")
    known = {key["kid"]: key for key in keys["keys"]}[found["header"]["kid"]]
    Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(known["x"].encode())).verify(
        urlsafe_b64decode(signature.encode()), message.encode())
    return found["header"], json.loads(found["payload"])


def test_a_device_works_off_a_signed_task(caller):
    assert list(caller.get("heartbeat")) == ["pause"]
    operation = caller.order("runDiagnostic")
    answer = caller.get("heartbeat")
    task = answer["tasks"][0]
    keys = caller.get("maintenance-keys")
    assert [sorted(key) for key in keys["keys"]] == [["alg", "crv", "kid", "kty", "use", "x"]]
    header, payload = verified(keys, task["signed"])
    assert header == {"alg": "EdDSA", "kid": keys["keys"][0]["kid"], "typ": "tidegate-task+jws"}
    assert payload["tenant"] == "acme" and payload["device"] == caller.device.id
    assert {name: payload[name] for name in ("id", "type", "input")} == {
        name: task[name] for name in ("id", "type", "input")}
    assert caller.say(task["id"], state="running", progress={"done": 1, "of": 4}) == 200
    again = caller.get("heartbeat")["tasks"][0]
    assert again["begun"] is True and verified(keys, again["signed"])[1]["sequence"] > payload["sequence"]
    assert caller.say(task["id"], state="succeeded", details=["all well"]) == 200
    assert caller.states(operation) == {"succeeded": 1}
    assert caller.say(task["id"], state="succeeded") == 200
    assert caller.say(task["id"], state="failed") == 410
    assert caller.say(999999, state="failed") == 404
    assert list(caller.get("heartbeat")) == ["pause"]


def test_the_shell_lines_of_the_documentation_verify_a_task(caller, tmp_path):
    lines = (ROOT / "docs" / "device-tasks.md").read_text().split("```sh\n")[1].split("```")[0]
    caller.order("reboot")
    jws = caller.get("heartbeat")["tasks"][0]["signed"]
    (tmp_path / "keys.json").write_text(json.dumps(caller.get("maintenance-keys"), separators=(",", ":")))

    def verify(compact):
        return subprocess.run(
            ["sh", "-c", lines], env={"jws": compact, "PATH": "/usr/bin:/bin"}, cwd=tmp_path, capture_output=True)

    done = verify(jws)
    assert b"Signature Verified Successfully" in done.stdout, done.stderr
    assert b'"type":"reboot"' in done.stdout
    header, payload, signature = jws.split(".")
    changed = payload[:-2] + ("AA" if payload[-2:] != "AA" else "BB")
    assert b"Signature Verified Successfully" not in verify(f"{header}.{changed}.{signature}").stdout


def test_a_new_key_signs_and_the_old_one_still_counts(caller):
    caller.order("reboot")
    before = caller.get("heartbeat")["tasks"][0]["signed"]
    caller.server.admin("keys", "rotate", "--maintenance", *TENANT)
    after = caller.get("heartbeat")["tasks"][0]["signed"]
    keys = caller.get("maintenance-keys")
    (old, first), (new, second) = verified(keys, before), verified(keys, after)
    assert new["kid"] == keys["keys"][0]["kid"] != old["kid"] and second["sequence"] > first["sequence"]


def test_what_is_handed_out_survives_a_restart_and_its_numbers_grow(caller):
    operation = caller.order("collectLogs")
    first = caller.get("heartbeat")["tasks"][0]
    keys = caller.get("maintenance-keys")
    caller.server.stop()
    caller.server.start()
    caller.session.close()
    second = caller.get("heartbeat")["tasks"][0]
    assert second["id"] == first["id"] and caller.get("maintenance-keys") == keys
    assert verified(keys, second["signed"])[1]["sequence"] > verified(keys, first["signed"])[1]["sequence"]
    assert caller.say(first["id"], state="succeeded") == 200
    assert caller.states(operation) == {"succeeded": 1}


def test_a_desired_document_is_fetched_once(caller, tmp_path):
    document = pathlib.Path(tmp_path / "desired.json")
    document.write_text('{"apn":"m2m"}')
    caller.server.admin("device", "desired", caller.name, document, *TENANT)
    assert caller.get("heartbeat")["desired"] == {"version": 1}
    answer = caller.get("desired")
    header, payload = verified(caller.get("maintenance-keys"), answer["signed"])
    assert header["typ"] == "tidegate-desired+jws" and payload["document"] == answer["document"] == {"apn": "m2m"}
    assert "desired" not in caller.get("heartbeat")
    told = caller.session.post(f"{caller.server.device_url}/acme/reported", json={"apn": "m2m"}, timeout=30)
    assert told.status_code == 200 and told.json() == {}
