"""What every section says in the same words, and how a figure is written."""

from servers import SMALL_COUNT

DURABLE = ("before the answer: fdatasync of the log, which holds the bytes of a small object; above OGW_INLINE_MAX (128 KiB) "
           "fdatasync of the object's file and fsync of its directory too")
NOT_DURABLE = "no sync (page cache)"
SMALL = {"prefix": "/bench/small-", "count": SMALL_COUNT}
PLAIN = {**SMALL, "plain": "yes"}
SIZES = {"4 KiB": 4 << 10, "64 KiB": 64 << 10, "1 MiB": 1 << 20, "64 MiB": 64 << 20}
KIB = 1024
CONNECTIONS = (1, 16, 64, 256)


def rate(result):
    return f"{result['per_second']:,.0f}/s, p99 {result['p99_ms']:.2f} ms"


def latency(result):
    return f"p50 {result['p50_ms']:.2f}, p99 {result['p99_ms']:.2f} ms"


def plural(connections):
    return f"{connections} connection" + "s" * (connections > 1)


def speed(result, size):
    """Requests for what is small, bytes for what is large."""
    if size < 1 << 20:
        return rate(result)
    if not result["requests"]:
        return f"{result['mib_per_second']:,.0f} MiB/s, no request ended in the time"
    return f"{result['mib_per_second']:,.0f} MiB/s, p99 {result['p99_ms']:.0f} ms"


def ratio(own, peer, field="per_second"):
    return own[field] / peer[field] if own and peer and peer[field] else None


def attempt(measure):
    """The result and the empty string, or nothing and what went wrong: one cell that fails leaves the others."""
    try:
        return measure(), ""
    except (RuntimeError, OSError, ValueError) as error:
        return None, "failed: " + " ".join(str(error).split())[-160:].replace("|", "/")
