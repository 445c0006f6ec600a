"""The other sides of deliveries: unmodified servers for mail and syslog, and a small HTTPS server for requests."""

import datetime
import http.server
import ipaddress
import socket
import ssl
import subprocess
import threading

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tidegate import free_port, wait_for


class Authority:
    """A certificate authority of the test's own, and a certificate of it for this machine."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, self.certificate, self.key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test root")])
        root = self.sign(root_name, root_name, root_key.public_key(), root_key, [(x509.BasicConstraints(True, 0), True)])
        names = [x509.DNSName("localhost")] + [
            x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "127.0.0.2", "::1")
        ]
        leaf = self.sign(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), root_name, key.public_key(), root_key,
            [
                (x509.BasicConstraints(False, None), True), (x509.SubjectAlternativeName(names), False),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            ],
        )
        self.ca.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        self.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @staticmethod
    def sign(subject, issuer, public_key, key, extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(key, hashes.SHA256())

    @property
    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class MailServer:
    """aiosmtpd, which keeps what it takes."""

    def __init__(self, authority, how="starttls", user=None, password=None, refuse=None):
        self.mails, self.refuse = [], refuse
        self.port = free_port()
        settings = {}
        if how == "starttls":
            settings = {"tls_context": authority.context, "require_starttls": True}
        elif how == "tls":
            settings = {"ssl_context": authority.context}
        if user:
            def check(server, session, envelope, mechanism, data):
                good = (data.login, data.password) == (user.encode(), password.encode())
                return AuthResult(success=good, handled=False)

            settings |= {"authenticator": check, "auth_required": True, "auth_require_tls": how == "starttls"}
        self.controller = Controller(self, hostname="localhost", port=self.port, ready_timeout=30, **settings)
        self.controller.start()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(envelope)
        return "250 OK"

    def stop(self):
        self.controller.stop()


class Hook:
    """An HTTPS server that keeps the requests it gets and answers as the test says."""

    def __init__(self, authority, host="127.0.0.1", port=None):
        self.requests, self.answers = [], []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                hook.requests.append((self.command, self.path, dict(self.headers), body))
                status, headers = hook.answers.pop(0) if hook.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer((host, port or free_port()), Handler)
        self.server.socket = authority.context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"https://{host}:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Silence:
    """Takes connections and never says a word."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                self.connections.append(self.listener.accept()[0])
            except OSError:
                return

    def stop(self):
        self.listener.close()
        for connection in self.connections:
            connection.close()


class Syslog:
    """Debian's rsyslog, unmodified, which takes lines over TLS and writes them to a file."""

    def __init__(self, authority, folder, port=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.file, self.folder = port or free_port(), folder / "received", folder
        self.settings = folder / "rsyslog.conf"
        self.settings.write_text(f"""
global(workDirectory="{folder}" maxMessageSize="64k" defaultNetstreamDriverCAFile="{authority.ca}"
       defaultNetstreamDriverCertFile="{authority.certificate}" defaultNetstreamDriverKeyFile="{authority.key}")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="raw" type="string" string="%rawmsg%\\n")
input(type="imtcp" port="{self.port}" address="127.0.0.1")
action(type="omfile" file="{self.file}" template="raw")
""")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/rsyslogd", "-n", "-f", self.settings, "-i", self.folder / "pid"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_for(listens, "rsyslog listens")

    @property
    def lines(self):
        return self.file.read_text().splitlines() if self.file.exists() else []

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def run_receiver(kind, tmp_path_factory):
    """A receiver of this kind with the authority that its certificate is of, until a fixture ends."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    running = kind(authority)
    running.authority = authority
    yield running
    running.stop()


@pytest.fixture(scope="module")
def mail(tmp_path_factory):
    yield from run_receiver(MailServer, tmp_path_factory)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """Where text messages go."""
    yield from run_receiver(Hook, tmp_path_factory)
