"""Search over a million made-up assets."""

import os
import shutil

# What the kinds of queries of `SampleQueries` (Benchmarks/SampleAssets.swift) look like, words by Zipf's law.
KINDS = {
    "word": "a word", "words": "two words", "prefix": "a prefix of 3 to 5 letters", "phrase": "a phrase of two words",
    "name": "a word in the name", "tag": "a tag", "folder": "a folder and a word", "size": "type:video size:>N mb",
    "dates": "a word and months", "combined": "a word, a type, a range of sizes, a tag",
    "facets": "a word without another, with all facets", "all": "all of them",
}


def search(machine, report):
    title = "Search"
    assets = machine.keys
    folder = os.path.join(machine.folder, "search")
    result = machine.bench("search", folder=folder, count=assets, queries=100)
    for kind, what in KINDS.items():
        said = result[kind]
        work = result[kind + "_work"]
        report.row(title, what, f"p50 {said['p50_ms']:.2f}, p99 {said['p99_ms']:.2f} ms",
                   note=f"{said['requests']} queries, 50 assets each; processor time p50 {work['p50_ms']:.2f}, "
                   f"p99 {work['p99_ms']:.2f} ms")
    report.row(title, f"index of {assets:,} assets from the store", f"{result['index_seconds']:.0f} s",
               note=f"{result['index_bytes'] / assets:.0f} bytes an asset; {result['fill_seconds']:.0f} s to make the assets; "
               f"half of the queries within one of 50 customers; {result['matches_each']:,} matches each")
    shutil.rmtree(folder, ignore_errors=True)
