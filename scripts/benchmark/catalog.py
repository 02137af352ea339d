"""Every section by its name, in the order of a run."""

import durability
import hooks
import listing
import media
import objects
import search
import sections

# What a run without names does, in about half an hour.
USUAL = {
    "get4k": sections.get4k, "get64m": sections.get64m, "put4k": sections.put4k, "put64m": sections.put64m,
    "tls": sections.tls, "memory": sections.memory, "interference": sections.interference, "floor": durability.floor,
    "get": objects.get, "put": objects.put, "mixed": objects.mixed, "multipart": objects.multipart,
    "footprint": objects.footprint, "inline": durability.inline, "hotkey": durability.hotkey,
    "slowsync": durability.slowsync, "compaction": durability.compaction,
    "media": media.media, "hooks": hooks.hooks,
}
# Gigabytes or a million keys each: by name, or with --full.
LARGE = {
    "big": sections.big, "complete": objects.complete, "copy": objects.copy, "recovery": durability.recovery,
    "list": listing.list_pages, "search": search.search,
}
ALL = {**USUAL, **LARGE}
