"""The measurements, one function each."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

from figures import DURABLE, NOT_DURABLE, PLAIN, SMALL, plural, rate
from report import file_system
from servers import KEYS, LARGE_BYTES, SMALL_BYTES, SMALL_COUNT


def get4k(machine, report):
    """The requests go over 100 keys. nginx gets no signature to read, which is in its favour."""
    title = "GET 4 KiB, signature checked on every request (wrk -t1 on the same cores)"
    ogw = machine.ogw()
    for connections in (1, 16, 64):
        own = machine.wrk(ogw, connections, **SMALL)
        for cache in (False, True):
            peer = machine.wrk(machine.nginx(cache=cache), connections, **PLAIN)
            report.row(title, plural(connections), rate(own), rate(peer), own["per_second"] / peer["per_second"],
                       "0.50", f"access log off; nginx open_file_cache {'on' if cache else 'off'}")
    own = machine.wrk(machine.ogw("ogw-log", access_log="on"), 64, **SMALL)
    peer = machine.wrk(machine.nginx(access_log=True), 64, **PLAIN)
    report.row(title, plural(64), rate(own), rate(peer), own["per_second"] / peer["per_second"], "",
               "access log of both into a file; nginx open_file_cache off")


def get64m(machine, report):
    title = "GET 64 MiB"
    for connections in (1, 4):
        results = []
        for server in (machine.ogw(), machine.nginx()):
            results.append(machine.bench("get", endpoint=server.endpoint, path="/bench/medium-0", bytes=LARGE_BYTES,
                                         connections=connections, seconds=machine.seconds)["mib_per_second"])
        own, peer = results
        report.row(title, plural(connections), f"{own:,.0f} MiB/s", f"nginx {peer:,.0f} MiB/s", own / peer, "0.90",
                   "sendfile, page cache warm")


def put4k(machine, report):
    title = "PUT 4 KiB, each under a new key"
    ogw = machine.ogw()
    for connections in (1, 16, 64):
        own = machine.bench("put", endpoint=ogw.endpoint, prefix=f"/bench/put-{connections}-", bytes=SMALL_BYTES,
                            connections=connections, seconds=machine.seconds)
        report.row(title, plural(connections), rate(own), note="durable " + DURABLE)


def put64m(machine, report):
    """Upload and bare cost take turns, so that a disk that slows down slows both."""
    title = "PUT 64 MiB beside its bare cost (digests, write, fdatasync in one process)"
    ogw = machine.ogw()
    for connections in (1, 4):
        for payload in ("unsigned", "sha256"):
            own, peer = [], []
            for turn in range(3):
                count = 3 * connections
                bare = machine.bench("cost", folder=machine.folder, bytes=LARGE_BYTES, count=count, payload=payload,
                                     threads=connections)
                put = machine.bench("put", endpoint=ogw.endpoint, bytes=LARGE_BYTES, count=count, payload=payload,
                                    connections=connections, prefix=f"/bench/{payload}-{connections}-{turn}-")
                own.append(put)
                peer.append(bare)
            medians = [statistics.median(r["p50_ms"] for r in side) for side in (own, peer)]
            rates = [statistics.median(r["mib_per_second"] for r in side) for side in (own, peer)]
            digests = "MD5" if payload == "unsigned" else "MD5 + SHA-256"
            report.row(title, f"{plural(connections)}, {payload}", f"{medians[0]:.0f} ms, {rates[0]:,.0f} MiB/s",
                       f"{digests} + file: {medians[1]:.0f} ms, {rates[1]:,.0f} MiB/s", medians[0] / medians[1],
                       "at most 1.20", f"ogw durable {DURABLE}; beside it: fdatasync of the file; "
                       f"{file_system(machine.folder)}")


def signed_head(machine, server, method, path, size=0):
    file_name = os.path.join(machine.folder, "head")
    with open(file_name, "w", newline="") as file:
        file.write(machine.bench("sign", endpoint=server.endpoint, method=method, path=path, bytes=size))
    return file_name


def tls_client(server, *words):
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tls_client.py")
    return [sys.executable, program, words[0], str(server.port), *map(str, words[1:])]


def tls(machine, report):
    title = "Over TLS"
    ogw, nginx = machine.ogw_tls(), machine.nginx(tls=True)

    def puts(server, path):
        head = signed_head(machine, server, "PUT", path, LARGE_BYTES)
        out = subprocess.check_output(tls_client(server, "put", head, LARGE_BYTES, 5), text=True)
        return json.loads(out)

    own, peer = puts(ogw, "/bench/over-tls"), puts(nginx, "/put/over-tls")
    ciphers = {f"{result['protocol']} {result['cipher']}" for result in (own, peer)}
    said = " / ".join(sorted(ciphers)) + ", P-256 certificate"
    for connections in (1, 16, 64):
        results = [machine.wrk(ogw, connections, scheme="https", **SMALL),
                   machine.wrk(nginx, connections, scheme="https", **PLAIN)]
        report.row(title, f"GET 4 KiB, {plural(connections)}", rate(results[0]), "nginx " + rate(results[1]),
                   results[0]["per_second"] / results[1]["per_second"], "0.50",
                   f"{said}; signature checked; access log off; open_file_cache off")
    for connections in (1, 4):
        large = {"prefix": "/bench/medium-", "count": 1}
        results = [machine.wrk(ogw, connections, scheme="https", **large),
                   machine.wrk(nginx, connections, scheme="https", plain="yes", **large)]
        speeds = [result["bytes"] / result["seconds"] / (1 << 20) for result in results]
        report.row(title, f"GET 64 MiB, {plural(connections)}", f"{speeds[0]:,.0f} MiB/s",
                   f"nginx {speeds[1]:,.0f} MiB/s", speeds[0] / speeds[1], "0.90", said)
    for connections in (1, 16, 64):
        small = {"method": "PUT", "bytes": SMALL_BYTES, "count": SMALL_COUNT}
        results = [machine.wrk(ogw, connections, scheme="https", prefix="/bench/tls-", **small),
                   machine.wrk(nginx, connections, scheme="https", prefix="/put/tls-", plain="yes", **small)]
        report.row(title, f"PUT 4 KiB, {plural(connections)}", rate(results[0]), "nginx " + rate(results[1]),
                   results[0]["per_second"] / results[1]["per_second"], "",
                   f"ogw durable {DURABLE}; nginx (WebDAV): {NOT_DURABLE}, no digest")
    report.row(title, "PUT 64 MiB, 1 connection", f"{own['p50_ms']:.0f} ms", f"nginx {peer['p50_ms']:.0f} ms",
               own["p50_ms"] / peer["p50_ms"], "",
               f"{said}; time, less is better; ogw: MD5, durable {DURABLE}; nginx (WebDAV): {NOT_DURABLE}, no digest")


def memory(machine, report):
    title = "Memory of ogw (resident set)"
    count = 2000
    for name, is_tls, goal in (("plain", False, 10), ("TLS", True, 60)):
        if is_tls:
            server = machine.ogw_tls("memory-tls")
        else:
            server = machine.ogw("memory", content=False)
            time.sleep(1)
            idle = server.memory("VmRSS")
            report.row(title, "after the start", f"{idle:.1f} MiB", goal="below 40 MiB")
            machine.seed(server)
        before = warm(machine, server, is_tls)
        if is_tls:
            head = signed_head(machine, server, "GET", "/bench/small-0")
            words = tls_client(server, "idle", head, count)
        else:
            words = [os.path.join(machine.programs, "ogw-bench"), "idle", "--endpoint", server.endpoint, "--path",
                     "/bench/small-0", "--connections", str(count)]
        client = subprocess.Popen(words, env={**os.environ, **KEYS}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if client.stdout.readline().strip() != b"ready":
            raise RuntimeError("the idle connections did not open")
        time.sleep(1)
        after = server.memory("VmRSS")
        client.stdin.close()
        client.wait()
        report.row(title, f"with {count:,} idle {name} connections", f"+{after - before:.1f} MiB (to {after:.1f})",
                   goal=f"+{goal} MiB", note=f"one request done on each; {before:.1f} MiB before them")
        server.stop()


def warm(machine, server, is_tls):
    """A second of load on 16 connections first, so that what a busy server keeps anyway is not counted as idle."""
    machine.wrk(server, 16, scheme="https" if is_tls else "http", **SMALL)
    time.sleep(2)
    return server.memory("VmRSS")


def interference(machine, report):
    title = "GET 4 KiB, one at a time, beside four uploads of 1 GB"
    ogw = machine.ogw()
    alone = machine.bench("get", endpoint=ogw.endpoint, path="/bench/small-0", bytes=SMALL_BYTES, seconds=1)
    beside = machine.bench("interference", endpoint=ogw.endpoint, path="/bench/small-0", bytes=1 << 30, uploads=4)
    for what, result, goal in (("alone", alone, ""), ("beside the uploads", beside, "p90 below 5 ms")):
        report.row(title, what, "p50 {p50_ms:.2f}, p90 {p90_ms:.2f}, p99 {p99_ms:.2f}, max {max_ms:.1f} ms".format(**result),
                   goal=goal, note="" if what == "alone" else
                   f"{result['requests']:,} GETs; uploads {result['upload_mib_per_second']:,.0f} MiB/s together, durable {DURABLE}")


def big(machine, report):
    title = "5 GB in parts of 64 MiB, 4 at once"
    size = 5_000_000_000
    free = shutil.disk_usage(machine.folder).free
    if free < 3 * size:
        report.row(title, "left out", f"{free >> 30} GiB free", note="needs 15 GB")
        return
    server = machine.ogw("big", content=False)
    time.sleep(1)
    before = server.memory("VmRSS")
    samples, done = [], threading.Event()

    def sample():
        while not done.wait(0.1):
            samples.append(server.memory("VmRSS"))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        result = machine.bench("big", endpoint=server.endpoint, path="/bench/big", bytes=size)
    finally:
        done.set()
        sampler.join()
    report.row(title, "upload", f"{result['upload_mib_per_second']:,.0f} MiB/s", note="UNSIGNED-PAYLOAD; each part durable " + DURABLE)
    report.row(title, "download", f"{result['download_mib_per_second']:,.0f} MiB/s",
               note=f"{result['parts']} ranges, each compared by CRC32C with what was sent")
    report.row(title, "memory of ogw", f"peak {server.memory('VmHWM'):.1f} MiB, median {statistics.median(samples):.1f} MiB",
               goal="flat", note=f"{before:.1f} MiB before; {len(samples)} samples, one each 100 ms; peak is VmHWM")
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)
