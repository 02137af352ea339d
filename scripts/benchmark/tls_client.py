"""A client of TLS: what ogw-bench, which speaks plain HTTP, leaves out. Runs as a process of its own.

Usage: tls_client.py put PORT HEAD-FILE BYTES COUNT | idle PORT HEAD-FILE CONNECTIONS
"""

import json
import os
import resource
import socket
import ssl
import sys
import time


def connect(context, port):
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain)


def reply(connection):
    """Reads one response and drops its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            sys.exit("the server closed the connection")
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    if not head.split()[1].startswith(b"2"):
        sys.exit(data.decode(errors="replace"))
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    left = length - len(body)
    while left > 0:
        left -= len(connection.recv(min(left, 262144)))


def put(context, port, head, size, count):
    connection = connect(context, port)
    body = os.urandom(size)
    times = []
    for _ in range(count):
        start = time.monotonic()
        connection.sendall(head)
        connection.sendall(body)
        reply(connection)
        times.append(time.monotonic() - start)
    times.sort()
    print(json.dumps({"p50_ms": times[len(times) // 2] * 1e3, "cipher": connection.cipher()[0],
                      "protocol": connection.version()}))


def idle(context, port, head, connections):
    opened = []
    for _ in range(connections):
        connection = connect(context, port)
        connection.sendall(head)
        reply(connection)
        opened.append(connection)
    print("ready", flush=True)
    sys.stdin.read()


def main():
    command, port, head_file, *numbers = sys.argv[1:]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    # The certificate was made a moment ago on this machine, and only bytes of the benchmark travel.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with open(head_file, "rb") as file:
        head = file.read()
    {"put": put, "idle": idle}[command](context, int(port), head, *map(int, numbers))


main()
