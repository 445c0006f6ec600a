"""What the console costs: pages over 100,000 devices, a value's way to a screen, and the ingest beside 500 open consoles
and a storm of sign-ins.

    TIDEGATE_BINARY=.build/release/tidegate .venv/bin/python Acceptance/measure_console.py Benchmarks/.build/release/mqtt-load

It starts a server of its own on all processors, with `mqtt-load` as 1,000 devices that report 15,000 messages a second,
half of what `make bench` asks for. Everything is bounded in number and time, and ended here.
"""

import asyncio
import gzip
import pathlib
import re
import ssl
import subprocess
import sys
import time

import paho.mqtt.client as mqtt
from browser import Browser
from measuring import at, measured_server, sign_in, timed
from tidegate import BINARY, run, wait_for

DEVICES, CONSOLES, SESSIONS, ROUNDS, STORM = 100_000, 500, 25, 40, 300
RATE, SECONDS, REST = 15_000, 20, 30
LIMITS = ["deviceMessagesPerSecond", "deviceBytesPerSecond", "tenantMessagesPerSecond", "tenantBytesPerSecond", "devices"]
PAGES = {
    "Overview": "",
    "Devices": "/devices",
    "… by last contact": "/devices?sort=-lastSeen",
    "… with a label that a half has, from the end": "/devices?filter=label.tier+%3D+gold&sort=-name",
    "… with a part of a name": "/devices?filter=name+~+99999",
    "a device": "/devices/{device}",
    "Telemetry": "/telemetry?device={device}",
    "Sites & access": "/sites",
    "Map": "/map",
    "Audit": "/audit",
    "Settings: users": "/settings/users",
}


def main(load):
    with measured_server(organisation="Bench", environment={"TIDEGATE_LOG_LEVEL": "warning"}) as server:
        fleet = Fleet(server, load)
        people = [sign_in(server) for _ in range(SESSIONS)]
        pages(server, people[0], fleet.device)
        to_screen(server, people[0], fleet)
        fleet.ingest("nobody looks", None)
        fleet.ingest(f"{CONSOLES} consoles", lambda: asyncio.run(consoles(server, people, fleet.device)))
        fleet.ingest(f"{STORM} sign-ins at once, again and again", lambda: asyncio.run(storm(server)))


class Fleet:
    """A thousand devices with certificates, and a hundred thousand that are only registered."""

    def __init__(self, server, load):
        self.server, self.load, self.folder = server, load, server.folder
        server.admin("plan", "put", "bench", *[word for limit in LIMITS for word in ("--set", f"{limit}=1000000000")])
        server.admin("tenant", "plan", "bench", "bench")
        reporting = self.register("reporting", ["name"] + [f"meter-{n}" for n in range(1000)])
        tokens = self.folder / "tokens"
        tokens.write_text("".join(f"{line.split(',')[1]} {line.split(',')[2]}\n" for line in reporting))
        self.device = reporting[0].split(",")[0]
        self.certificates = self.folder / "certificates"
        self.certificates.mkdir()
        run(load, "--mode", "enrol", "--port", server.ports["device"], "--ca", server.ca, "--certificates",
            self.certificates, "--tenant", "bench", "--tokens", tokens)
        self.register("registered", ["name,label.site,label.tier"] + [
            f"fleet-{n:06},s{n % 1000},{'gold' if n % 2 else 'silver'}" for n in range(DEVICES)])
        self.payloads = self.folder / "payloads"
        self.payloads.write_text("".join(
            f'{{"v":23{n % 7}.{n % 10},"i":1.{n % 89},"p":{n % 499},"f":50.0,"pf":0.9{n % 10}}}\n' for n in range(997)))

    def register(self, name, lines):
        file = self.folder / f"{name}.csv"
        file.write_text("\n".join(lines) + "\n")
        done = run(BINARY, "admin", "--data", self.server.data, "--json", "device", "bulk", file, "--tenant", "bench")
        return done.stdout.decode().splitlines()[1:]

    def ingest(self, beside, work):
        loader = subprocess.Popen(
            [self.load, "--mode", "open", "--rate", str(RATE), "--seconds", str(SECONDS), "--port",
             str(self.server.ports["mqtt"]), "--ca", self.server.ca, "--certificates", self.certificates, "--payloads",
             self.payloads, "--pid", str(self.server.process.pid)], stdout=subprocess.PIPE, text=True)
        # The devices come in first: a thousand at once are no everyday.
        time.sleep(2)
        told = work() if work else ""
        output = loader.communicate(timeout=SECONDS * 10)[0]
        print(f"\ningest while {beside}: {output.splitlines()[-1]}; resident at most {peak(self.server)} MB\n{told}")


def peak(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) // 1024


