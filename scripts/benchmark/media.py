"""ogw-media beside Pillow and libvips' own programs, on photographs made here.

Also a program of its own, for a machine where only ogw-media is built: scripts/benchmark/media.py OGW-MEDIA
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

from servers import ROOT  # noqa: E402

ROUNDS = 5
# The work of PRODUCT's example: a watermark, then three crops of the marked picture.
PRESETS = {
    "square": {"ratio": "1:1", "width": 1080, "format": "jpeg", "quality": 95},
    "story": {"ratio": "9:16", "width": 1080, "format": "jpeg", "quality": 95},
    "wide": {"ratio": "16:9", "width": 1920, "format": "jpeg", "quality": 95},
}
SIZES = {"square": (1080, 1080), "story": (1080, 1920), "wide": (1920, 1080)}

PICTURES = """
import sys
from PIL import Image, ImageChops, ImageDraw, ImageFilter
folder, count = sys.argv[1], int(sys.argv[2])
for n in range(count):
    # Noise of several sizes in three channels is about as hard to decode and to encode as a photograph.
    channels = []
    for c in range(3):
        plane = Image.effect_noise((40, 30), 120).resize((4000, 3000), Image.BICUBIC)
        for side, strength in ((400, 60), (2000, 24), (4000, 8)):
            grain = Image.effect_noise((side, side * 3 // 4), strength).resize((4000, 3000), Image.BICUBIC)
            plane = ImageChops.add(plane, grain, 1, -128)
        channels.append(plane)
    photo = Image.merge("RGB", channels)
    draw = ImageDraw.Draw(photo)
    draw.ellipse((2700, 1500, 3300, 2100), fill=(230, 60, 30))
    photo.save(f"{folder}/photo{n}.jpg", quality=92)
logo = Image.new("RGBA", (600, 240), (0, 0, 0, 0))
ImageDraw.Draw(logo).rounded_rectangle((0, 0, 599, 239), 60, fill=(250, 250, 250, 230))
logo.save(f"{folder}/logo.png")
"""

PILLOW = """
import sys
from PIL import Image, ImageOps
folder = sys.argv[1]
photo = ImageOps.exif_transpose(Image.open(f"{folder}/photo0.jpg")).convert("RGBA")
logo = Image.open(f"{folder}/logo.png").convert("RGBA")
width = photo.width // 5
logo = logo.resize((width, logo.height * width // logo.width), Image.LANCZOS)
photo.paste(logo, (photo.width - logo.width - 10, 10), logo)
photo = photo.convert("RGB")
photo.save(f"{folder}/pillow.jpg", quality=95)
for name, size in (("square", (1080, 1080)), ("story", (1080, 1920)), ("wide", (1920, 1080))):
    ImageOps.fit(photo, size, Image.LANCZOS).save(f"{folder}/pillow-{name}.jpg", quality=95)
"""


class Run:
    """Processes to their end: seconds of wall clock and of processor, and the most MiB that one of them held."""

    def __init__(self, *commands, feed=None):
        started = time.monotonic()
        self.cpu, self.peak = 0.0, 0.0
        for command in commands:
            process = subprocess.Popen(command, stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
                                       stdout=subprocess.PIPE if feed else subprocess.DEVNULL, text=True)
            if feed:
                feed(process)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}")
            self.cpu += usage.ru_utime + usage.ru_stime
            self.peak = max(self.peak, usage.ru_maxrss / 1024)
        self.seconds = time.monotonic() - started


def median(runs, field):
    return statistics.median(getattr(run, field) for run in runs)


def helper(requests, times=None):
    """A conversation with ogw-media: one request after the other, each to its end."""
    def feed(process):
        process.stdout.readline()
        for number, request in enumerate(requests):
            started = time.monotonic()
            process.stdin.write(json.dumps({"id": number, **request}) + "\n")
            process.stdin.flush()
            while True:
                answer = json.loads(process.stdout.readline())
                if "error" in answer:
                    raise RuntimeError(answer["error"]["reason"])
                if "outputs" in answer:
                    break
            if times is not None:
                times.append(time.monotonic() - started)
        process.stdin.close()
    return feed


def measure(program, python, folder, report):
    """`report` has the method `row` of report.Report."""
    count = 8
    subprocess.run([python, "-c", PICTURES, folder, str(count)], check=True)
    ours = [program, "--folder", folder]
    mark = {"step": "watermark", "input": "photo0.jpg", "options": {"logo": "logo.png"}}

    def chain(first):
        return [mark, {"step": "variants", "input": f"{first}-watermarked.jpg", "options": {"presets": PRESETS}}]

    def vips_commands():
        marked = os.path.join(folder, "photo0.jpg")
        sizes = [f"{width}x{height}" for width, height in SIZES.values()]
        return [["vips", "copy", marked, os.path.join(folder, "vips.jpg[Q=95]")]] + [
            ["vipsthumbnail", os.path.join(folder, "vips.jpg"), "--size", size, "--smartcrop", "attention",
             "-o", os.path.join(folder, f"vips-{size}.jpg[Q=95]")] for size in sizes]

    pillow, vips, cold, warm = [], [], [], []
    for _ in range(ROUNDS):
        pillow.append(Run([python, "-c", PILLOW, folder]))
        vips.append(Run(*vips_commands()))
        cold.append(Run(ours, feed=helper(chain(0))))
    times = []
    peak = Run(ours, feed=helper([request for n in range(ROUNDS) for request in chain(2 * n)], times)).peak
    warm = [a + b for a, b in zip(times[0::2], times[1::2])]

    title = "Media: watermark and three crops of a photograph of 12 megapixels, JPEG 95"
    report.row(title, "ogw-media, its start included, crops by attention", f"{median(cold, 'seconds'):.2f} s, {median(cold, 'peak'):.0f} MiB",
               f"Pillow {median(pillow, 'seconds'):.2f} s, {median(pillow, 'peak'):.0f} MiB",
               median(cold, "seconds") / median(pillow, "seconds"), "at most 0.5, under 120 MiB",
               f"Pillow crops the middle; processor {median(cold, 'cpu'):.2f} s and {median(pillow, 'cpu'):.2f} s")
    report.row(title, "ogw-media that runs already", f"{statistics.median(warm):.2f} s, {peak:.0f} MiB",
               f"Pillow {median(pillow, 'seconds'):.2f} s", statistics.median(warm) / median(pillow, "seconds"), "",
               f"{ROUNDS} times in one process")
    report.row(title, "ogw-media, its start included", f"{median(cold, 'seconds'):.2f} s",
               f"vips {median(vips, 'seconds'):.2f} s, {median(vips, 'peak'):.0f} MiB",
               median(cold, "seconds") / median(vips, "seconds"), "", "vips copies instead of marking, then vipsthumbnail three times, two threads")

    title = "Media: variants alone, by attention, JPEG 95"
    files = [f"photo{n}.jpg" for n in range(count)]
    paths = [os.path.join(folder, name) for name in files]
    for what, presets in (("one of 1080 x 1080 of each", {"square": PRESETS["square"]}), ("all three of each", PRESETS),
                          ("one of 256 x 256 of each", {"small": {"width": 256, "height": 256, "format": "jpeg", "quality": 95}})):
        sizes = [SIZES.get(name, (256, 256)) for name in presets]
        commands = [["vipsthumbnail", *paths, "--size", f"{width}x{height}", "--smartcrop", "attention",
                     "-o", f"{folder}/t-{width}x{height}-%s.jpg[Q=95]"] for width, height in sizes]
        requests = [{"step": "variants", "input": name, "options": {"presets": presets}} for name in files]
        theirs = [Run(*commands) for _ in range(3)]
        mine = [Run(ours, feed=helper(requests)) for _ in range(3)]
        report.row(title, what, f"{count / median(mine, 'seconds'):.1f} photographs/s, {median(mine, 'peak'):.0f} MiB",
                   f"vipsthumbnail {count / median(theirs, 'seconds'):.1f}/s, {median(theirs, 'peak'):.0f} MiB",
                   median(theirs, "seconds") / median(mine, "seconds"), "at least 0.9",
                   f"{count} files of 12 megapixels; processor {median(mine, 'cpu'):.2f} s and {median(theirs, 'cpu'):.2f} s")


def media(machine, report):
    program = os.path.join(machine.programs, "ogw-media")
    python = os.path.join(ROOT, ".tools", "venv", "bin", "python")
    folder = os.path.join(machine.folder, "media")
    os.mkdir(folder)
    try:
        measure(program, python, folder, report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    from report import Report
    with tempfile.TemporaryDirectory() as scratch:
        table = Report()
        measure(sys.argv[1], sys.executable, scratch, table)
        print(table.text())
