"""Devices that run one of our agents, each in a directory of its own, and servers that lie to them."""

import base64
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from tidegate import BINARY, ROOT, run, wait_for

AGENT = pathlib.Path(os.environ.get("AGENT_BINARY", BINARY.parent / "tidegate-agent"))
SHELL_AGENT = ROOT / "packaging" / "agent" / "tidegate-agent.sh"
KINDS = {
    "tidegate-agent": [AGENT],
    "dash": ["dash", SHELL_AGENT],
    "busybox": ["busybox", "sh", SHELL_AGENT],
}


class AgentDevice:
    """A registered device on which an agent runs."""

    def __init__(self, server, tenant, name, kind="tidegate-agent", **settings):
        self.server, self.tenant, self.name, self.kind = server, tenant, name, kind
        registration = server.admin("device", "register", name, "--tenant", tenant)
        self.id, self.token = registration["id"], registration["enrolmentToken"]
        # Sockets of swupdate's need short paths.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="agt", dir="/tmp"))
        self.state, self.tasks = self.folder / "state", self.folder / "tasks.d"
        self.state.mkdir(mode=0o700)
        self.tasks.mkdir()
        (self.folder / "run").mkdir()
        self.log = self.folder / "log"
        self.log.touch()
        self.settings = {
            "server": f"localhost:{server.ports['device']}", "tenant": tenant, "device": name,
            "token": registration["enrolmentToken"], "server-ca": server.ca, "state": self.state,
            "tasks": self.tasks, "metrics": 0, "setup": "none", "modem": "none", "position": "none",
        } | {key.replace("_", "-"): value for key, value in settings.items()}
        # What it is started by, such as `ip netns exec …`.
        self.prefix = []
        self.process = None

    @property
    def configuration(self):
        file = self.folder / "agent.conf"
        file.write_text("".join(f"{key} = {value}\n" for key, value in self.settings.items()))
        return file

    def program(self, type, text):
        """Puts a program for tasks of this type into the directory."""
        file = self.tasks / type
        file.write_text("#!/bin/sh\n" + text + "\n")
        file.chmod(0o755)

    def keeps(self, *words):
        """Whether one of the words stands in what it has on its disk; each kind of agent has its own."""
        for file in self.state.rglob("*"):
            # A file under its passing name is not kept yet, and may have got its own since it was listed.
            with contextlib.suppress(FileNotFoundError):
                if file.is_file() and file.suffix != ".new" and any(word.encode() in file.read_bytes() for word in words):
                    return True
        return False

    def environment(self):
        path = self.folder / "bin"
        if self.kind == "busybox" and not path.exists():
            # Every tool that busybox has is busybox's; curl and openssl are not among them.
            path.mkdir()
            for tool in subprocess.run(["busybox", "--list"], capture_output=True, text=True).stdout.split():
                (path / tool).symlink_to(shutil.which("busybox"))
        prefix = f"{path}:" if self.kind == "busybox" else ""
        return {"PATH": prefix + "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(self.folder / "run")}

    def start(self, supervised=False):
        """Starts it; supervised it is started again whenever it ends, as systemd does."""
        option = "--config" if self.kind == "tidegate-agent" else "-c"
        command = [*self.prefix, *map(str, KINDS[self.kind]), option, str(self.configuration), "run"]
        self.supervised = supervised
        if supervised:
            command = ["sh", "-c", 'while :; do "$@"; sleep 0.2; done', "supervisor", *command]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment(),
                stdout=log, stderr=log, start_new_session=True,
            )
        return self

    def stop(self, how=signal.SIGTERM):
        """Ends it; by SIGKILL everything that it had started goes with it, as when the power goes."""
        if self.process and self.process.poll() is None:
            if how == signal.SIGKILL:
                os.killpg(self.process.pid, how)
            else:
                self.process.send_signal(how)
            code = self.process.wait(60)
            assert how != signal.SIGTERM or self.supervised or code == 0, f"it ended with {code}"
        self.process = None

    def remove(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def said(self, text):
        return text in self.log.read_text(errors="replace")

    def verb(self, *arguments):
        option = "--config" if self.kind == "tidegate-agent" else "-c"
        return run(*KINDS[self.kind], option, self.configuration, *arguments, env=self.environment(), check=False)

    @property
    def identity(self):
        """The certificate and key that it has, for requests."""
        return str(self.state / "maintenance.pem")

    def reported(self, token):
        answer = self.server.get(f"/tenants/{self.tenant}/devices/{self.name}/reported", token)
        return answer.json()["reported"] if answer.status_code == 200 else {}


class Liar:
    """A server that says to agents what a test wants, and keeps what they say; its certificate is of its own making."""

    def __init__(self, folder, names="DNS:localhost"):
        self.folder = folder
        self.ca, self.key = folder / "liar.pem", folder / "liar.key"
        run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            self.key, "-out", self.ca, "-subj", "/CN=localhost", "-days", "2", "-addext", f"subjectAltName={names}",
        )
        self.answers, self.heard, self.lock = {}, [], threading.Lock()
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with liar.lock:
                    liar.heard.append((self.command, self.path, body))
                    answer = liar.answers.get(self.path.rsplit("/", 1)[-1], b"{}")
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer)
                self.close_connection = True

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, self.key)
        self.http = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def says(self, path, answer):
        with self.lock:
            self.answers[path] = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def statuses(self):
        """What agents said of tasks: pairs of number and status."""
        with self.lock:
            heard = [(path, body) for method, path, body in self.heard if method == "POST" and path.endswith("/status")]
        return [(int(path.split("/")[-2]), json.loads(body)) for path, body in heard]

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class OwnKeys:
    """A key pair of a test's own, and what it signs, as a server would."""

    def __init__(self, folder, kid="own"):
        self.folder, self.kid = folder, kid
        folder.mkdir(exist_ok=True)
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", folder / "own.key")
        public = run("openssl", "pkey", "-in", folder / "own.key", "-pubout", "-outform", "DER").stdout[-32:]
        self.set = {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": self.b64(public)}]}

    @staticmethod
    def b64(content):
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    def sign(self, type, payload):
        head = {"alg": "EdDSA", "kid": self.kid, "typ": type}
        text = ".".join(self.b64(json.dumps(part).encode()) for part in (head, payload))
        (self.folder / "text").write_text(text)
        run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.folder / "own.key", "-in", self.folder / "text",
            "-out", self.folder / "signature")
        return text + "." + self.b64((self.folder / "signature").read_bytes())

    def task(self, device, number, type="runDiagnostic", **more):
        """A task for this device, as a heartbeat brings it."""
        now = time.time()
        payload = {
            "tenant": "acme", "device": device.id, "sequence": int(now * 1e6), "expires": int(now) + 600, "id": number,
            "type": type, "input": {},
        } | more
        return {"id": number, "signed": self.sign("tidegate-task+jws", payload)}


class Proxy:
    """An HTTP proxy that takes CONNECT, and notes where to."""

    def __init__(self, address="127.0.0.1"):
        self.wanted = []
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return
            head += piece
        self.wanted.append(head.decode())
        host, port = head.split(b" ")[1].decode().rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=self.copy, args=(server, client), daemon=True)
        back.start()
        self.copy(client, server)

    @staticmethod
    def copy(source, target):
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
