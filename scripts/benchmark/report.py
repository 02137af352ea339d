"""The table that a run ends with."""

import os
import platform
import subprocess
import time


def first_line(command):
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return (run.stdout.splitlines() or ["?"])[0].strip()


def processor():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def file_system(path):
    return first_line(["stat", "-f", "-c", "%T", path])


INTRODUCTION = """# Performance

Written by `make bench ARGS="--output docs/PERFORMANCE.md"` from one run; `scripts/bench --help` lists its sections.
Absolute figures say something about the machine. What counts is the ratio to what ran beside ogw in the same run, on the
same cores as the load generator, and what each write had made durable before it was answered.

- Small GETs come from `wrk -t1`. Each request carries a signature in its header, made just before the measurement, and ogw
  checks it every time; the requests go over 100 keys. nginx serves the same bytes from files, reads shorter requests
  without signatures, and looks nothing up but the file.
- SeaweedFS (`weed server -s3`) and rclone (`rclone serve s3`) run with their defaults, which make no write durable; they
  check signatures as ogw does. What each had made durable stands beside its figure. Before each measurement of writes
  the page cache is written out, so that nobody pays for what others wrote.
- Large GETs, uploads and idle connections come from `ogw-bench` (`Benchmarks/`): blocking sockets, one thread each. Over
  TLS they come from wrk and from Python's `ssl`.
- A ratio is ogw's rate over the other's, or ogw's time over the other's where times are shown.

"""


class Report:
    def __init__(self):
        self.started = time.gmtime()
        self.load_before = os.getloadavg()[0]
        self.titles = []
        self.rows = {}
        self.notes = []

    def row(self, title, what, ogw, peer="", ratio=None, goal="", note=""):
        """`ratio` is a number, or nothing where there is no peer; `goal` says what it shall be."""
        if title not in self.rows:
            self.titles.append(title)
            self.rows[title] = []
        shown = "" if ratio is None else f"{ratio:.2f}"
        self.rows[title].append((what, ogw, peer, shown, goal, note))

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def text(self):
        lines = [
            f"Measured {time.strftime('%Y-%m-%d %H:%M', self.started)} UTC on {os.cpu_count()} cores of {processor()}, "
            f"Linux {platform.release()}; {first_line(['nginx', '-v'])}; load average before {self.load_before:.2f}, after {os.getloadavg()[0]:.2f}.",
        ]
        for title in self.titles:
            lines += ["", f"### {title}", "", "| What | ogw | Beside it | Ratio | Goal | Conditions |", "|---|---|---|---|---|---|"]
            lines += ["| " + " | ".join(row) + " |" for row in self.rows[title]]
        if self.notes:
            lines += [""] + [f"- {note}" for note in self.notes]
        return "\n".join(lines)

    def page(self):
        return INTRODUCTION + self.text() + "\n"
