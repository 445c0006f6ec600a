"""How fast the reports of 100,000 devices are, of which half have failed, on either engine.

    .venv/bin/python Acceptance/measure_reports.py sqlite
    Scripts/test-postgres .venv/bin/python Acceptance/measure_reports.py postgres

It starts a server of its own (TIDEGATE_BINARY, or the debug build), registers the devices in one call, writes failures
where the server keeps them, and asks for each page twenty times, as a browser does. The budget is 100 ms for 95 of 100.
"""

import contextlib
import gzip
import os
import sqlite3
import sys

from conftest import psql, schema_of
from measuring import at, measured_server, register, sign_in, timed

DEVICES = int(os.environ.get("DEVICES", 100_000))
ROUNDS = 20
PAGES = {
    "failures, the latest first": "",
    "failures, the most first": "?sort=total",
    "failures of a state that all have": "?state=waiting",
    "failures of a state that nobody has": "?state=offline",
    "versions": "/versions",
    "the devices of a version": "/../devices?filter=component.system+%3D+%222.7%22",
    "the devices of a rare version": "/../devices?filter=component.build+%3D+%22b99999%22",
    "access review": "/access",
    "reports by mail": "/mails",
    "failures as CSV": "/failures.csv",
}


def main(engine):
    with measured_server(engine) as server:
        # A component with thirty versions, and one of which each hundredth device has its own.
        register(server, ["name,component.system,component.build"] + [
            f"meter-{n:06},2.{n % 30},{f'b{n}' if n % 100 == 99 else 'b0'}" for n in range(DEVICES)])
        fail(server, engine)
        measure(server, sign_in(server))


def fail(server, engine):
    if engine == "sqlite":
        with contextlib.closing(sqlite3.connect(server.data / "tidegate.db", timeout=120)) as database, database:
            database.execute(
                """INSERT INTO device_failure SELECT tenant, id, n % 7, n % 5, n % 7 + n % 5, 1700000000000000 + n * 1000,
                'lost', 'the connection broke' FROM (SELECT tenant, id, row_number() OVER (ORDER BY name) n FROM device)
                WHERE n % 2 = 0""")
    else:
        tenant = server.admin("tenant", "show", "acme")["id"]
        psql(f"""SET search_path = {schema_of("measuring")}; SELECT set_config('tidegate.tenant', '{tenant}', false);
             INSERT INTO device_failure SELECT tenant, id, n % 7, n % 5, n % 7 + n % 5, 1700000000000000 + n * 1000,
             'lost', 'the connection broke' FROM (SELECT tenant, id, row_number() OVER (ORDER BY name) n FROM device) d
             WHERE n % 2 = 0; ANALYZE device_failure""")


def measure(server, session):
    print(f"{'page':44} {'p50 ms':>8} {'p95 ms':>8} {'KB gzip':>8}")
    for name, path in PAGES.items():
        address = f"{server.people_url}/t/acme/reports{path}".replace("/reports/..", "")
        times, answer = timed(lambda: session.get(address, timeout=600), 2 if path.endswith(".csv") else ROUNDS)
        packed = len(gzip.compress(answer.content)) / 1024
        print(f"{name:44} {at(times, 50):8.1f} {at(times, 95):8.1f} {packed:8.1f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite")
