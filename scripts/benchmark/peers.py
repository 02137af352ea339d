"""Other S3 servers of one machine, run beside ogw: what they are, how they are started, what a PUT to them is worth."""

import json
import os
import shutil
import time

from figures import DURABLE
from servers import KEYS, ROOT, free_port

ACCESS, SECRET = KEYS["OGW_ROOT_ACCESS_KEY"], KEYS["OGW_ROOT_SECRET_KEY"]


def program(name):
    """The one that scripts/install-test-tools brought, or one on PATH; nothing where there is none."""
    own = os.path.join(ROOT, ".tools", "venv", "bin", name)
    return own if os.access(own, os.X_OK) else shutil.which(name)


def seaweedfs(machine, name):
    """Master, volume, filer and S3 in one process."""
    weed = program("weed")
    ports = [free_port() for _ in range(8)]
    kinds = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port",
             "s3.port.grpc")
    endpoint = f"127.0.0.1:{ports[6]}"

    def words(folder):
        os.makedirs(os.path.join(folder, "data"), exist_ok=True)
        users = os.path.join(folder, "s3.json")
        with open(users, "w") as file:
            json.dump({"identities": [{
                "name": "bench", "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}, file)
        # Volumes are made before their first object and hold 1 GB each, or a small disk counts as full at once.
        return [weed, "server", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}/data", f"-s3.config={users}",
                "-master.telemetry=false", "-master.volumeSizeLimitMB=1024", "-volume.max=0", "-volume.minFreeSpace=1",
                "-volume.preStopSeconds=1", "-s3.port.iceberg=0", "-s3.port.lance=0",
                *(f"-{kind}={port}" for kind, port in zip(kinds, ports))]

    return machine.start(name, words, endpoint, {}, lambda: machine.listens(endpoint), patience=60)


def rclone(machine, name):
    """A folder, served over S3 by rclone."""
    endpoint = f"127.0.0.1:{free_port()}"

    def words(folder):
        os.makedirs(os.path.join(folder, "data"), exist_ok=True)
        return [program("rclone"), "serve", "s3", f"{folder}/data", "--addr", endpoint, "--auth-key", f"{ACCESS},{SECRET}",
                "--config", os.path.join(folder, "rclone.conf")]

    return machine.start(name, words, endpoint, {}, lambda: machine.listens(endpoint))


class Peer:
    def __init__(self, name, program, start, durability):
        self.name = name
        self.program = program
        self.start = start
        self.durability = durability


ALL = [
    Peer("SeaweedFS", "weed", seaweedfs, "page cache only (its default: no fsync)"),
    Peer("rclone", "rclone", rclone, "page cache only (no fsync)"),
]
DURABILITY_OF_OGW = "durable"


def beside(machine, report, title, section):
    """Starts a fresh server of each peer for one section. Yields none that is absent; the report names it."""
    found = []
    report.note(f"durable, of ogw: {DURABLE}.")
    for peer in ALL:
        if not program(peer.program):
            report.row(title, peer.name, "", "absent", note=f"{peer.program} is not on this machine: "
                                                            "scripts/install-test-tools brings it")
            continue
        try:
            server = peer.start(machine, f"{peer.name.lower()}-{section}")
            make_bucket(machine, server)
            found.append((peer, server))
        except (RuntimeError, OSError) as error:
            report.row(title, peer.name, "", "did not start", note=" ".join(str(error).split())[-160:].replace("|", "/"))
    return found


def make_bucket(machine, server):
    """A server that listens may still be waiting for its own parts."""
    deadline, is_made = time.monotonic() + 30, False
    while True:
        try:
            if not is_made:
                machine.bench("bucket", endpoint=server.endpoint, bucket="bench")
                is_made = True
            # A first object, for those that make their volumes with it.
            machine.bench("put", endpoint=server.endpoint, prefix="/bench/first-", bytes=1, count=1)
            return
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def finish(machine, ogw, servers):
    """Stops what one section started, and removes its folders."""
    machine.forget(ogw)
    for _, server in servers:
        machine.forget(server)
