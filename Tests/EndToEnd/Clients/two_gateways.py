"""Two gateways of one store, seen by boto3. Each public function is one case; it ends quietly or raises.

Usage: two_gateways.py CASE [ARGUMENT]     with AWS_ENDPOINT_URL, OGW_SECOND_ENDPOINT and AWS's usual variables set
"""
import concurrent.futures
import os
import sys
import threading
import time

import boto3
import botocore.config
import botocore.exceptions

MIB = 1 << 20


def client(endpoint):
    return boto3.client(
        "s3", endpoint_url=endpoint,
        config=botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=64))


one, two = client(os.environ["AWS_ENDPOINT_URL"]), client(os.environ["OGW_SECOND_ENDPOINT"])


def new_bucket(s3=one, versioned=False):
    name = f"two-{os.urandom(8).hex()}"
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def code_of(call, **kwargs):
    """The error that a call comes to; None where it succeeds."""
    try:
        call(**kwargs)
        return None
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]


def body(s3, bucket, key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def one_winner(count="12"):
    bucket = new_bucket()
    barrier = threading.Barrier(64)

    def attempt(key, number):
        s3 = (one, two)[number % 2]
        barrier.wait()
        code = code_of(s3.put_object, Bucket=bucket, Key=key, Body=str(number).encode(), IfNoneMatch="*")
        assert code in (None, "PreconditionFailed"), code
        return code is None

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        for index in range(int(count)):
            key = f"key-{index}"
            won = list(pool.map(attempt, [key] * 64, range(64)))
            assert sum(won) == 1, (key, sum(won))
            winner = str(won.index(True)).encode()
            assert body(one, bucket, key) == winner and body(two, bucket, key) == winner
    for s3 in (one, two):
        listed = [item["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
                  for item in page.get("Contents", [])]
        assert listed == sorted(f"key-{index}" for index in range(int(count)))


def writes_are_seen_at_once():
    bucket = new_bucket()
    for index in range(40):
        writer, reader = ((one, two), (two, one))[index % 2]
        key, content = f"key-{index % 7}", os.urandom(100 + index * 1_000)
        writer.put_object(Bucket=bucket, Key=key, Body=content)
        found = reader.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
        assert [(item["Key"], item["Size"]) for item in found] == [(key, len(content))]
        assert body(reader, bucket, key) == content
        if index % 5 == 4:
            writer.delete_object(Bucket=bucket, Key=key)
            assert reader.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"] == 0
            assert code_of(reader.get_object, Bucket=bucket, Key=key) == "NoSuchKey"


def buckets_are_known_to_both():
    for writer, other in ((one, two), (two, one)):
        bucket = new_bucket(writer)
        other.put_object(Bucket=bucket, Key="key", Body=b"x")
        other.delete_object(Bucket=bucket, Key="key")
        # The other one remembers the bucket, and yet it is gone there too when its removal is answered.
        writer.delete_bucket(Bucket=bucket)
        for s3 in (other, writer):
            assert code_of(s3.put_object, Bucket=bucket, Key="key", Body=b"x") == "NoSuchBucket"
            assert code_of(s3.list_objects_v2, Bucket=bucket) == "NoSuchBucket"
        other.create_bucket(Bucket=bucket)
        writer.put_object(Bucket=bucket, Key="again", Body=b"y")
        assert body(other, bucket, "again") == b"y"


def versioning_counts_for_both():
    bucket = new_bucket()
    two.put_object(Bucket=bucket, Key="key", Body=b"null")
    one.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    made = two.put_object(Bucket=bucket, Key="key", Body=b"new")
    assert made["VersionId"] != "null"
    assert {item["VersionId"] for item in one.list_object_versions(Bucket=bucket)["Versions"]} == {
        "null", made["VersionId"]}


def a_bucket_is_removed_or_written_to():
    outcomes = set()
    for index in range(6):
        bucket = new_bucket()
        two.head_bucket(Bucket=bucket)
        put = []

        def write():
            time.sleep(index * 0.25)
            put.append(code_of(two.put_object, Bucket=bucket, Key="key", Body=b"x"))

        writer = threading.Thread(target=write)
        writer.start()
        removed = code_of(one.delete_bucket, Bucket=bucket)
        writer.join()
        assert (removed, put[0]) in ((None, "NoSuchBucket"), ("BucketNotEmpty", None)), (removed, put)
        outcomes.add(removed)
        if removed:
            assert body(one, bucket, "key") == b"x"
        else:
            assert code_of(two.list_objects_v2, Bucket=bucket) == "NoSuchBucket"
    assert outcomes == {None, "BucketNotEmpty"}, outcomes


def parts_through_both():
    bucket, content = new_bucket(), os.urandom(11 * MIB)
    upload = one.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(content), 5 * MIB), 1):
        s3 = (two, one)[number % 2]
        part = s3.upload_part(
            Bucket=bucket, Key="key", UploadId=upload, PartNumber=number, Body=content[start:start + 5 * MIB])
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    two.complete_multipart_upload(Bucket=bucket, Key="key", UploadId=upload, MultipartUpload={"Parts": parts})
    assert body(one, bucket, "key") == content and body(two, bucket, "key") == content
    # What one gateway has, the other copies.
    one.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "key"})
    assert body(two, bucket, "copy") == content


def a_reader_keeps_its_bytes():
    """What is deleted through one gateway stays at the engine as long as it is being read through the other."""
    bucket, content = new_bucket(), os.urandom(40 * MIB)
    one.put_object(Bucket=bucket, Key="key", Body=content)
    stream = two.get_object(Bucket=bucket, Key="key")["Body"]
    got = stream.read(64 << 10)
    one.delete_object(Bucket=bucket, Key="key")
    assert code_of(two.get_object, Bucket=bucket, Key="key") == "NoSuchKey"
    # Both sweep meanwhile, and report several times.
    for _ in range(25):
        time.sleep(1)
        got += stream.read(64 << 10)
        one.put_object(Bucket=bucket, Key="other", Body=b"x" * 2_000)
    assert got + stream.read() == content


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
