"""What durable writes cost: the bare floor, the inline threshold, one hot key, slow syncs, compaction, recovery."""

import glob
import os
import shutil
import statistics
import time

from figures import CONNECTIONS, DURABLE, KIB, attempt, latency, plural, rate, ratio
from peers import DURABILITY_OF_OGW, finish
from report import file_system

SMALL = 4 << 10


def floor(machine, report):
    """ogw and the bare loop take turns, so that a disk that slows down slows both."""
    title = "Durable PUT of 4 KiB beside the floor (a bare loop: append, fdatasync)"
    report.note(f"durable, of ogw: {DURABLE}.")
    ogw = machine.ogw("ogw-floor", content=False)
    serial = machine.writes("floor", folder=machine.folder, serial="yes", seconds=machine.seconds)
    report.row(title, "serial, one record a sync", "", rate(serial),
               note=f"4 KiB + 500 bytes, one thread, space reserved ahead, {file_system(machine.folder)}")
    for writers in CONNECTIONS:
        bare = machine.writes("floor", folder=machine.folder, writers=writers, seconds=machine.seconds)
        own = machine.writes("put", endpoint=ogw.endpoint, prefix=f"/bench/floor-{writers}-", bytes=SMALL, connections=writers,
                             seconds=machine.seconds)
        each = bare["requests"] / max(1, bare["groups"])
        report.row(title, f"{plural(writers)}, {writers} writer" + "s" * (writers > 1), rate(own), rate(bare), ratio(own, bare),
                   note=f"ogw: {DURABILITY_OF_OGW}; beside it: one committer, {each:.1f} records a pwrite and fdatasync")
    machine.forget(ogw)


def inline(machine, report):
    """Two stores of one machine: everything in the log, and everything in files of its own."""
    title = "Inline threshold: the same PUTs into the log and into files of their own"
    in_log = machine.ogw("ogw-inline", content=False, settings={"OGW_INLINE_MAX": "1MiB"})
    in_files = machine.ogw("ogw-files", content=False, settings={"OGW_INLINE_MAX": "0"})
    for connections in (1, 16):
        for size in (16, 32, 64, 128, 256, 512, 1024):
            results = [machine.writes("put", endpoint=server.endpoint, prefix=f"/bench/inline-{connections}-{size}-",
                                      bytes=size * KIB, connections=connections, seconds=machine.seconds)
                       for server in (in_log, in_files)]
            report.row(title, f"{size} KiB, {plural(connections)}", f"log {rate(results[0])}", f"file {rate(results[1])}",
                       ratio(*results), note="both durable; above 1 the log is the faster place")
    finish(machine, in_log, [(None, in_files)])


def hotkey(machine, report):
    title = "PUT of 4 KiB to one key beside PUT to many"
    ogw = machine.ogw("ogw-hotkey", content=False)
    for connections in CONNECTIONS:
        results = [machine.writes("put", endpoint=ogw.endpoint, prefix=f"/bench/hot-{keys}-", bytes=SMALL, keys=keys,
                                  connections=connections, seconds=machine.seconds) for keys in (1, 10_000)]
        report.row(title, plural(connections), f"one key {rate(results[0])}", f"10,000 keys {rate(results[1])}", ratio(*results),
                   note=f"ogw both times: {DURABILITY_OF_OGW}")
    machine.forget(ogw)


def slowsync(machine, report):
    title = "Every fdatasync and fsync 100 ms slower, beside the same server without"
    library = os.path.join(machine.programs, "libogw-preload.so")
    if not os.path.exists(library):
        report.row(title, "left out", "absent", note="scripts/swift build -c release --product ogw-preload makes the library")
        return
    quick = machine.ogw("ogw-quick")
    # Filled before its syncs are slow.
    filler = machine.ogw("ogw-slow-fill")
    data = os.path.join(filler.folder, "data")
    machine.forget(filler, remove=False)
    slow = machine.ogw("ogw-slow", data=data, settings={
        "LD_PRELOAD": library, "OGW_FAULT_FOLDER": data, "OGW_FAULT_SYNC": "slow"})
    said = f"ogw both times: {DURABILITY_OF_OGW}"

    def gets(server):
        return machine.bench("each", endpoint=server.endpoint, method="GET", prefix="/bench/small-", count=100, connections=16,
                             seconds=machine.seconds)

    def puts(server, connections):
        return machine.bench("put", endpoint=server.endpoint, prefix=f"/bench/slow-{connections}-", bytes=SMALL,
                             connections=connections, seconds=machine.seconds)

    def both(server):
        return machine.bench("mixed", endpoint=server.endpoint, prefix="/bench/small-", count=100, bytes=SMALL, connections=64,
                             gets=50, seconds=machine.seconds)

    results = [gets(server) for server in (slow, quick)]
    report.row(title, "GET 4 KiB, 16 connections", *(f"{r['per_second']:,.0f}/s, {latency(r)}" for r in results), ratio(*results))
    results = [both(server) for server in (slow, quick)]
    report.row(title, "GET 4 KiB among as many PUTs, 64 connections", *(latency(r["get"]) for r in results),
               ratio(results[0]["get"], results[1]["get"], "p50_ms"), note=said + "; time, less is better")
    for connections in (1, 256):
        results = [puts(server, connections) for server in (slow, quick)]
        report.row(title, f"PUT 4 KiB, {plural(connections)}", *map(rate, results), ratio(*results), note=said)
    machine.forget(slow)
    machine.forget(quick)
    shutil.rmtree(filler.folder, ignore_errors=True)


