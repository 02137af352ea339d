"""What hooks make of pictures, seen by boto3 and measured by Pillow. Each public function is one case; it ends quietly or raises.

Usage: workers_client.py CASE [ARGUMENT ...]     with AWS_ENDPOINT_URL and AWS's usual variables set
"""
import collections
import concurrent.futures
import io
import math
import os
import sys
import time

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


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
