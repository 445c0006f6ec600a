"""How fast the map, the tree and an act on all devices are with 100,000 devices, on either engine.

    .venv/bin/python Acceptance/measure_reach.py sqlite
    Scripts/test-postgres .venv/bin/python Acceptance/measure_reach.py postgres

It starts a server of its own (TIDEGATE_BINARY, or the debug build), registers the devices with positions in 1,000
domains in one call, asks for each page twenty times as a browser does, and suspends them all.
"""

import os
import re
import sys
import time

from measuring import at, measured_server, register, sign_in, timed
from tidegate import wait_for

DEVICES = int(os.environ.get("DEVICES", 100_000))
ROUNDS = 20
PAGES = {
    "map, all": "/map", "map, the world": "/map?west=-180&south=-90&east=180&north=90",
    "map, a country": "/map?west=5&south=47&east=15&north=52",
    "map, its list": "/map/devices?west=5&south=47&east=15&north=52", "tree": "/sites",
    "tree, find": "/sites?find=site-77", "devices": "/devices",
}


def main(engine):
    with measured_server(engine) as server:
        measure(server)


def measure(server):
    session = sign_in(server)
    home = f"{server.people_url}/t/acme"
    token = server.token("acme", "admin")
    for index in range(1000):
        made = server.post("/tenants/acme/domains", token, json={"name": f"site-{index}"})
        assert made.status_code == 201, made.text
    lines = ["name,domain,latitude,longitude"]
    for index in range(DEVICES):
        latitude, longitude = index * 7919 % 130_000 / 1000 - 55, index * 104_729 % 360_000 / 1000 - 180
        lines.append(f"device-{index},site-{index % 1000},{latitude},{longitude}")
    register(server, lines)
    for name, path in PAGES.items():
        times, answer = timed(lambda: session.get(home + path, timeout=60), ROUNDS)
        print(f"{name:24} median {at(times, 50):6.1f} ms   95 % {at(times, 95):6.1f} ms   "
              f"{len(answer.content) / 1024:6.1f} kB")
    page = session.get(f"{home}/devices", timeout=60).text
    form = {"form-token": re.search(r'name="form-token" value="([^"]+)"', page).group(1), "all": "1",
            "act": "suspend", "sure": "1"}
    began = time.monotonic()
    answer = session.post(f"{home}/devices/bulk", data=form, timeout=60)
    assert answer.ok and "/devices/bulk/" in answer.url, answer.text[:500]
    wait_for(lambda: "Running" not in session.get(answer.url, timeout=60).text or None, "the act has ended", 3600)
    taken = time.monotonic() - began
    words = re.search(r"([\d\u202f]+ done, [\d\u202f]+ refused)", session.get(answer.url, timeout=60).text).group(1)
    print(f"suspending all: {words.replace(chr(0x202f), ',')} in {taken:.1f} s, {DEVICES / taken:,.0f} a second")


if __name__ == "__main__":
    main(sys.argv[1])
