"""Pages of 1,000 out of buckets of 1,000 and of 1,000,000 keys."""

import json
import os
import statistics
import time

import peers
from figures import attempt, plural, ratio

GROUP = 100
PAGES = 20
# rclone reads the whole folder for every page, and answers 500 where two connections begin one folder at once.
RCLONE_KEYS_MAX = 10_000
CONNECTIONS = {"rclone": 1}


def list_pages(machine, report):
    title = "List: a page of 1,000"
    keys = machine.keys
    settings = {"OGW_LOG_FORMAT": "json"}
    filler = machine.ogw("ogw-list", content=False)
    data = os.path.join(filler.folder, "data")
    machine.bench("bucket", endpoint=filler.endpoint, bucket="small")
    fill(machine, report, title, "ogw", filler, "small", 1000)
    fill(machine, report, title, "ogw", filler, "bench", keys)
    # Filled without the access log, and listed with it: it has the time that the server itself took.
    machine.forget(filler, remove=False)
    ogw = machine.ogw("ogw-list-read", access_log="on", settings=settings, data=data, patience=600)
    servers = []
    for peer, server in peers.beside(machine, report, title, "list"):
        count = min(keys, RCLONE_KEYS_MAX) if peer.name == "rclone" else keys
        filled, failure = attempt(lambda: fill(machine, report, title, peer.name, server, "bench", count))
        if filled:
            servers.append((peer, server, count))
        else:
            report.row(title, f"filling with {count:,} keys", "", f"{peer.name} {failure}")
            machine.forget(server)
    for delimiter in ("no", "yes"):
        kind = "common prefixes" if delimiter == "yes" else "keys"
        own = pages(machine, ogw, "small", -1, delimiter)
        report.row(title, f"{kind}, bucket of 1,000 keys", text(own), note=f"{own['entries']} entries")
        for place, after in places(keys, delimiter):
            own = pages(machine, ogw, "bench", after, delimiter)
            what = f"{kind}, {place} of {keys:,} keys"
            if not servers:
                report.row(title, what, text(own), note=f"{own['entries']} entries")
            for peer, server, count in servers:
                where = dict(places(count, delimiter))[place]
                other, failure = attempt(lambda: pages(machine, server, "bench", where, delimiter))
                report.row(title, what, text(own), f"{peer.name} {text(other)}" if other else f"{peer.name} {failure}",
                           ratio(own, other, "p50_ms"), note=f"{own['entries']} entries; time, less is better"
                           + (f"; {peer.name}: {other['entries']} entries of {count:,} keys" if other else ""))
    for server in [filler, ogw] + [server for _, server, _ in servers]:
        machine.forget(server)


def places(keys, delimiter):
    """The numbers of the keys that pages begin behind: the last page is the last full one, where there is one."""
    # A page of common prefixes begins with the group that is named; a page of keys behind the key.
    page, before = (1000 * GROUP, 0) if delimiter == "yes" else (1000, 1)
    last = max(0, keys - page) // GROUP * GROUP
    return [("beginning", -1), ("middle", min(keys // 2, last) // GROUP * GROUP - before), ("end", last - before)]


def fill(machine, report, title, name, server, bucket, count):
    result = machine.bench("fill", endpoint=server.endpoint, bucket=bucket, count=count, group=GROUP,
                           connections=CONNECTIONS.get(name, 64))
    said = f"{result['per_second']:,.0f} PUT/s of 1 byte, {plural(CONNECTIONS.get(name, 64))}"
    report.row(title, f"filling with {count:,} keys", said if name == "ogw" else "", "" if name == "ogw" else f"{name} {said}")
    return result


def pages(machine, server, bucket, after, delimiter):
    """Lists one page again and again. For ogw the access log adds what the server itself needed."""
    log = os.path.getsize(server.log)
    result = machine.bench("list", endpoint=server.endpoint, bucket=bucket, after=after, delimiter=delimiter, group=GROUP,
                           count=PAGES)
    taken = []
    for line in lines_behind(server.log, log):
        if line.get("operation", "").startswith("ListObjects") and "duration_us" in line:
            taken.append(line["duration_us"] / 1000)
    if taken:
        result["server_p50_ms"] = statistics.median(taken)
    return result


def lines_behind(path, offset):
    # The access log is flushed about once a second.
    time.sleep(1.5)
    with open(path, "rb") as file:
        file.seek(offset)
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def text(result):
    said = f"p50 {result['p50_ms']:.2f}, p99 {result['p99_ms']:.2f} ms"
    if "server_p50_ms" in result:
        said += f", of that in the server p50 {result['server_p50_ms']:.2f} ms"
    return said
