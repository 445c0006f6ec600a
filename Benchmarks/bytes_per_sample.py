#!/usr/bin/env python3
"""Bytes per stored sample, everything on the disk counted, beside Debian's victoria-metrics.

Both stores get the same recordings (Benchmarks/data) as if SITES sites had sent them at once: Tidegate by HTTPS with a
client certificate per meter, victoria-metrics by its import call. Both are stopped properly, then their directories are
measured. Prints rows for the table of docs/performance.md.

usage: bytes_per_sample.py TIDEGATE LOAD_GENERATOR PORT_BASE
"""
import csv, gzip, http.client, json, os, pathlib, shutil, signal, ssl, subprocess, sys, tempfile, time, urllib.request

SITES = 17
tidegate, generator, base = sys.argv[1], sys.argv[2], int(sys.argv[3])
data = pathlib.Path(__file__).parent / "data"
recordings = {
    "pzem6": ("ts_ms_reconstructed", ["voltage_v", "current_a", "power_w", "frequency_hz", "power_factor"]),
    "ozm6": (None, ["power_w", "reactive_var", "frequency_hz", "voltage_v", "power_factor", "current_a"]),
}


def meters(name):
    """Per meter: its times in milliseconds from the recording's start, and one list of number texts per column."""
    time_column, columns = recordings[name]
    found = {}
    with gzip.open(data / f"{name}-1s.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            times, values = found.setdefault(row["meter"], ([], []))
            times.append(int(row[time_column]) if time_column else len(times) * 1000)
            values.append([row[column] for column in columns])
    start = min(times[0] for times, _ in found.values())
    return columns, {meter: ([t - start for t in times], values) for meter, (times, values) in found.items()}


def size(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


def wait(url):
    for _ in range(300):
        try:
            return urllib.request.urlopen(url).read()
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer")


def stop(process):
    process.send_signal(signal.SIGTERM)
    if process.wait(120) != 0:
        raise SystemExit(f"{process.args[0]} ended with {process.returncode}")


def measure_tidegate(work, name, columns, readings, begin):
    folder = f"{work}/{name}"
    server = subprocess.Popen(
        [tidegate, "serve", "--data", folder, "--port-base", str(base)], stdout=subprocess.DEVNULL,
        stderr=open(f"{work}/{name}.log", "w"), env=os.environ | {"TIDEGATE_LOG_LEVEL": "warning"})
    wait(f"http://127.0.0.1:{base + 3}/readyz")
    admin = [tidegate, "admin", "--data", folder, "--json"]
    rates = ["deviceMessagesPerSecond", "deviceBytesPerSecond", "tenantMessagesPerSecond", "tenantBytesPerSecond"]
    settings = [word for rate in rates for word in ("--set", f"{rate}=2000000000")]
    subprocess.run(admin + ["plan", "put", "bench"] + settings, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(admin + ["tenant", "create", "bench", "--plan", "bench"], check=True, stdout=subprocess.DEVNULL)
    names = [f"{site}-{meter}" for site in range(SITES) for meter in readings]
    listing = pathlib.Path(work, f"{name}.csv")
    listing.write_text("name\n" + "\n".join(names) + "\n")
    answer = subprocess.run(
        admin + ["device", "bulk", str(listing), "--tenant", "bench"], check=True, capture_output=True, text=True).stdout
    tokens = pathlib.Path(work, f"{name}.tokens")
    tokens.write_text("".join(f"{row['name']} {row['enrolmentToken']}\n" for row in csv.DictReader(answer.splitlines())))
    certificates = f"{work}/{name}-certificates"
    os.mkdir(certificates)
    ca = f"{folder}/trust/server-ca.pem"
    subprocess.run(
        [generator, "--mode", "enrol", "--port", str(base + 1), "--ca", ca, "--certificates", certificates, "--tokens",
         str(tokens)], check=True, stdout=subprocess.DEVNULL)
    for index, device in enumerate(names):
        times, values = readings[device.split("-")[1]]
        context = ssl.create_default_context(cafile=ca)
        context.load_cert_chain(f"{certificates}/client-{index}.pem", f"{certificates}/client-{index}.key")
        connection = http.client.HTTPSConnection("localhost", base + 1, context=context)
        for first in range(0, len(times), 2000):
            lines = "".join(
                '{"ts":%d,"values":{%s}}\n' % (begin + t, ",".join(f'"{c}":{v}' for c, v in zip(columns, row)))
                for t, row in zip(times[first:first + 2000], values[first:first + 2000]))
            connection.request(
                "POST", "/bench/telemetry", lines, {"Content-Type": "application/x-ndjson"})
            response = connection.getresponse()
            body = response.read()
            if response.status // 100 != 2:
                raise SystemExit(f"{response.status}: {body[:300]}")
        connection.close()
    stop(server)
    return size(f"{folder}/telemetry")


def measure_victoria(work, name, columns, readings, begin):
    folder = f"{work}/{name}-victoria"
    port = base + 6
    server = subprocess.Popen(
        ["victoria-metrics", f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y",
         "-loggerLevel=ERROR"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait(f"http://127.0.0.1:{port}/health")
    for site in range(SITES):
        for meter, (times, values) in readings.items():
            stamps = [begin + t for t in times]
            lines = "".join(
                json.dumps({
                    "metric": {"__name__": column, "meter": f"{site}-{meter}"},
                    "values": [float(row[index]) for row in values], "timestamps": stamps}) + "\n"
                for index, column in enumerate(columns))
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/import", lines.encode()).read()
    urllib.request.urlopen(f"http://127.0.0.1:{port}/internal/force_flush").read()
    urllib.request.urlopen(f"http://127.0.0.1:{port}/internal/force_merge").read()
    # The merge runs in the background; it is over when the directory keeps its size.
    seen = 0
    for _ in range(60):
        time.sleep(1)
        now = size(f"{folder}/data")
        if now == seen:
            break
        seen = now
    stop(server)
    return size(f"{folder}/data") + size(f"{folder}/indexdb")


work = tempfile.mkdtemp()
try:
    for name in recordings:
        columns, readings = meters(name)
        begin = (int(time.time()) // 3600 - 4) * 3_600_000
        samples = SITES * len(columns) * sum(len(times) for times, _ in readings.values())
        ours = measure_tidegate(work, name, columns, readings, begin)
        theirs = measure_victoria(work, name, columns, readings, begin)
        print(
            f"| {name}, {samples:,} samples of {SITES * len(readings)} meters | {ours / samples:.3f} | "
            f"{theirs / samples:.3f} | {ours / theirs:.2f} |", flush=True)
finally:
    shutil.rmtree(work)
