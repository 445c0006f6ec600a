"""Too much, too slow, never reading: what it costs the server is bounded, and nobody else notices."""

import contextlib
import itertools
import json
import pathlib
import socket
import ssl
import threading
import time

import pytest

from clients import Bystander, Paho, RawTLS
from tidegate import wait_for

NAMES = itertools.count(1)
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def server(sqlite_server):
    sqlite_server.tenant("acme")
    sqlite_server.tenant("rival")
    return sqlite_server


@pytest.fixture
def device(server):
    return server.enrolled("acme", f"meter-{next(NAMES)}")


@pytest.fixture
def bystander(server):
    """Another tenant's device that reports all the while, and must not notice."""
    with Bystander(server.enrolled("rival", f"meter-{next(NAMES)}")) as watching:
        yield watching


def memory(server):
    """The server's resident memory in bytes."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024


def descriptors(server):
    return len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))


def connect(alive=60):
    return b"\x10\x0f\x00\x04MQTT\x04\x02" + alive.to_bytes(2, "big") + b"\x00\x03raw"


class Pump(threading.Thread):
    """Sends the same over and over, and reads nothing, until the other side has had enough."""

    def __init__(self, raw, data):
        super().__init__(daemon=True)
        self.raw, self.data, self.sent = raw, data, 0
        raw.socket.settimeout(1)
        self.ended = threading.Event()
        self.stopped = threading.Event()
        self.start()

    def run(self):
        rest = self.data
        while not self.stopped.is_set():
            try:
                done = self.raw.socket.send(rest)
                self.sent += done
                rest = rest[done:] or self.data
            except TimeoutError:
                pass
            except OSError:
                self.ended.set()
                return


def test_whoever_never_reads_is_cut_off_with_bounded_memory(server, device, bystander):
    begun = [int(1_700_000_000_000 + n) for n in range(20_000)]
    with Paho(server, device) as reporting:
        reporting.connected()
        for start in range(0, len(begun), 4000):
            reporting.publish("telemetry", json.dumps([{"ts": ts, "values": {"power": ts % 997}} for ts in begun[start : start + 4000]]))
    token = server.token("acme", "viewer")
    path = f"/api/v1/tenants/acme/devices/{device.name}/telemetry?from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z"
    padding = b"X-Padding: " + b"p" * 7000 + b"\r\n"
    large = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    peers = {
        "tidegate_device_write_timeouts_total": lambda raw: b"GET /acme/.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n" + padding + b"\r\n",
        # Neither a keep-alive nor its own silence ends this one.
        "tidegate_mqtt_write_timeouts_total": lambda raw: b"\xc0\x00" * 500,
        "tidegate_http_slow_peers_total": lambda raw: large,
    }
    before = {name: server.metric(name) for name in peers}
    used = memory(server)
    with contextlib.ExitStack() as stack:
        def peer(**options):
            return stack.enter_context(RawTLS(server, window=4096, **options))

        pumps = {name: [] for name in peers}
        for _ in range(5):
            mqtt = peer(device=server.enrolled("acme", f"meter-{next(NAMES)}"))
            mqtt.send(connect(alive=0))
            assert mqtt.receive(4) == b"\x20\x02\x00\x00"
            raws = [peer(device=device, port="device", alpn=["http/1.1"]), mqtt, peer(port="people", alpn=["http/1.1"])]
            for (name, request), raw in zip(peers.items(), raws):
                pumps[name].append(Pump(raw, request(raw)))
        most = used
        try:
            for name in peers:
                wait_for(lambda: server.metric(name) == before[name] + 5, f"{name} counts them", 120)
                most = max(most, memory(server))
            assert all(pump.ended.wait(30) for group in pumps.values() for pump in group)
        finally:
            for group in pumps.values():
                for pump in group:
                    pump.stopped.set()
    assert most - used < 100 * MEBIBYTE, f"{(most - used) / MEBIBYTE:.0f} MiB for fifteen peers"


TINY = {
    "nothing": b"",
    "one byte": b"\x16",
    "the beginning of a ClientHello": bytes.fromhex("16030100c8010000c40303"),
    "no TLS": b"GET / HTTP/1.1\r\n\r\n",
}


def test_a_multitude_of_tiny_connections_leaves_nothing_behind(server, bystander):
    many, hands = 20_000, 8

    def storm(count):
        """From an address of its own, because a bound by address is one of the means."""
        def one(hand):
            for number in range(count // hands):
                with socket.socket() as plain:
                    plain.bind((f"127.0.0.{2 + hand % 2}", 0))
                    plain.settimeout(60)
                    with contextlib.suppress(OSError):
                        plain.connect(("127.0.0.1", server.ports["mqtt" if number % 2 else "device"]))
                        plain.sendall(list(TINY.values())[number % len(TINY)])

        threads = [threading.Thread(target=one, args=(hand,), daemon=True) for hand in range(hands)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
            assert not thread.is_alive()
        wait_for(lambda: server.metric("tidegate_handshakes_open") == 0, "every handshake is over")

    open_before, files = server.metric("tidegate_connections_open"), descriptors(server)
    accepted = server.metric("tidegate_connections_accepted_total")
    # What the most at one time ever needed stays, as pools and tables; what each leaves behind shows every time.
    storm(many // 4)
    for _ in range(3):
        used = memory(server)
        storm(many)
        grown = memory(server) - used
        if grown < 20 * MEBIBYTE:
            break
    taken = server.metric("tidegate_connections_accepted_total") + server.metric("tidegate_connections_turned_away_total") - accepted
    assert taken > many / 2, taken
    assert server.metric("tidegate_connections_open") == open_before and descriptors(server) <= files + 5
    assert grown < 20 * MEBIBYTE, f"{grown / MEBIBYTE:.1f} MiB for {many} connections"


def test_whoever_drips_is_cut_off(server, device, bystander):
    """Ten seconds are what a stranger, a handshake and a CONNECT have."""
    drips = {
        "a ClientHello": (lambda: PlainTCP(server, "device"), TINY["the beginning of a ClientHello"] + b"\x00" * 190),
        "a request": (lambda: RawTLS(server, port="device", alpn=["http/1.1"]), b"GET /" + b"a" * 900),
        "a header": (lambda: RawTLS(server, port="device", alpn=["http/1.1"]), b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 900),
        "a body": (
            lambda: RawTLS(server, device, port="device", alpn=["http/1.1"]),
            b"POST /acme/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b" " * 900),
        "a CONNECT": (lambda: RawTLS(server, device), b"\x10\x80\x07" + b"\x00\x04MQTT\x04\x02\x00\x3c\x03\x70" + b"x" * 880),
    }
    # As many connections as one device may have.
    each, took = 8, {}

    def drip(what, open_connection, data):
        begun = time.monotonic()
        with open_connection() as raw:
            # The beginning at once, the rest byte by byte and never to its end.
            raw.send(data[:60] if what == "a body" else data[:8])
            raw.socket.settimeout(0.2)
            for byte in data[60 if what == "a body" else 8 :]:
                try:
                    raw.socket.send(bytes([byte]))
                    if raw.socket.recv(1000) == b"":
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            took[what] = time.monotonic() - begun

    counters = ["tidegate_handshake_timeouts_total", "tidegate_device_request_timeouts_total"]
    before = [server.metric(name) for name in counters]
    threads = [threading.Thread(target=drip, args=(what, *how), daemon=True) for what, how in drips.items() for _ in range(each)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert set(took) == set(drips)
    assert all(5 < seconds < 40 for seconds in took.values()), took
    assert server.metric(counters[0]) - before[0] == each and server.metric(counters[1]) - before[1] == 3 * each


class PlainTCP:
    """A connection that has not even begun TLS."""

    def __init__(self, server, port):
        self.socket = socket.create_connection(("127.0.0.1", server.ports[port]), timeout=60)

    def send(self, data):
        self.socket.sendall(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("NONSENSE\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n" + "x: y\r\n" * 70 + "\r\n", 431),
        ("GET / HTTP/1.1\r\nx: " + "y" * 9000 + "\r\n\r\n", 431),
        ("GET /" + "y" * 9000 + " HTTP/1.1\r\n\r\n", 431),
        ("GET /acme/.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n\r\n" * 300, None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_broken_http_is_refused_counted_and_closes_the_connection(server, bystander, request_text, status):
    counted = lambda: server.metric("tidegate_device_requests_malformed_total")
    before = counted()
    with RawTLS(server, port="device", alpn=["http/1.1"]) as raw:
        with contextlib.suppress(OSError):
            raw.send(request_text.encode())
        answer = raw.rest()
    if status:
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    wait_for(lambda: counted() == before + 1, "it is counted")


def test_a_device_over_its_rate_is_read_more_slowly_and_no_other_is(server, bystander):
    server.tenant("slow")
    server.admin("plan", "put", "crawl", "--set", "deviceMessagesPerSecond=10")
    server.admin("tenant", "plan", "slow", "crawl")
    chatty, quiet = server.enrolled("slow", "chatty"), server.enrolled("slow", "quiet")
    viewer = server.token("slow", "viewer")
    throttled = server.metric("tidegate_mqtt_throttled_total")
    count = 80
    with Paho(server, chatty) as loud, Paho(server, quiet) as soft:
        loud.connected(), soft.connected()
        begun = time.monotonic()
        sent = {
            loud.client.publish("telemetry", json.dumps({"ts": 1_700_000_000_000 + number, "values": {"count": number}}), 1).mid
            for number in range(count)
        }
        waited = []
        while not sent <= loud.acknowledged.keys():
            assert not loud.disconnected and time.monotonic() - begun < 60
            start = time.monotonic()
            soft.publish("telemetry", '{"power":1}')
            waited.append(time.monotonic() - start)
            # The quiet one keeps to its own rate.
            wait_for(lambda: time.monotonic() - start > 0.2 or sent <= loud.acknowledged.keys(), "its next moment")
        took = time.monotonic() - begun
    assert server.metric("tidegate_mqtt_throttled_total") > throttled
    assert took > 3, f"{count} messages at 10 a second took {took:.1f} s"
    assert max(waited) < 4, f"the other device waited {max(waited):.1f} s"
    points = server.points("slow", "chatty", "count", viewer)["count"]
    assert [value for _, value in points] == list(range(count)), "late, but nothing is lost"


def test_a_throttled_device_is_not_taken_for_a_silent_one(server):
    server.tenant("patient")
    server.admin("plan", "put", "trickle", "--set", "deviceMessagesPerSecond=10")
    server.admin("tenant", "plan", "patient", "trickle")
    count = 60
    body = b"\x00\x09telemetry%s" + b'{"power":1}'
    with RawTLS(server, server.enrolled("patient", "meter")) as raw:
        raw.send(connect(alive=1))
        assert raw.receive(4) == b"\x20\x02\x00\x00"
        begun = time.monotonic()
        packets = [body % identifier.to_bytes(2, "big") for identifier in range(1, count + 1)]
        raw.send(b"".join(b"\x32" + bytes([len(packet)]) + packet for packet in packets))
        assert len(raw.receive(4 * count)) == 4 * count
        # Six seconds' worth came at once, so the next thing is read four seconds later.
        raw.send(b"\xc0\x00")
        assert raw.receive(2) == b"\xd0\x00"
        assert time.monotonic() - begun > 2, "longer than one and a half times its keep-alive"
