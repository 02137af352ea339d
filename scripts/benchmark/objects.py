"""Objects of every size over every number of connections, beside the peers."""

import os
import threading
import time

import peers
from figures import CONNECTIONS, SIZES, attempt, latency, plural, rate, ratio, speed

LARGE = 64 << 20
# So many objects of each size are read in turn.
READ = {4 << 10: 100, 64 << 10: 100, 1 << 20: 20, LARGE: 2}


def field(size):
    return "per_second" if size < 1 << 20 else "mib_per_second"


def rows(report, title, what, own, others, size, more=""):
    """`own` and each of `others` is (result, failure); others also carry a name and a durability."""
    result, failure = own
    for name, (peer, peer_failure), said in others or [("", (None, ""), "")]:
        report.row(title, what, speed(result, size) if result else failure,
                   f"{name} {speed(peer, size)}" if peer else f"{name} {peer_failure}".strip(),
                   ratio(result, peer, field(size)), note=f"{said}{more}")


def get(machine, report):
    title = "GET beside the peers, signature checked on every request (wrk -t1 on the same cores)"
    ogw = machine.ogw("ogw-get", content=False)
    servers = peers.beside(machine, report, title, "get")
    www = os.path.join(machine.folder, "www")
    os.makedirs(os.path.join(www, "bench"), exist_ok=True)
    for size, count in READ.items():
        prefix = f"/bench/get-{size}-"
        machine.bench("seed", endpoint=ogw.endpoint, prefix=prefix, count=count, bytes=size, folder=www)
        for _, server in servers:
            machine.bench("put", endpoint=server.endpoint, prefix=prefix, count=count, bytes=size)
    floor, absent = attempt(machine.nginx)
    for label, size in SIZES.items():
        words = {"prefix": f"/bench/get-{size}-", "count": READ[size]}
        for connections in CONNECTIONS:
            own = attempt(lambda: machine.wrk(ogw, connections, **words))
            others = [("nginx", attempt(lambda: machine.wrk(floor, connections, plain="yes", **words)) if floor else (None, absent),
                       "the floor: plain files, no signature")]
            for peer, server in servers:
                others.append((peer.name, attempt(lambda server=server: machine.wrk(server, connections, **words)),
                               "signature checked"))
            rows(report, title, f"{label}, {plural(connections)}", own, others, size)
    peers.finish(machine, ogw, servers)


def put(machine, report):
    title = "PUT beside the peers, each under a new key"
    for label, size in SIZES.items():
        section = f"put-{size}"
        ogw, servers = machine.ogw(f"ogw-{section}", content=False), peers.beside(machine, report, title, section)
        for connections in CONNECTIONS:
            what = f"{label}, {plural(connections)}"
            # One round of these is 4 to 16 GiB for each server.
            if size == LARGE and connections > 16 and not machine.full:
                report.row(title, what, "left out", note="with --full only: a round writes "
                                                         f"{connections * size >> 30} GiB to each server")
                continue
            if machine.free() < 4 * connections * size + (4 << 30):
                report.row(title, what, "left out", note=f"{machine.free() >> 30} GiB free")
                continue

            def measure(server):
                return machine.writes("put", endpoint=server.endpoint, prefix=f"/bench/put-{connections}-", bytes=size,
                                      connections=connections, seconds=machine.seconds)

            own = attempt(lambda: measure(ogw))
            others = [(peer.name, attempt(lambda server=server: measure(server)),
                       f"ogw: {peers.DURABILITY_OF_OGW}; {peer.name}: {peer.durability}") for peer, server in servers]
            rows(report, title, what, own, others or [("", (None, ""), f"ogw: {peers.DURABILITY_OF_OGW}")], size)
        peers.finish(machine, ogw, servers)


def mixed(machine, report):
    title = "70 % GET and 30 % PUT of 4 KiB; HEAD; DELETE"
    ogw, servers = machine.ogw("ogw-mixed", content=False), peers.beside(machine, report, title, "mixed")
    everyone = [(None, ogw)] + servers
    for _, server in everyone:
        machine.bench("put", endpoint=server.endpoint, prefix="/bench/mixed-", bytes=4096, count=1000, connections=16)

    def load(server, connections):
        return machine.writes("mixed", endpoint=server.endpoint, prefix="/bench/mixed-", count=1000, bytes=4096,
                              connections=connections, seconds=machine.seconds)

    def head(server, connections):
        return machine.bench("each", endpoint=server.endpoint, method="HEAD", prefix="/bench/mixed-", count=1000,
                             connections=connections, seconds=machine.seconds)

    def delete(server, connections):
        words = {"endpoint": server.endpoint, "prefix": f"/bench/delete-{connections}-",
                 "count": 300 * machine.seconds * min(connections, 8)}
        machine.bench("put", bytes=4096, connections=64, **words)
        return machine.writes("each", method="DELETE", connections=connections, **words)

    def shown(result, failure):
        if not result:
            return failure
        if "get" not in result:
            return rate(result)
        return f"{result['per_second']:,.0f}/s; GET {latency(result['get'])}; PUT {latency(result['put'])}"

    for name, measure, writes in (("mixed", load, True), ("HEAD", head, False), ("DELETE", delete, True)):
        for connections in CONNECTIONS:
            results = [(peer, attempt(lambda server=server: measure(server, connections))) for peer, server in everyone]
            own = results[0][1]
            for peer, outcome in results[1:] or [(None, (None, ""))]:
                note = f"ogw: {peers.DURABILITY_OF_OGW}" * writes
                if peer and writes:
                    note += f"; {peer.name}: {peer.durability}"
                report.row(title, f"{name}, {plural(connections)}", shown(*own),
                           f"{peer.name} {shown(*outcome)}" if peer else "", ratio(own[0], outcome[0]), note=note)
    peers.finish(machine, ogw, servers)


