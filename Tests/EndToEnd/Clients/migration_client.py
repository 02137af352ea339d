"""A store that is moved from one metadata store to another, as boto3 sees it.

Usage: migration_client.py fill | dump FILE | complete | write     with AWS_ENDPOINT_URL and AWS's usual variables set
"""
import concurrent.futures
import hashlib
import json
import os
import random
import sys

import boto3
import botocore.config

MIB = 1 << 20
s3 = boto3.client("s3", config=botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=16))
BUCKETS = {"plain": [], "kept": ["Enabled"], "paused": ["Enabled", "Suspended"], "image-assets": ["Enabled"]}
KEYS = ["ü/日本", "a b+c%2F", "x" * 900, "dir/", "dir/one"]


def body(seed, length):
    return random.Random(seed).randbytes(length)


def put(bucket, key, seed, length):
    s3.put_object(
        Bucket=bucket, Key=key, Body=body(seed, length), ContentType="image/png", CacheControl="no-cache",
        Metadata={"seed": str(seed)}, Tagging="colour=red&n=1" if seed % 3 == 0 else "", ChecksumAlgorithm="SHA256")


def in_parts(bucket, key, complete):
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, Metadata={"kind": "parts"})["UploadId"]
    parts = []
    for number, length in [(1, 5 * MIB), (2, 5 * MIB + 1), (3, 1000)]:
        answer = s3.upload_part(
            Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body(number, length))
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    if complete:
        s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})


def fill():
    for bucket, states in BUCKETS.items():
        s3.create_bucket(Bucket=bucket)
        for state in [None] + states:
            if state:
                s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": state})
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                list(pool.map(lambda n: put(bucket, f"many/{n:04}", n, 100 + n), range(150)))
            for number, key in enumerate(KEYS):
                put(bucket, key, number, [0, 1, 70_000, 300_000, 2 * MIB][number])
            s3.delete_object(Bucket=bucket, Key="many/0007")
        in_parts(bucket, "parts/done", True)
        in_parts(bucket, "parts/open", False)
    version = s3.list_object_versions(Bucket="kept", Prefix="many/0009")["Versions"][0]["VersionId"]
    s3.delete_object(Bucket="kept", Key="many/0009", VersionId=version)


def fields(answer, *without):
    return {name: str(value) for name, value in answer.items() if name not in ("ResponseMetadata",) + without}


def shown(bucket, version):
    name = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
    answer = s3.get_object(**name, ChecksumMode="ENABLED")
    return {
        "listed": fields(version), "got": fields(answer, "Body"),
        "sum": hashlib.sha256(answer["Body"].read()).hexdigest(),
        "tags": s3.get_object_tagging(**name)["TagSet"],
    }


def dump(path):
    state = []
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        entry = {"bucket": fields(bucket), "versioning": fields(s3.get_bucket_versioning(Bucket=name))}
        entry["versions"], entry["markers"], entry["uploads"] = [], [], []
        for page in s3.get_paginator("list_object_versions").paginate(
                Bucket=name, PaginationConfig={"PageSize": 97}):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                entry["versions"] += pool.map(lambda v: shown(name, v), page.get("Versions", []))
            entry["markers"] += [fields(m) for m in page.get("DeleteMarkers", [])]
        for upload in s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
            parts = s3.list_parts(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"]).get("Parts", [])
            entry["uploads"].append({"upload": fields(upload), "parts": [fields(part) for part in parts]})
        state.append(entry)
    assert sum(len(entry["versions"]) for entry in state) > 1_000, "the store is not the filled one"
    with open(path, "w") as file:
        json.dump(state, file, indent=1, sort_keys=True)


def complete():
    """Ends every upload in progress, which was begun before the move."""
    for bucket in BUCKETS:
        for upload in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]:
            name = {"Bucket": bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
            parts = [{k: part[k] for k in ("PartNumber", "ETag")} for part in s3.list_parts(**name)["Parts"]]
            s3.complete_multipart_upload(**name, MultipartUpload={"Parts": parts})
            content = s3.get_object(Bucket=bucket, Key=upload["Key"])["Body"].read()
            assert content == body(1, 5 * MIB) + body(2, 5 * MIB + 1) + body(3, 1000)


def write():
    """What goes on after the move: new versions on top, old ones removed, tags, new uploads."""
    for bucket in BUCKETS:
        put(bucket, "many/0001", 5001, 5001)
        put(bucket, "many/0007", 5007, 300_000)
        s3.delete_object(Bucket=bucket, Key="many/0002")
        s3.put_object_tagging(
            Bucket=bucket, Key="many/0003", Tagging={"TagSet": [{"Key": "after", "Value": "the move"}]})
        versions = s3.list_object_versions(Bucket=bucket, Prefix="many/0004")["Versions"]
        if len(versions) > 1:
            s3.delete_object(Bucket=bucket, Key="many/0004", VersionId=versions[-1]["VersionId"])
        in_parts(bucket, "parts/again", False)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
