"""What hooks make of pictures, seen by boto3 and measured by Pillow. Each public function is one case; it ends quietly or raises.

Usage: workers_client.py CASE [ARGUMENT ...]     with AWS_ENDPOINT_URL and AWS's usual variables set
"""
import collections
import concurrent.futures
import io
import json
import math
import os
import sys
import time
import wave
import zlib

import boto3
import botocore.config
import botocore.exceptions
from PIL import Image, ImageChops, ImageDraw

s3 = boto3.client(
    "s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    config=botocore.config.Config(
        retries={"max_attempts": 3, "mode": "standard"}, max_pool_connections=16, connect_timeout=5))

BUCKET, DERIVED = "image-assets", "derived-assets"


def scene(width=4000, height=3000):
    """Sky, hills and a balloon off the middle."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for y in range(height):
        t = y / height
        draw.line([(0, y), (width, y)], fill=(int(90 + 120 * t), int(140 + 70 * t), int(205 - 20 * t)))
    for i, colour in enumerate([(120, 150, 170), (90, 130, 110), (55, 100, 60)]):
        ridge = [
            (x, height * (0.63 + 0.09 * i) - height * 0.06 * math.sin(x / width * (6 + 2 * i) + 2 * i))
            for x in range(0, width + 10, 10)]
        draw.polygon([(0, height)] + ridge + [(width, height)], fill=colour)
    x, y, r = width * 0.66, height * 0.4, height * 0.17
    draw.ellipse([x - r, y - r * 1.1, x + r, y + r * 1.1], fill=(214, 40, 40))
    draw.ellipse([x - r * 0.5, y - r * 1.1, x + r * 0.5, y + r * 1.1], fill=(250, 190, 40))
    draw.rectangle([x - r * 0.2, y + r * 1.4, x + r * 0.2, y + r * 1.7], fill=(110, 70, 35))
    return image


def write_scene(folder):
    """A photo, and a logo without transparent parts, so that its edges can be measured."""
    scene().save(f"{folder}/photo.jpg", quality=92)
    logo = Image.new("RGB", (800, 320), (0, 0, 0))
    ImageDraw.Draw(logo).rounded_rectangle([60, 60, 740, 260], 60, fill=(40, 40, 40))
    logo.save(f"{folder}/logo.png")


def get(key, bucket=DERIVED):
    answer = s3.get_object(Bucket=bucket, Key=key)
    return Image.open(io.BytesIO(answer["Body"].read())), answer["ContentType"]


def keys(prefix=""):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=DERIVED, Prefix=prefix)
    return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))


def keys_of(source):
    """Prints what was made of a source."""
    for key in keys(f"{BUCKET}/{source}/"):
        print(key)


def measure_scene(folder):
    """The mark is 20 % of the width, 10 pixels from the top and the right; the crops have their sizes."""
    made = {key.split("/")[-2] + "/" + key.split("/")[-1]: key for key in keys(f"{BUCKET}/uploads/photo.jpg/")}
    assert sorted(made) == ["mark/watermarked.jpg", "sizes/square.jpg", "sizes/story.jpg", "sizes/wide.jpg"], made
    original = Image.open(f"{folder}/photo.jpg").convert("L")
    marked, kind = get(made["mark/watermarked.jpg"])
    assert kind == "image/jpeg" and marked.size == (4000, 3000), (kind, marked.size)
    changed = ImageChops.difference(original, marked.convert("L")).point(lambda v: 255 if v > 50 else 0)
    left, top, right, bottom = changed.getbbox()
    wanted = (4000 - 10 - 800, 10, 4000 - 10, 10 + 320)
    assert all(abs(a - b) <= 1 for a, b in zip((left, top, right, bottom), wanted)), (left, top, right, bottom)
    sizes = {"square": (1080, 1080), "story": (1080, 1920), "wide": (1920, 1080)}
    for name, size in sizes.items():
        image, kind = get(made[f"sizes/{name}.jpg"])
        assert kind == "image/jpeg" and image.size == size and image.format == "JPEG", (name, image.size)
        # The balloon is what draws the eye: its yellow is in each crop.
        yellow = sum(1 for r, g, b in image.resize((200, 200)).convert("RGB").getdata() if r > 220 and 150 < g < 220 and b < 90)
        assert yellow > 20, (name, yellow)


def show_scene(folder):
    """The four pictures side by side, to be looked at."""
    made = [get(key)[0].convert("RGB") for key in keys(f"{BUCKET}/uploads/photo.jpg/")]
    height = 360
    parts = [image.resize((round(image.width * height / image.height), height)) for image in made]
    row = Image.new("RGB", (sum(p.width for p in parts) + 10 * (len(parts) - 1), height), (255, 255, 255))
    x = 0
    for part in parts:
        row.paste(part, (x, 0))
        x += part.width + 10
    row.save(f"{folder}/row.jpg", quality=85)


def put_many(count):
    """Small pictures, each another, by four at once. A request whose answer is lost is sent again, as clients do."""
    def put(index):
        image = Image.new("RGB", (64 + index % 7, 48), (index % 256, index * 7 % 256, 90))
        content = io.BytesIO()
        image.save(content, "PNG")
        for attempt in range(600):
            try:
                s3.put_object(
                    Bucket=BUCKET, Key=f"many/{index}.png", Body=content.getvalue(), ContentType="image/png")
                break
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                if attempt == 599:
                    raise
                time.sleep(0.1)
        print(index, flush=True)
        time.sleep(0.1)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(int(count))))


def check_many(count):
    """Each version of each picture has its one output, which is there once."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix="many/")
    sources = [(v["Key"], v["VersionId"]) for page in pages for v in page.get("Versions", [])]
    assert len({key for key, _ in sources}) == int(count), len(sources)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=DERIVED, Prefix=f"{BUCKET}/many/")
    made = collections.Counter(v["Key"] for page in pages for v in page.get("Versions", []))
    wanted = {f"{BUCKET}/{key}/{version}/small/tiny.png" for key, version in sources}
    assert set(made) == wanted, (len(made), len(wanted), sorted(wanted - set(made))[:5], sorted(set(made) - wanted)[:5])
    assert set(made.values()) == {1}, [key for key, count in made.items() if count > 1][:5]
    for key in list(wanted)[:20]:
        assert get(key)[0].size == (16, 16), key


