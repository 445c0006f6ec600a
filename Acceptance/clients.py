"""Unmodified clients as parts of a test: curl, paho, and a bare TLS socket where every client is too well-behaved."""

import json
import socket
import ssl
import threading
import time

import paho.mqtt.client as mqtt

from tidegate import run, wait_for


class Answer:
    """What curl got: a status (0 when there was no answer), header fields by lower-case name, a body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The stable code of a problem document."""
        assert self.headers["content-type"][0] == "application/problem+json", self.body
        return self.json()["code"]

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


def curl(server, url, *arguments, device=None, input=None):
    """One request by unmodified curl, with the device's certificate when one is given."""
    command = ["curl", "--silent", "--max-time", "60", "--cacert", server.ca]
    command += ["--write-out", "%{stderr}%{http_code} %{header_json}"]
    if device:
        command += ["--cert", device.certificate, "--key", device.key]
    if input is not None:
        command += ["--data-binary", "@-"]
    done = run(*command, *arguments, url, input=input, check=False)
    status, _, headers = done.stderr.decode().partition(" ")
    return Answer(int(status), json.loads(headers or "{}"), done.stdout)


def send(device, body, content_type="application/json", *arguments, tenant=None, credential=None):
    """POST /{tenant}/telemetry over mutual TLS."""
    credential = device if credential is None else credential
    return curl(
        device.server, f"{device.server.device_url}/{tenant or device.tenant}/telemetry",
        "--header", f"Content-Type: {content_type}", *arguments, device=credential, input=body,
    )


def tls_context(server, device=None, version=None, alpn=None):
    context = ssl.create_default_context(cafile=str(server.ca))
    if device:
        context.load_cert_chain(str(device.certificate), str(device.key))
    if version:
        context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class Paho:
    """A paho client that notes what happens to it and never reconnects by itself."""

    def __init__(self, server, device=None, client_id="", version=mqtt.MQTTv311, port="mqtt", alpn=None, **connect):
        self.connack = self.disconnected = None
        self.acknowledged, self.subscribed, self.messages = {}, {}, []
        self.lock = threading.Lock()
        options = {}
        if version != mqtt.MQTTv5:
            options["clean_session"] = connect.pop("clean", True)
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version, reconnect_on_failure=False, **options
        )
        self.client.tls_set_context(tls_context(server, device, alpn=alpn))
        if "username" in connect:
            self.client.username_pw_set(connect.pop("username"), connect.pop("password", None))
        if "will" in connect:
            self.client.will_set(*connect.pop("will"))
        self.client.on_connect = lambda c, u, flags, reason, properties: self.note("connack", (flags, reason, properties))
        self.client.on_disconnect = lambda c, u, flags, reason, properties: self.note("disconnected", (flags, reason))
        self.client.on_publish = lambda c, u, mid, reason, properties: self.acknowledged.update({mid: reason})
        self.client.on_subscribe = lambda c, u, mid, reasons, properties: self.subscribed.update({mid: reasons})
        self.client.on_message = lambda c, u, message: self.messages.append(message)
        self.client.connect("localhost", server.ports[port], **connect)
        self.client.loop_start()

    def note(self, what, value):
        if getattr(self, what) is None:
            setattr(self, what, value)

    def connected(self):
        """Waits for CONNACK with success; returns its flags and properties."""
        wait_for(lambda: self.connack or self.disconnected, "CONNACK")
        assert self.connack and not self.connack[1].is_failure, (self.connack, self.disconnected)
        return self.connack[0], self.connack[2]

    def refused(self):
        """Waits for the end of a connection that was not let in; returns the reason in CONNACK, if there was one."""
        wait_for(lambda: self.disconnected or (self.connack and self.connack[1].is_failure), "the connection is refused")
        assert self.connack is None or self.connack[1].is_failure, "the connection was let in"
        return self.connack and self.connack[1]

    def ended(self, seconds=60):
        """Waits for the end of the connection; returns its reason."""
        return wait_for(lambda: self.disconnected, "the connection ends", seconds)[1]

    def publish(self, topic, payload, qos=1, properties=None):
        """Publishes and waits for the acknowledgement; returns its reason code."""
        mid = self.client.publish(topic, payload, qos, properties=properties).mid
        wait_for(lambda: mid in self.acknowledged or self.disconnected, "the message is acknowledged")
        assert mid in self.acknowledged, f"the connection ended: {self.disconnected}"
        return self.acknowledged[mid]

    def subscribe(self, *filters, qos=1):
        """Subscribes and waits for SUBACK; returns the reason for each filter."""
        _, mid = self.client.subscribe([(name, qos) for name in filters])
        wait_for(lambda: mid in self.subscribed or self.disconnected, "SUBACK")
        return self.subscribed[mid]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def cut(self):
        """Ends the connection without saying goodbye, as a lost network does."""
        self.client.socket().shutdown(socket.SHUT_RDWR)
        self.client.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RawTLS:
    """A TLS connection of a device that sends whatever bytes it likes."""

    def __init__(self, server, device=None, port="mqtt", window=None, **tls):
        plain = socket.socket()
        if window:
            # A small window, so that a peer that does not read stops the server soon.
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        plain.settimeout(60)
        plain.connect(("127.0.0.1", server.ports[port]))
        self.socket = tls_context(server, device, **tls).wrap_socket(plain, server_hostname="localhost")

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, count):
        """Exactly so many bytes, fewer only when the connection ends before."""
        data = b""
        while len(data) < count:
            try:
                part = self.socket.recv(count - len(data))
            except (ConnectionResetError, ssl.SSLError):
                part = b""
            if not part:
                break
            data += part
        return data

    def connack(self):
        """CONNACK of either version; asserts that it lets the device in."""
        head = self.receive(2)
        assert head[:1] == b"\x20", head
        body = self.receive(head[1])
        assert body[1] == 0, body
        return body

    def rest(self):
        """Everything until the server closes the connection."""
        return self.receive(1 << 20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Bystander(threading.Thread):
    """A device of another tenant that goes on reporting while somebody abuses the server, and notes how it fares."""

    def __init__(self, device):
        super().__init__(daemon=True)
        self.device = device
        self.acknowledged, self.longest, self.trouble = 0, 0.0, None
        self.stopped = threading.Event()

    def run(self):
        try:
            with Paho(self.device.server, self.device) as client:
                client.connected()
                while not self.stopped.wait(0.02):
                    begun = time.monotonic()
                    reading = {"ts": 1_700_000_000_000 + self.acknowledged, "values": {"count": self.acknowledged}}
                    client.publish("telemetry", json.dumps(reading))
                    self.longest = max(self.longest, time.monotonic() - begun)
                    self.acknowledged += 1
        except (AssertionError, OSError) as error:
            self.trouble = error

    def __enter__(self):
        self.start()
        wait_for(lambda: self.acknowledged or self.trouble, "the bystander reports")
        return self

    def __exit__(self, kind, *_):
        """It was acknowledged to the end, never waited long, and all its readings are there once."""
        count = self.acknowledged
        wait_for(lambda: self.acknowledged > count or self.trouble, "the bystander still reports")
        self.stopped.set()
        self.join(60)
        if kind:
            return
        assert self.trouble is None, self.trouble
        assert self.longest < 10, f"it waited {self.longest:.1f} s for an acknowledgement"
        server = self.device.server
        token = server.token(self.device.tenant, "viewer")
        points = server.points(self.device.tenant, self.device.name, "count", token)["count"]
        assert [value for _, value in points] == list(range(self.acknowledged))