def pages(server, session, device):
    print(f"{'page, of 101,000 devices':48} {'p50 ms':>7} {'p95 ms':>7} {'KB gzip':>8}")
    for name, path in PAGES.items():
        address = f"{server.people_url}/t/bench{path.format(device=device)}"
        times, answer = timed(lambda: session.get(address, allow_redirects=False), ROUNDS)
        print(f"{name:48} {at(times, 50):7.1f} {at(times, 95):7.1f} {len(gzip.compress(answer.content)) / 1024:8.1f}")


def to_screen(server, session, fleet):
    """From a device's PUBLISH to the text in a browser, by one machine's clock."""
    device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    device.tls_set(str(server.ca), str(fleet.certificates / "client-0.pem"), str(fleet.certificates / "client-0.key"))
    device.connect("localhost", server.ports["mqtt"])
    device.loop_start()
    device.publish("telemetry", '{"v":1}', qos=1).wait_for_publish(10)
    browser = Browser(server, fleet.folder)
    try:
        context = browser.context()
        context.add_cookies([
            {"name": name, "value": value, "url": server.people_url, "secure": True}
            for name, value in session.cookies.items()])
        page = browser.page(context)
        page.goto(f"/t/bench/devices/{fleet.device}")
        page.wait_for_selector("#live:has-text('Live')")
        page.evaluate("""() => {
            window.seen = {};
            const value = document.querySelector("[data-series=v] [data-value]");
            new MutationObserver(() => { seen[value.textContent] ??= Date.now(); })
                .observe(value, { childList: true, characterData: true, subtree: true });
        }""")
        times = []
        for n in range(100, 100 + ROUNDS):
            sent = time.time() * 1000
            device.publish("telemetry", f'{{"v":{n}}}', qos=1)
            times.append(wait_for(lambda: page.evaluate(f"seen['{n}']"), "the value is shown") - sent)
        print(f"\na value's way from PUBLISH to the screen: p50 {at(times, 50):.0f} ms, p95 {at(times, 95):.0f} ms")
    finally:
        browser.close()
        device.disconnect()
        device.loop_stop()


async def consoles(server, people, device):
    """Consoles with an event stream each, that load a page of a list or a device every half minute."""
    end, times, events = time.monotonic() + SECONDS + 3, [], [0]
    trust = ssl.create_default_context(cafile=server.ca)

    async def one(number):
        cookie = "; ".join(f"{name}={value}" for name, value in people[number % SESSIONS].cookies.items())
        stream = asyncio.create_task(follow(cookie))
        await asyncio.sleep(REST * number / CONSOLES)
        while time.monotonic() < end:
            begun = time.monotonic()
            path = ("/t/bench/devices", f"/t/bench/devices/{device}", "/t/bench")[number % 3]
            answer = await exchange(server, trust, f"GET {path}", cookie)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
            times.append((time.monotonic() - begun) * 1000)
            await asyncio.sleep(REST)
        stream.cancel()

    async def follow(cookie):
        reader, writer = await asyncio.open_connection(
            "localhost", server.ports["people"], ssl=trust, server_hostname="localhost")
        writer.write(head(server, f"GET /t/bench/live?device={device}", cookie) + b"\r\n")
        while text := await reader.read(1 << 16):
            events[0] += text.count(b"event: ")

    await asyncio.gather(*[one(number) for number in range(CONSOLES)])
    return (
        f"  {len(times)} pages loaded, with a new connection each: p50 {at(times, 50):.0f} ms, p95 {at(times, 95):.0f} ms;"
        f" {events[0]} events streamed")


async def storm(server):
    """Sign-ins with wrong passwords, of many accounts from many networks, as many at once as come."""
    end, answers = time.monotonic() + SECONDS + 3, {}
    trust = ssl.create_default_context(cafile=server.ca)

    async def one(number):
        attempt = 0
        while time.monotonic() < end:
            attempt += 1
            body = f"address=nobody{number}-{attempt}@example.com&password=wrong+{number}".encode()
            network = (f"127.{number % 250 + 1}.{attempt % 250}.9", 0)
            answer = await exchange(server, trust, "POST /sign-in", None, body, network)
            status = answer[9:12].decode()
            answers[status] = answers.get(status, 0) + 1

    await asyncio.gather(*[one(number) for number in range(STORM)])
    return f"  sign-ins by answer: {answers}"


def head(server, what, cookie):
    lines = [f"{what} HTTP/1.1", f"Host: localhost:{server.ports['people']}", f"Origin: {server.people_url}"]
    lines += [f"Cookie: {cookie}"] if cookie else []
    return ("\r\n".join(lines) + "\r\n").encode()


async def exchange(server, trust, what, cookie, body=b"", network=None):
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.ports["people"], ssl=trust, server_hostname="localhost", local_addr=network)
    try:
        writer.write(
            head(server, what, cookie) + b"Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return await reader.read()
    finally:
        writer.close()


if __name__ == "__main__":
    main(sys.argv[1])
