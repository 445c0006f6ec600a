"""What devices' work costs beside nginx: empty polls, what devices say of their tasks, downloads.

    TIDEGATE_BINARY=.build/release/tidegate .venv/bin/python Acceptance/measure_operations.py [polls] [feedback] [downloads] [campaign] [fleet]

Needs Debian's wrk and nginx. It starts a server of its own, pinned to the first processor like nginx, and loads it from the
second. wrk has no client certificates, so devices show access tokens, each device over connections of its own.
"""

import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time

import requests

from measuring import at, measured_server, register, timed
from tidegate import BINARY, free_port, wait_for

SECONDS = int(os.environ.get("SECONDS_EACH", 10))
DEVICES = 50
CONNECTIONS = 200
FIGURES = {
    "deviceMessagesPerSecond": 10_000_000, "deviceBytesPerSecond": (1 << 31) - 1, "tenantMessagesPerSecond": 100_000_000,
    "tenantBytesPerSecond": (1 << 31) - 1, "deviceConnections": 100_000, "requestsPerSecond": 1_000_000,
    "downloadKilobytesPerSecond": 1 << 30,
}

# Each thread of wrk is one device. The file has a line for each: its path, and what it proves itself with.
ONE_EACH = """
    local threads = 0
    function setup(thread) threads = threads + 1; thread:set("number", threads) end
    function init(arguments)
        local line = 0
        for text in io.lines(arguments[1]) do
            line = line + 1
            if line == number then
                local path, token = text:match("(%S+) (%S+ %S+)")
                request_text = wrk.format("GET", path, { ["Authorization"] = token })
            end
        end
        think = tonumber(arguments[2] or "0")
    end
    function request() return request_text end
"""
# The same, with a pause that is as often short as long, so that requests do not come in step.
PACED = "function delay() return math.floor(math.random() * 2 * think + 0.5) end"
# One thread that goes through the file once; what comes after its end is asked of the last line again.
IN_TURN = """
    local texts, at = {}, 0
    function init(arguments)
        for text in io.lines(arguments[1]) do
            local path, token, body = text:match("(%S+) (%S+ %S+) (.*)")
            texts[#texts + 1] = wrk.format("POST", path,
                { ["Authorization"] = token, ["Content-Type"] = "application/json" }, body)
        end
        think = tonumber(arguments[2] or "0")
    end
    function request() if at < #texts then at = at + 1 end; return texts[at] end
"""