def multipart(machine, report):
    title = "Multipart: 64 parts of 8 MiB, 4 at once, then Complete by itself"
    ogw, servers = machine.ogw("ogw-multipart", content=False), peers.beside(machine, report, title, "multipart")

    def measure(server):
        return machine.writes("multipart", endpoint=server.endpoint, path="/bench/in-parts", count=64, bytes=8 << 20,
                              connections=4)

    (own, failure), others = attempt(lambda: measure(ogw)), [
        (peer, attempt(lambda server=server: measure(server))) for peer, server in servers]
    for peer, (other, other_failure) in others or [(None, (None, ""))]:
        said = f"ogw: {peers.DURABILITY_OF_OGW}" + (f"; {peer.name}: {peer.durability}" if peer else "")
        name = peer.name if peer else ""
        report.row(title, "parts", f"{own['mib_per_second']:,.0f} MiB/s" if own else failure,
                   f"{name} {other['mib_per_second']:,.0f} MiB/s" if other else f"{name} {other_failure}".strip(),
                   ratio(own, other, "mib_per_second"), note=said)
        report.row(title, "Complete", f"{own['complete_ms']:.1f} ms" if own else failure,
                   f"{name} {other['complete_ms']:.1f} ms" if other else f"{name} {other_failure}".strip(),
                   ratio(own, other, "complete_ms"), note=said + "; time, less is better")
    peers.finish(machine, ogw, servers)


def complete(machine, report):
    """Every part is a copy of one object of 5 MiB, the least that a part may have, which ogw keeps as names of one file."""
    title = "Complete of an upload of 10,000 parts"
    ogw = machine.ogw("ogw-complete", content=False)
    machine.bench("put", endpoint=ogw.endpoint, prefix="/bench/part-", bytes=5 << 20, count=1)
    own = machine.bench("multipart", endpoint=ogw.endpoint, path="/bench/of-10000", source="/bench/part-0", count=10_000,
                        bytes=5 << 20, connections=16)
    report.row(title, "UploadPartCopy, 16 connections", rate(own), note=f"ogw: {peers.DURABILITY_OF_OGW}; each part 5 MiB, a "
               "second name of one file")
    report.row(title, "Complete", f"{own['complete_ms']:.0f} ms",
               note=f"ogw: {peers.DURABILITY_OF_OGW}; no peer: they would copy the bytes, 49 GiB")
    machine.forget(ogw)


def copy(machine, report):
    title = "5 GB in one PUT, and a copy of it"
    size = 5_000_000_000
    for index, peer in enumerate([None] + peers.ALL):
        name = peer.name if peer else "ogw"
        if peer and not peers.program(peer.program):
            report.row(title, name, "", "absent", note=f"{peer.program} is not on this machine")
            continue
        if machine.free() < 3 * size:
            report.row(title, name, "left out", note=f"{machine.free() >> 30} GiB free; needs 15 GB")
            continue
        server = None
        try:
            if peer:
                server = peer.start(machine, f"{name.lower()}-copy")
                peers.make_bucket(machine, server)
            else:
                server = machine.ogw("ogw-copy", content=False)
            result = machine.writes("copy", endpoint=server.endpoint, path="/bench/five", bytes=size)
            figures = (f"PUT {result['upload_s']:.1f} s ({size / (1 << 20) / result['upload_s']:,.0f} MiB/s), "
                       f"copy {result['copy_s'] * 1e3:,.0f} ms")
        except (RuntimeError, OSError) as error:
            figures = "failed: " + " ".join(str(error).split())[-160:].replace("|", "/")
        finally:
            if server:
                machine.forget(server)
        said = peer.durability if peer else peers.DURABILITY_OF_OGW + "; a copy is a second name of the file"
        report.row(title, name, figures if not peer else "", figures if peer else "", note=said)


def footprint(machine, report):
    """Resident sets: after the start, in the middle of a load, and the highest of all."""
    title = "Memory beside the peers (resident set)"
    everyone = [(None, machine.ogw("ogw-footprint", content=False))] + peers.beside(machine, report, title, "footprint")
    for peer, server in everyone:
        name = peer.name if peer else "ogw"
        time.sleep(1)
        idle = server.memory("VmRSS")
        samples, done = [], threading.Event()

        def sample():
            while not done.wait(0.1):
                samples.append(server.memory("VmRSS"))

        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            _, small = attempt(lambda: load_small(machine, server))
            _, large = attempt(lambda: machine.bench("put", endpoint=server.endpoint, prefix="/bench/large-", bytes=16 << 20,
                                                     connections=16, count=32))
        finally:
            done.set()
            sampler.join()
        said = (f"idle {idle:.0f}, median under load {sorted(samples)[len(samples) // 2]:.0f}, "
                f"peak {server.memory('VmHWM'):.0f} MiB")
        report.row(title, name, said if not peer else "", said if peer else "", note=" ".join([
            "70 % GET, 30 % PUT of 4 KiB on 64 connections, then 32 uploads of 16 MiB, 16 at once;",
            peer.durability if peer else peers.DURABILITY_OF_OGW, small, large]).strip())
    peers.finish(machine, everyone[0][1], everyone[1:])


def load_small(machine, server):
    machine.bench("put", endpoint=server.endpoint, prefix="/bench/mixed-", bytes=4096, count=1000, connections=16)
    return machine.bench("mixed", endpoint=server.endpoint, prefix="/bench/mixed-", count=1000, bytes=4096, connections=64,
                         seconds=machine.seconds)

