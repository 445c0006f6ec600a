"""How fast the lists of 100,000 devices are right after they were registered, on either engine.

    .venv/bin/python Acceptance/measure_lists.py sqlite
    Scripts/test-postgres .venv/bin/python Acceptance/measure_lists.py postgres

It starts a server of its own (TIDEGATE_BINARY, or the debug build), registers the devices in one call, and asks for each
list twenty times at once after it, over HTTPS as any program would. The budget is 100 ms for 95 of 100.
"""

import os
import sys

import requests

from measuring import at, measured_server, register, timed

DEVICES = int(os.environ.get("DEVICES", 100_000))
ROUNDS = 20
LISTS = {
    "by name": {},
    "by name, from the end": {"sort": "-name"},
    "by time of registration": {"sort": "created"},
    "by last contact": {"sort": "lastSeen"},
    "one status": {"filter": "status = registered"},
    "a status that nobody has": {"filter": "status = suspended"},
    "a label of a hundred": {"filter": "label.site = s77"},
    "a label of a half": {"filter": "label.tier = gold"},
    "a label of a half, by last contact": {"filter": "label.tier = gold", "sort": "lastSeen"},
    "all but a label of a half": {"filter": "not label.tier = gold"},
    "not online": {"filter": "not online"},
    "a part of a name": {"filter": "name ~ 99999"},
    "a serial number": {"filter": "serial = SN-99999"},
    "one domain": {"filter": "domain = north"},
    "with the count": {"count": "true"},
    "a label of a half, with the count": {"filter": "label.tier = gold", "count": "true"},
}


def main(engine):
    with measured_server(engine) as server:
        measure(server)


def measure(server):
    token = server.token("acme", "admin")
    server.post("/tenants/acme/domains", token, json={"name": "north"}).raise_for_status()
    lines = ["name,domain,serial,label.site,label.tier"]
    lines += [f"meter-{n:06},{'north' if n % 10 == 0 else ''},SN-{n},s{n % 1000},{'gold' if n % 2 else 'silver'}" for n in range(DEVICES)]
    register(server, lines)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    session.verify, session.trust_env = str(server.ca), False
    address = f"{server.people_url}/api/v1/tenants/acme/devices"
    print(f"{'list of 100':40} {'p50 ms':>8} {'p95 ms':>8} {'KB':>6}")
    for name, query in LISTS.items():
        times, answer = timed(lambda: session.get(address, params={"limit": 100, **query}, timeout=60), ROUNDS)
        print(f"{name:40} {at(times, 50):8.1f} {at(times, 95):8.1f} {len(answer.content) / 1024:6.1f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite")