class Load:
    """A server under load, beside nginx with the same key and certificate."""

    def __init__(self, server, folder):
        self.server, self.folder = server, pathlib.Path(folder)
        pin(server.process.pid)
        self.token = server.token("acme", "admin")
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token}"
        self.session.verify, self.session.trust_env = str(server.ca), False
        sets = [text for name, value in FIGURES.items() for text in ("--set", f"{name}={value}")]
        server.admin("plan", "put", "measuring", *sets)
        server.admin("tenant", "plan", "acme", "measuring")
        model = self.folder / "model.json"
        model.write_text('{"allowsAccessToken": true}')
        server.admin("model", "put", "light", model, "--tenant", "acme")

    def devices(self, prefix, count):
        """Registers devices; answers the access token of each by its name."""
        names = [f"{prefix}-{n:05}" for n in range(count)]
        register(self.server, ["name,model"] + [f"{name},light" for name in names])
        tokens = {}
        for name in names:
            answer = self.api("POST", f"/devices/{name}/access-token", json={})
            tokens[name] = answer["accessToken"]
        return tokens

    def api(self, method, path, **arguments):
        answer = self.session.request(
            method, f"{self.server.people_url}/api/v1/tenants/acme{path}", timeout=120, **arguments)
        assert answer.ok, (path, answer.status_code, answer.text[:300])
        return answer.json() if answer.content else None

    def release(self, size):
        """A published release of so many bytes."""
        path = self.folder / "image.bin"
        path.write_bytes(os.urandom(size))
        artifact = self.server.admin("artifact", "upload", path, "--tenant", "acme")
        return self.server.admin(
            "release", "create", "system", f"{size}", "--artifact", artifact["id"], "--publish", "--tenant", "acme")["id"]

    def install(self, release, names):
        """Orders the release for these devices, and answers once each may have it."""
        operation = self.api("POST", "/operations", json={
            "type": "install", "release": release, "target": {"devices": [{"device": name} for name in names]}})["id"]
        wait_for(lambda: self.api("GET", f"/operations/{operation}")["tasks"].get("queued") == len(names), "all wait", 120)
        return operation

    def used(self):
        """Bytes of the database that hold something."""
        with sqlite3.connect(f"file:{self.server.data}/tidegate.db?mode=ro", uri=True) as database:
            pages, free, size = (
                database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size"))
        return (pages - free) * size

    def device(self, name, token):
        """A session as this device, and where its resources are."""
        session = requests.Session()
        session.verify, session.trust_env = str(self.server.ca), False
        session.headers["Authorization"] = f"TargetToken {token}"
        return session, f"{self.server.device_url}/acme/controller/v1/{name}"

    def tell_attributes(self, tokens):
        """Has each device say what it is, so that its polls are empty from then on."""
        for name, token in tokens.items():
            session, base = self.device(name, token)
            assert session.put(f"{base}/configData", json={"mode": "merge", "data": {"serial": name}}).ok
            session.close()

    def nginx(self, files):
        """nginx on the same processor, with these files."""
        root = self.folder / "www"
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        port, pem = free_port(), self.server.data / "keys" / "server-device.pem"
        (self.folder / "server.pem").write_bytes(pem.read_bytes())
        configuration = self.folder / "nginx.conf"
        configuration.write_text(textwrap.dedent(f"""
            user root; worker_processes 1; daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log;
            events {{ worker_connections 4096; }}
            http {{
                access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=100;
                default_type application/json; server {{
                    listen 127.0.0.1:{port} ssl backlog=4096; ssl_protocols TLSv1.3;
                    ssl_certificate {self.folder}/server.pem; ssl_certificate_key {self.folder}/server.pem;
                    root {root}; }} }}"""))
        process = subprocess.Popen(["taskset", "-c", "0", "nginx", "-c", configuration, "-p", self.folder])
        wait_for(lambda: (self.folder / "nginx.pid").exists(), "nginx runs")
        worker = wait_for(lambda: subprocess.run(
            ["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split(), "nginx works")[0]
        return process, int(worker), f"https://localhost:{port}"

    def wrk(self, base, script, lines, pid, threads, connections, think=0, seconds=SECONDS):
        """Runs wrk on the second processor; answers requests and bytes a second, p50, p99, and the server's share."""
        path, script_path = self.folder / "lines", self.folder / "load.lua"
        path.write_text("\n".join(lines) + "\n")
        script_path.write_text(textwrap.dedent(script) + (PACED if think else ""))
        before = cpu(pid)
        done = subprocess.run(
            ["taskset", "-c", "1", "wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
             "--latency", "-s", script_path, base, "--", path, str(think)],
            capture_output=True, text=True, timeout=seconds + 120)
        used = cpu(pid) - before
        text = done.stdout
        assert done.returncode == 0, text + done.stderr
        odd = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        broken = re.search(r"Socket errors: (.*)", text)
        requests_made = int(re.search(r"(\d+) requests in", text).group(1))
        return {
            "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            "bytes": amount(re.search(r"Transfer/sec:\s+([\d.]+[KMG]?B)", text).group(1)),
            "p50": milliseconds(re.search(r"^ +50%\s+(\S+)", text, re.M).group(1)),
            "p99": milliseconds(re.search(r"^ +99%\s+(\S+)", text, re.M).group(1)),
            "cpu": used / seconds, "each": used / max(requests_made, 1) * 1e6, "count": requests_made,
            "odd": int(odd.group(1)) if odd else 0, "broken": broken.group(1) if broken else "",
        }


def pin(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {0})


def cpu(pid):
    """Seconds of a processor that a process has taken."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def amount(text):
    number, unit = re.fullmatch(r"([\d.]+)([KMG]?)B", text).groups()
    return float(number) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[unit]


def show(what, server, result, more=""):
    print(
        f"| {what} | {server} | {result['rate']:,.0f}/s | {result['p50']:.1f} / {result['p99']:.1f} ms | "
        f"{result['each']:.1f} µs | {result['cpu']:.0%} | {more}{'' if not result['odd'] else str(result['odd']) + ' refused '}"
        f"{result['broken']} |", flush=True)


def polls(load):
    tokens = load.devices("poll", DEVICES)
    load.tell_attributes(tokens)
    name, token = next(iter(tokens.items()))
    session, base = load.device(name, token)
    answer = session.get(base)
    assert answer.json().keys() == {"config"}, answer.text
    ours = [f"/acme/controller/v1/{name} TargetToken {token}" for name, token in tokens.items()]
    process, worker, address = load.nginx({"poll": answer.content})
    theirs = ["/poll TargetToken none"] * DEVICES
    try:
        best = {}
        for server, base, lines, pid in (
                ("nginx", address, theirs, worker), ("tidegate", load.server.device_url, ours, load.server.process.pid)):
            load.wrk(base, ONE_EACH, lines, pid, DEVICES, CONNECTIONS, seconds=3)
            best[server] = load.wrk(base, ONE_EACH, lines, pid, DEVICES, CONNECTIONS)
            show(f"empty polls, {CONNECTIONS} connections", server, best[server])
        print(f"ratio {best['tidegate']['rate'] / best['nginx']['rate']:.2f}", flush=True)
        for server, base, lines, pid in (
                ("nginx", address, theirs, worker), ("tidegate", load.server.device_url, ours, load.server.process.pid)):
            # The pause that gives four fifths of what it could do, and what the answers take beside it.
            think = CONNECTIONS / (0.8 * best[server]["rate"]) * 1000
            think = max(think - 1, 1)
            show("the same at about 80 %", server, load.wrk(base, ONE_EACH, lines, pid, DEVICES, CONNECTIONS, think))
    finally:
        process.terminate()
        process.wait()


def feedback(load, count=5000, rounds=4):
    tokens = load.devices("word", count)
    release, before = load.release(1000), load.used()
    load.install(release, list(tokens))
    lines, numbers = [], {}
    for name, token in tokens.items():
        session, base = load.device(name, token)
        links = session.get(base).json()["_links"]
        numbers[name] = re.search(r"deploymentBase/(\d+)", links["deploymentBase"]["href"]).group(1)
        session.close()
    for turn in range(rounds):
        for name, token in tokens.items():
            execution, result = ("closed", "success") if turn == rounds - 1 else ("proceeding", "none")
            body = ('{"id":"%s","status":{"execution":"%s","result":{"finished":"%s"},"details":["step %d of %d"]}}'
                    % (numbers[name], execution, result, turn + 1, rounds))
            lines.append(
                f"/acme/controller/v1/{name}/deploymentBase/{numbers[name]}/feedback TargetToken {token} {body}")
    # 100 connections, a little over 2,000 a second with what wrk needs between: each says something every 45 ms.
    seconds = count * rounds // 2222
    result = load.wrk(
        load.server.device_url, IN_TURN, lines, load.server.process.pid, 1, 100, think=45, seconds=seconds)
    show("feedback, open loop about 2,000/s", "tidegate", result)
    print(f"an install with {rounds} words of its device takes {(load.used() - before) / count:,.0f} bytes of the database")


def downloads(load, size=4 << 20, parallel=500):
    # A device may have four at once.
    tokens = load.devices("load", parallel // 4)
    load.install(load.release(size), list(tokens))
    content = (load.folder / "image.bin").read_bytes()
    lines = []
    for name, token in tokens.items():
        session, base = load.device(name, token)
        link = session.get(base).json()["_links"]["deploymentBase"]["href"]
        chunk = session.get(link).json()["deployment"]["chunks"][0]
        href = chunk["artifacts"][0]["_links"]["download"]["href"]
        assert session.get(href).content == content
        lines.append(f"/{href.split('/', 3)[3]} TargetToken {token}")
        session.close()
    process, worker, address = load.nginx({"image.bin": content})
    rates = {}
    try:
        for server, base, mine, pid in (
                ("nginx", address, ["/image.bin TargetToken none"] * len(lines), worker),
                ("tidegate", load.server.device_url, lines, load.server.process.pid)):
            result = load.wrk(base, ONE_EACH, mine, pid, len(lines), parallel, seconds=max(SECONDS, 20))
            rates[server] = result["bytes"]
            show(f"downloads of {size >> 20} MiB, {parallel} in parallel", server, result,
                 f"{result['bytes'] / (1 << 20):,.0f} MiB/s, {result['cpu'] / result['bytes'] * (1 << 30):.2f} s of processor for a GiB ")
        print(f"ratio {rates['tidegate'] / rates['nginx']:.2f}", flush=True)
    finally:
        process.terminate()
        process.wait()


def campaign(load, count=100_000):
    """A staged roll-out over a whole fleet: how long it takes to create, and to look at."""
    register(load.server, ["name,component.system"] + [f"unit-{n:06},1.0" for n in range(count)])
    release = load.release(1000)
    draft = {"release": release, "target": {"filter": "name ~ unit"},
             "groups": [{"percent": 1}, {"percent": 9}, {"percent": 90}]}
    for what, path in (("looked at beforehand", "/campaigns/preview"), ("created", "/campaigns")):
        begun = time.monotonic()
        answer = load.api("POST", path, json=draft)
        assert answer["members"] == count, answer
        print(f"a campaign over {count:,} devices {what} in {time.monotonic() - begun:.2f} s", flush=True)
    address = f"{load.server.people_url}/api/v1/tenants/acme/campaigns/{answer['id']}"
    wait_for(lambda: load.api("GET", f"/campaigns/{answer['id']}")["tasks"].get("queued") == count // 100, "it began", 120)
    times, _ = timed(lambda: load.session.get(address, timeout=60), 100)
    print(f"its state: p50 {at(times, 50):.1f} ms, p95 {at(times, 95):.1f} ms")
    times, _ = timed(
        lambda: load.session.get(f"{load.server.people_url}/api/v1/tenants/acme/firmware", timeout=60), 20)
    print(f"versions across the fleet: p50 {at(times, 50):.1f} ms, p95 {at(times, 95):.1f} ms")


def fleet(load, count=5000):
    """Campaigns over simulated devices, of which one in twenty fails and one in fifty falls silent in the middle."""
    server = load.server
    server.admin("heartbeat", "set", "--tenant", "acme", "--interval", "30", "--busy", "10", "--jitter", "20")
    common = [BINARY, "simulate", "--tenant", "acme", "--data", server.data, "--device-port", server.ports["device"],
              "--mqtt-port", server.ports["mqtt"], "--state", load.folder / "fleet", "--count", count, "--prefix", "f-",
              "--interval", 60, "--tasks", "--task-time", 1, "--failing", 5, "--mute", 2]
    release = load.release(1000)
    simulation = subprocess.Popen(
        ["taskset", "-c", "1", *map(str, common)], stdout=open(load.folder / "simulation.txt", "wb"), stderr=subprocess.STDOUT)
    begun = time.monotonic()
    try:
        wait_for(lambda: server.metric("tidegate_connections_open") >= count, "all have come", 900)
        print(f"{count:,} simulated devices enrolled and connected in {time.monotonic() - begun:.0f} s", flush=True)

        def roll_out(title, error):
            made = load.api("POST", "/campaigns", json={
                "release": release, "title": title, "target": {"filter": "name = f-*"},
                "groups": [{"percent": 1}, {"percent": 9}, {"percent": 90}],
                "rules": {"success": 85, "error": error, "sample": 50}, "terms": {"timeout": 60}})["id"]
            begun, before = time.monotonic(), cpu(server.process.pid)
            state = wait_for(
                lambda: (now := load.api("GET", f"/campaigns/{made}"))["state"] not in ("running", "scheduled") and now, "it ends", 900)
            took = time.monotonic() - begun
            print(f"{title}: {state['state']} ({state.get('reason')}) after {took:.0f} s, {state['tasks']}, "
                  f"server at {(cpu(server.process.pid) - before) / took:.0%} of a processor, "
                  f"{resident(server.process.pid)} MB resident", flush=True)

        roll_out("error threshold 3 %", 3)
        release = load.release(1001)
        roll_out("error threshold 20 %", 20)
    finally:
        simulation.send_signal(signal.SIGINT)
        simulation.wait(120)


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) >> 10


def main(what):
    with measured_server() as server, tempfile.TemporaryDirectory() as folder:
        load = Load(server, folder)
        print("| what | server | rate | p50 / p99 | processor each | processor | |\n|---|---|---|---|---|---|---|")
        for name in what or ["polls", "feedback", "downloads", "campaign", "fleet"]:
            {"polls": polls, "feedback": feedback, "downloads": downloads, "campaign": campaign, "fleet": fleet}[name](load)


if __name__ == "__main__":
    main(sys.argv[1:])