def write_kinds(folder):
    """One file of each kind that is told something of, and some of no kind."""
    Image.effect_noise((320, 200), 40).convert("RGB").save(f"{folder}/noise.png")
    with wave.open(f"{folder}/tone.wav", "wb") as sound:
        sound.setnchannels(1), sound.setsampwidth(2), sound.setframerate(8000)
        sound.writeframes(b"".join(int(8000 * math.sin(i / 5)).to_bytes(2, "little", signed=True) for i in range(96000)))
    with open(f"{folder}/note.txt", "w") as note:
        note.write("A short note on quasiperiodic zeppelins.\n" * 3)
    with open(f"{folder}/random.bin", "wb") as noise:
        noise.write(os.urandom(50_000))
    open(f"{folder}/zeros.dat", "wb").write(bytes(5_000))


def write_focus(folder):
    """Four fields of plain colours, as a camera that was held upright stored them: turned by 90 degrees."""
    image = Image.new("RGB", (600, 800))
    for x, y, colour in [(0, 0, (200, 0, 0)), (300, 0, (0, 200, 0)), (0, 400, (0, 0, 200)), (300, 400, (200, 200, 0))]:
        image.paste(colour, (x, y, x + 300, y + 400))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(f"{folder}/focus.jpg", quality=95, exif=exif)


def measure(path, width, height, *colour):
    """A picture's size, and the colour of its middle where one is named."""
    image = Image.open(path).convert("RGB")
    assert image.size == (int(width), int(height)), image.size
    if colour:
        middle = image.getpixel((image.width // 2, image.height // 2))
        assert all(abs(a - int(b)) < 25 for a, b in zip(middle, colour)), middle


def corner(path, point, colour):
    """A tall cut of the four fields shows that of the point, above or below its middle."""
    image, y = Image.open(path).convert("RGB"), json.loads(point)["y"]
    seen = image.getpixel((image.width // 2, image.height // 4 if y < 0.5 else image.height * 3 // 4))
    assert all(abs(a - int(b)) < 25 for a, b in zip(seen, colour.split(","))), (point, seen)


def write_poison(folder):
    """Files that are small and claim to be large, or are no files of their kind at all."""
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (50_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    with open(f"{folder}/bomb.png", "wb") as bomb:
        bomb.write(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
            + chunk(b"IEND", b""))
    frame = bytes([0x21, 0xF9, 4, 0, 1, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0])
    with open(f"{folder}/endless.gif", "wb") as gif:
        gif.write(b"GIF89a" + bytes([1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]) + frame * 50_000 + b";")
    with open(f"{folder}/broken.svg", "w") as svg:
        svg.write('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><g><rect width="5"')
    content = io.BytesIO()
    scene(800, 600).save(content, "JPEG")
    with open(f"{folder}/cut.jpg", "wb") as cut:
        cut.write(content.getvalue()[:len(content.getvalue()) // 3])


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