def used(folder):
    """Bytes that the files below the folder take on the disk, in MiB."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(path, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total / (1 << 20)


def length(folder):
    """Bytes written into the files of the folder, without what is reserved behind their ends."""
    total = 0
    for name in glob.glob(os.path.join(folder, "*")):
        try:
            total += os.path.getsize(name)
        except FileNotFoundError:
            continue
    return total


def compaction(machine, report):
    """A segment that is mostly dead is made by overwrites, deletes and a restart, which begins a new one; the blobs that
    are left in it then move. Windows of a second in which the log grew by more than the PUTs wrote are those."""
    title = "While segments are compacted"
    words = {"bytes": 64 * KIB, "connections": 16}
    ogw = machine.ogw("ogw-compaction", content=False)
    data = os.path.join(ogw.folder, "data")
    # 844 MiB, of which 344 MiB live on: what is deleted, what is written twice, what stays.
    for name, count in (("gone", 5000), ("twice", 3000), ("live", 2500), ("twice", 3000)):
        machine.bench("put", endpoint=ogw.endpoint, prefix=f"/bench/{name}-", count=count, **words)
    machine.bench("each", endpoint=ogw.endpoint, method="DELETE", prefix="/bench/gone-", count=5000, connections=16)
    machine.bench("put", endpoint=ogw.endpoint, prefix="/bench/first-", bytes=SMALL, count=1)
    machine.forget(ogw, remove=False)
    before = used(data)
    again = machine.ogw("ogw-compaction-again", data=data)
    busy, last, segments = [], length(os.path.join(data, "seg")), len(os.listdir(os.path.join(data, "seg")))
    end = time.monotonic() + 90
    while time.monotonic() < end:
        result = window(machine, again)
        now = length(os.path.join(data, "seg"))
        # The bytes of the PUTs with their records, to the next sector.
        grown = now - last - result["put"]["requests"] * (SMALL + 1024)
        last = now
        if grown > 4 << 20:
            busy.append(result)
        if len(os.listdir(os.path.join(data, "seg"))) < segments:
            break
    after = used(data)
    quiet = [window(machine, again) for _ in range(max(3, len(busy)))]
    with open(again.log) as file:
        events = [line.strip() for line in file if "log_compacted" in line]
    for kind in ("get", "put"):
        values = [windows(part, kind) for part in (busy, quiet)]
        report.row(title, f"{kind.upper()} 4 KiB, 16 connections, half GET and half PUT", *values,
                   goal="", note=f"busy beside quiet; medians over {len(busy)} and {len(quiet)} windows of a second; "
                                 f"ogw: {DURABILITY_OF_OGW}")
    report.row(title, "disk usage", f"{before:,.0f} MiB before, {after:,.0f} MiB after", note=events[-1] if events else
               "no segment was compacted within 90 s")
    machine.forget(again)
    shutil.rmtree(ogw.folder, ignore_errors=True)


def window(machine, server):
    return machine.bench("mixed", endpoint=server.endpoint, prefix="/bench/first-", count=1, bytes=SMALL, connections=16,
                         gets=50, seconds=1)


def windows(results, kind):
    if not results:
        return "not seen"
    return "p50 {:.2f}, p99 {:.2f} ms".format(*(
        statistics.median(result[kind][field] for result in results) for field in ("p50_ms", "p99_ms")))


def recovery(machine, report):
    title = "Start after kill -9"
    size = 64 * KIB
    count = machine.log_bytes // size
    if machine.free() < 3 * machine.log_bytes + (2 << 30):
        report.row(title, "left out", f"{machine.free() >> 30} GiB free")
        return
    ogw = machine.ogw("ogw-recovery", content=False)
    data = os.path.join(ogw.folder, "data")
    filled = machine.bench("put", endpoint=ogw.endpoint, prefix="/bench/r-", bytes=size, count=count, connections=16)
    ogw.kill()
    machine.forget(ogw, remove=False)
    log = length(os.path.join(data, "seg"))
    report.row(title, "the log", f"{log / (1 << 20):,.0f} MiB, {count:,} objects of 64 KiB", note=f"filled with {rate(filled)}")
    cases = [("as it was", ()), ("without the database: newest base and log", ("meta/main.db*",)),
             ("without database and bases: the whole log", ("meta/main.db*", "base/*"))]
    for what, removed in cases:
        copy = os.path.join(machine.folder, "recovery-copy")
        shutil.copytree(data, copy, ignore=shutil.ignore_patterns("ogw.sock"))
        for pattern in removed:
            for name in glob.glob(os.path.join(copy, pattern)):
                os.unlink(name)
        started = time.monotonic()
        server, failure = attempt(lambda: machine.ogw("ogw-recovered", data=copy, patience=1800))
        took = time.monotonic() - started
        if server:
            # Every object is there again.
            _, failure = attempt(lambda: machine.bench("each", endpoint=server.endpoint, method="HEAD", prefix="/bench/r-",
                                                       count=count, connections=16))
            machine.forget(server)
        shutil.rmtree(copy)
        report.row(title, what, failure or f"{took:.2f} s, {log / (1 << 20) / took:,.0f} MiB of log a second",
                   note="until both listeners take connections; then HEAD found every object")
    shutil.rmtree(ogw.folder, ignore_errors=True)
