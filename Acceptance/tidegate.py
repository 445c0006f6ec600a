"""A real server in its own directory, and the unmodified programs that talk to it."""

import base64
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("TIDEGATE_BINARY", ROOT / ".build" / "debug" / "tidegate"))
DEADLINE = 60


# Tests run in some processes at once; each picks from a range of its own, below those that the kernel gives to clients.
FIRST_PORT = 10_000 + 7_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = itertools.cycle(random.sample(range(FIRST_PORT, FIRST_PORT + 7_000), 7_000))


def free_port():
    while True:
        port = next(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for(condition, what, seconds=DEADLINE):
    """Polls until the condition holds; a test never sleeps for a guess."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def run(*command, input=None, check=True, env=None, cwd=None):
    done = subprocess.run(
        [str(part) for part in command], input=input, capture_output=True, timeout=120, env=env, cwd=cwd
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{command[0]} failed ({done.returncode}): {done.stdout.decode()} {done.stderr.decode()}")
    return done


class Device:
    """A registered device with its own key and certificate, made by openssl and curl."""

    def __init__(self, server, tenant, name, folder, registration):
        self.server, self.tenant, self.name, self.folder = server, tenant, name, folder
        self.id = registration["id"]
        self.token = registration["enrolmentToken"]
        self.key = folder / f"{name}.key"
        self.certificate = folder / f"{name}.pem"

    def make_request(self):
        request = self.folder / f"{self.name}.csr"
        if not self.key.exists():
            run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        run("openssl", "req", "-new", "-key", self.key, "-subj", f"/CN={self.name}", "-outform", "DER", "-out", request)
        return request

    def enrol(self, path="/{tenant}/.well-known/est/simpleenroll", user=None, token=None):
        """Enrols with unmodified curl and openssl; returns the HTTP status."""
        request = self.make_request()
        body = self.folder / f"{self.name}.b64"
        body.write_bytes(base64.encodebytes(request.read_bytes()))
        answer = self.folder / f"{self.name}.p7"
        done = run(
            "curl", "--silent", "--cacert", self.server.ca, "--user", f"{user or self.id}:{token or self.token}",
            "--header", "Content-Type: application/pkcs10", "--data-binary", f"@{body}", "--output", answer,
            "--write-out", "%{http_code}", self.server.device_url + path.format(tenant=self.tenant),
        )
        status = int(done.stdout)
        if status == 200:
            self.store(answer)
        return status

    def store(self, answer):
        der = self.folder / f"{self.name}.p7.der"
        der.write_bytes(base64.b64decode(answer.read_bytes()))
        run("openssl", "pkcs7", "-inform", "DER", "-in", der, "-print_certs", "-out", self.certificate)

    def mosquitto_pub(self, *arguments, check=True, input=None):
        return run(
            "mosquitto_pub", "-h", "localhost", "-p", self.server.ports["mqtt"], "--cafile", self.server.ca,
            "--cert", self.certificate, "--key", self.key, *arguments, check=check, input=input,
        )


class Server:
    """`tidegate serve` on free ports, ready when constructed."""

    def __init__(self, folder, database="sqlite", environment=None):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.database = database
        self.environment = environment or {}
        self.ports = {name: free_port() for name in ("people", "device", "mqtt", "metrics")}
        self.process = None
        self.log = self.folder / "server.log"
        self.start()

    def env(self):
        values = dict(os.environ)
        values["TIDEGATE_DATABASE"] = self.database
        for name, port in self.ports.items():
            values[f"TIDEGATE_LISTENERS_{name.upper()}"] = f"127.0.0.1:{port}"
        values.update(self.environment)
        return values

    def start(self):
        self.began = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", "--data", str(self.data)], env=self.env(), stdout=log, stderr=subprocess.STDOUT
            )
        try:
            wait_for(lambda: self.is_ready() and self.has_greeted(), "the server is ready and has said so")
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log.read_text()[-2000:]}")
        try:
            return requests.get(f"http://127.0.0.1:{self.ports['metrics']}/readyz", timeout=2).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False

    def has_greeted(self):
        """Its greeting comes once every listener accepts, which may be a moment after the one for health checks does."""
        return b"Clients trust " in self.log.read_bytes()[self.began:]

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)
        return self.process.returncode if self.process else None

    @property
    def ca(self):
        return self.data / "trust" / "server-ca.pem"

    @property
    def device_url(self):
        return f"https://localhost:{self.ports['device']}"

    @property
    def people_url(self):
        return f"https://localhost:{self.ports['people']}"

    def metric(self, name, **labels):
        """The sum of a metric's values, over all labels that are not given."""
        lines = requests.get(f"http://127.0.0.1:{self.ports['metrics']}/metrics", timeout=10).text.splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in lines
            if line.partition("{")[0].partition(" ")[0] == name and all(part in line for part in wanted)
        )

    def admin(self, *arguments, check=True, input=None):
        done = run(BINARY, "admin", "--data", self.data, "--json", *arguments, check=check, input=input)
        text = done.stdout.decode().strip()
        return json.loads(text) if check and text else done

    def tenant(self, slug):
        return self.admin("tenant", "create", slug)

    def token(self, tenant, role="viewer"):
        return self.admin("token", "create", "--tenant", tenant, "--role", role)["token"]

    def register(self, tenant, name, *arguments):
        folder = self.folder / "devices" / tenant
        folder.mkdir(parents=True, exist_ok=True)
        return Device(self, tenant, name, folder, self.admin("device", "register", name, "--tenant", tenant, *arguments))

    def enrolled(self, tenant, name, *arguments):
        device = self.register(tenant, name, *arguments)
        assert device.enrol() == 200
        return device

    def get(self, path, token, **arguments):
        return requests.get(
            f"{self.people_url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, verify=str(self.ca),
            timeout=60, **arguments,
        )

    def post(self, path, token, **arguments):
        headers = {"Authorization": f"Bearer {token}", **arguments.pop("headers", {})}
        return requests.post(
            f"{self.people_url}/api/v1{path}", headers=headers, verify=str(self.ca), timeout=60, **arguments
        )

    def points(self, tenant, device, series, token, start="2020-01-01T00:00:00Z", end="2030-01-01T00:00:00Z", **more):
        answer = self.get(
            f"/tenants/{tenant}/devices/{device}/telemetry", token,
            params={"series": series, "from": start, "to": end, **more},
        )
        assert answer.status_code == 200, answer.text
        return {entry["name"]: entry["points"] for entry in answer.json()["series"]}
