"""What hooks cost those who write, and how many jobs the engine makes, hands out and ends."""

import json
import os
import subprocess

from figures import plural

CONNECTIONS = (1, 16, 64)
HOOKS = 3
ROUNDS = 2


def puts(machine, connections, hooked, round_):
    """What PUTs reach at a gateway that is made for this alone: what waits to be planned meets no one else."""
    server = machine.ogw(f"ogw-hooks-{connections}-{int(hooked)}-{round_}", content=False, settings={"OGW_WORKERS_MAX": "0"})
    if hooked:
        hooks = [{"name": f"h{number}", "on": ["object.created"], "steps": {"s": {"probe": {}}}} for number in range(HOOKS)]
        path = os.path.join(server.folder, "hooks.json")
        with open(path, "w") as file:
            json.dump({"hooks": hooks}, file)
        subprocess.run([os.path.join(machine.programs, "ogw"), "hooks", "set", "bench", path], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "OGW_DATA": os.path.join(server.folder, "data")})
    result = machine.bench("put", endpoint=server.endpoint, prefix="/bench/put-", bytes=4096, connections=connections,
                           seconds=machine.seconds)
    machine.forget(server)
    return result


def hooks(machine, report):
    title = f"PUT 4 KiB into a bucket with {HOOKS} hooks beside one without, durable, no worker running"
    for connections in CONNECTIONS:
        plain, hooked = [], []
        for round_ in range(ROUNDS):
            for results, with_hooks in ((plain, False), (hooked, True)):
                results.append(puts(machine, connections, with_hooks, round_))
        rates = [sum(result["per_second"] for result in results) / ROUNDS for results in (plain, hooked)]
        p99 = [max(result["p99_ms"] for result in results) for results in (plain, hooked)]
        report.row(title, plural(connections), f"{rates[1]:,.0f}/s", f"without hooks {rates[0]:,.0f}/s", rates[0] / rates[1], "1.3",
                   f"times the cost; p99 {p99[1]:.2f} and {p99[0]:.2f} ms")
    folder = os.path.join(machine.folder, "hooks-jobs")
    jobs = machine.bench("hooks", folder=folder)
    report.row("Empty jobs through the engine, embedded store", "planned, claimed, ended", f"{jobs['per_second']:,.0f}/s",
               goal="1,000/s")
