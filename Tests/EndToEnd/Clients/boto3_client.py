"""What boto3 sees. Each public function is one case; it ends quietly or raises.

Usage: boto3_client.py CASE     with AWS_ENDPOINT_URL and AWS's usual variables set
"""
import base64
import concurrent.futures
import datetime
import hashlib
import io
import os
import socket
import sys
import time
import urllib.error
import urllib.request
import zlib

import boto3
import boto3.s3.transfer
import botocore.config
import botocore.exceptions
from awscrt import checksums as crc

MIB = 1 << 20
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
ODD_KEYS = [
    "plain", "with space", "plus+sign", "100%", "%2F", "%zz", "!'()*", "a//b", "/leading", "trailing/", "dot/./key",
    "up/../key", "..", ".", "~tilde", "q?a=b&c=d", "hash#part", "semi;colon:at@", "quote\"<>&'", "back\\slash",
    "ümläut", "日本語/キー", "emoji 🎉", "e\u0301 decomposed", "é composed", "tab\there", "{curly}[square]|^`", "=,$",
    "x" * 1024,
]


def client(**config):
    return boto3.client("s3", config=botocore.config.Config(retries={"max_attempts": 0}, **config))


s3 = client()


def make_bucket(versioned=False):
    name = f"boto3-{os.urandom(8).hex()}"
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def refused(code, call, *args, **kwargs):
    """Expects an error: its code, or its status where a HEAD leaves no code."""
    try:
        call(*args, **kwargs)
    except botocore.exceptions.ClientError as error:
        got = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert code in (got, status), f"expected {code}, got {got} {status}: {error}"
        return error.response
    raise AssertionError(f"expected {code}, but the call succeeded")


def body(bucket, key, **kwargs):
    return s3.get_object(Bucket=bucket, Key=key, **kwargs)["Body"].read()


def keys_of(bucket, **kwargs):
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, **kwargs).get("Contents", [])]


def fetch(url, method="GET", data=None, headers={}):
    request = urllib.request.Request(url, method=method, data=data, headers=headers)
    context = None
    if url.startswith("https"):
        import ssl
        context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def put_get_list_delete():
    bucket = make_bucket()
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    content = os.urandom(100_000)
    put = s3.put_object(Bucket=bucket, Key="key", Body=content)
    assert put["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="key")
    assert got["Body"].read() == content
    assert got["ETag"] == put["ETag"] and got["ContentLength"] == len(content)
    assert abs(got["LastModified"] - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=5)
    entry = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert (entry["Key"], entry["Size"], entry["ETag"]) == ("key", len(content), put["ETag"])
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert body(bucket, "empty") == b""
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    for key in ("key", "empty", "never there"):
        s3.delete_object(Bucket=bucket, Key=key)
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="key")
    refused(404, s3.head_object, Bucket=bucket, Key="key")
    s3.delete_bucket(Bucket=bucket)
    refused(404, s3.head_bucket, Bucket=bucket)


def metadata_and_headers():
    bucket = make_bucket()
    s3.put_object(
        Bucket=bucket, Key="key", Body=b"x", ContentType="text/x-odd; charset=utf-8", CacheControl="max-age=7",
        ContentDisposition='attachment; filename="a.txt"', ContentEncoding="gzip", ContentLanguage="de",
        Expires=datetime.datetime(2040, 1, 2, 3, 4, 5), Metadata={"Mixed-Case": "Value", "empty": "", "n": "1, 2"})
    for head in (s3.head_object(Bucket=bucket, Key="key"), s3.get_object(Bucket=bucket, Key="key")):
        assert head["ContentType"] == "text/x-odd; charset=utf-8" and head["CacheControl"] == "max-age=7"
        assert head["ContentDisposition"] == 'attachment; filename="a.txt"'
        assert head["ContentEncoding"] == "gzip" and head["ContentLanguage"] == "de"
        assert head["ExpiresString"] == "Mon, 02 Jan 2040 03:04:05 GMT"
        assert head["Metadata"] == {"mixed-case": "Value", "empty": "", "n": "1, 2"}, head["Metadata"]
    got = s3.get_object(
        Bucket=bucket, Key="key", ResponseContentType="image/png", ResponseCacheControl="no-store",
        ResponseContentDisposition="inline", ResponseContentLanguage="fr", ResponseContentEncoding="identity")
    assert got["ContentType"] == "image/png" and got["CacheControl"] == "no-store"
    assert got["ContentDisposition"] == "inline" and got["ContentLanguage"] == "fr"
    assert s3.head_object(Bucket=bucket, Key="key")["ContentType"] == "text/x-odd; charset=utf-8"
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    assert s3.head_object(Bucket=bucket, Key="plain")["ContentType"] == "binary/octet-stream"
    big = {f"k{n}": "v" * 300 for n in range(8)}
    refused("MetadataTooLarge", s3.put_object, Bucket=bucket, Key="big", Body=b"x", Metadata=big)


def ranges():
    bucket = make_bucket()
    content = os.urandom(1000)
    s3.put_object(Bucket=bucket, Key="key", Body=content)
    for text, first, last in [
        ("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=990-", 990, 999), ("bytes=990-5000", 990, 999),
        ("bytes=-7", 993, 999), ("bytes=-5000", 0, 999), ("bytes=0-999", 0, 999),
    ]:
        got = s3.get_object(Bucket=bucket, Key="key", Range=text)
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206, text
        assert got["ContentRange"] == f"bytes {first}-{last}/1000", (text, got["ContentRange"])
        assert got["Body"].read() == content[first:last + 1], text
    for text in ("bytes=1000-", "bytes=2000-3000", "bytes=-0"):
        refused("InvalidRange", s3.get_object, Bucket=bucket, Key="key", Range=text)
    for text in ("bytes=5-2", "bytes=a-b", "lines=1-2"):
        assert body(bucket, "key", Range=text) == content, f"a range without meaning is ignored: {text}"
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    refused("InvalidRange", s3.get_object, Bucket=bucket, Key="empty", Range="bytes=0-")


def multipart():
    bucket = make_bucket()
    content = os.urandom(20 * MIB + 12_345)
    settings = boto3.s3.transfer.TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB)
    s3.upload_fileobj(io.BytesIO(content), bucket, "key", Config=settings, ExtraArgs={"Metadata": {"a": "b"}})
    head = s3.head_object(Bucket=bucket, Key="key")
    parts = [hashlib.md5(content[at:at + 8 * MIB]).digest() for at in range(0, len(content), 8 * MIB)]
    assert head["ETag"] == f'"{hashlib.md5(b"".join(parts)).hexdigest()}-3"', head["ETag"]
    assert head["Metadata"] == {"a": "b"}
    back = io.BytesIO()
    s3.download_fileobj(bucket, "key", back, Config=settings)
    assert back.getvalue() == content
    part = s3.get_object(Bucket=bucket, Key="key", PartNumber=2)
    assert part["PartsCount"] == 3 and part["ContentLength"] == 8 * MIB
    assert part["Body"].read() == content[8 * MIB:16 * MIB]
    across = 8 * MIB - 10
    assert body(bucket, "key", Range=f"bytes={across}-{across + 19}") == content[across:across + 20]
    refused(416, s3.get_object, Bucket=bucket, Key="key", PartNumber=4)


def multipart_by_hand():
    bucket = make_bucket()
    started = s3.create_multipart_upload(Bucket=bucket, Key="k/e y", ContentType="a/b")
    upload = {"Bucket": bucket, "Key": "k/e y", "UploadId": started["UploadId"]}
    first, second, last = os.urandom(5 * MIB), os.urandom(5 * MIB), b"the end"
    tags = {}
    for number, content in ((7, last), (2, b"replaced later"), (1, first), (2, second)):
        tags[number] = s3.upload_part(**upload, PartNumber=number, Body=content)["ETag"]
    assert keys_of(bucket) == []
    listed = s3.list_parts(**upload)
    assert [(part["PartNumber"], part["Size"]) for part in listed["Parts"]] == [(1, 5 * MIB), (2, 5 * MIB), (7, 7)]
    page = s3.list_parts(**upload, MaxParts=1)
    assert page["IsTruncated"] and page["NextPartNumberMarker"] == 1
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket, Prefix="k/")["Uploads"]] == ["k/e y"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket, Prefix="other")
    numbered = [{"PartNumber": number, "ETag": tags[number]} for number in (1, 2, 7)]
    refused("InvalidPartOrder", s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": numbered[::-1]})
    wrong = [{"PartNumber": 1, "ETag": tags[2]}]
    refused("InvalidPart", s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": wrong})
    missing = [{"PartNumber": 3, "ETag": tags[2]}]
    refused("InvalidPart", s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": missing})
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": numbered})
    assert done["ETag"].endswith('-3"') and done["Bucket"] == bucket and done["Key"] == "k/e y"
    again = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": numbered})
    assert again["ETag"] == done["ETag"], "a client that lost the answer asks again"
    got = s3.get_object(Bucket=bucket, Key="k/e y")
    assert got["Body"].read() == first + second + last and got["ContentType"] == "a/b"
    small = s3.create_multipart_upload(Bucket=bucket, Key="small")
    upload = {"Bucket": bucket, "Key": "small", "UploadId": small["UploadId"]}
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**upload, PartNumber=n, Body=b"tiny")["ETag"]} for n in (1, 2)]
    refused("EntityTooSmall", s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts})
    s3.abort_multipart_upload(**upload)
    refused("NoSuchUpload", s3.list_parts, **upload)
    refused("NoSuchUpload", s3.upload_part, **upload, PartNumber=1, Body=b"late")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    refused("NoSuchUpload", s3.abort_multipart_upload, Bucket=bucket, Key="small", UploadId="bm90aGluZw")


def large_upload():
    bucket = make_bucket()
    content = os.urandom(1 * MIB) * 200
    s3.put_object(Bucket=bucket, Key="one", Body=content)
    digest = hashlib.sha256(content).hexdigest()
    for key in ("one",):
        got = hashlib.sha256()
        for piece in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1 * MIB):
            got.update(piece)
        assert got.hexdigest() == digest


def copies():
    bucket, other = make_bucket(), make_bucket()
    content = os.urandom(6 * MIB)
    s3.put_object(Bucket=bucket, Key="so+ur ce%", Body=content, ContentType="a/b", Metadata={"a": "1"})
    source = {"Bucket": bucket, "Key": "so+ur ce%"}
    made = s3.copy_object(Bucket=other, Key="copy", CopySource=source)
    assert made["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
    got = s3.get_object(Bucket=other, Key="copy")
    assert got["Body"].read() == content and got["ContentType"] == "a/b" and got["Metadata"] == {"a": "1"}
    s3.copy_object(
        Bucket=other, Key="other", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"},
        ContentType="c/d")
    head = s3.head_object(Bucket=other, Key="other")
    assert head["Metadata"] == {"b": "2"} and head["ContentType"] == "c/d"
    refused("InvalidRequest", s3.copy_object, Bucket=bucket, Key="so+ur ce%", CopySource=source)
    s3.copy_object(
        Bucket=bucket, Key="so+ur ce%", CopySource=source, MetadataDirective="REPLACE", Metadata={"c": "3"})
    assert s3.head_object(**source)["Metadata"] == {"c": "3"}
    assert body(bucket, "so+ur ce%") == content
    tag = s3.head_object(**source)["ETag"]
    refused("PreconditionFailed", s3.copy_object, Bucket=other, Key="x", CopySource=source, CopySourceIfMatch='"no"')
    refused("PreconditionFailed", s3.copy_object, Bucket=other, Key="x", CopySource=source, CopySourceIfNoneMatch=tag)
    refused("NoSuchKey", s3.copy_object, Bucket=other, Key="x", CopySource={"Bucket": bucket, "Key": "none"})
    refused("NoSuchBucket", s3.copy_object, Bucket=other, Key="x", CopySource={"Bucket": "no-such-b", "Key": "none"})
    started = s3.create_multipart_upload(Bucket=other, Key="joined")
    upload = {"Bucket": other, "Key": "joined", "UploadId": started["UploadId"]}
    whole = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source)
    piece = s3.upload_part_copy(**upload, PartNumber=2, CopySource=source, CopySourceRange="bytes=100-199")
    refused(
        "InvalidArgument", s3.upload_part_copy, **upload, PartNumber=3, CopySource=source,
        CopySourceRange=f"bytes=0-{7 * MIB}")
    parts = [
        {"PartNumber": 1, "ETag": whole["CopyPartResult"]["ETag"]},
        {"PartNumber": 2, "ETag": piece["CopyPartResult"]["ETag"]}]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert body(other, "joined") == content + content[100:200]


def versions():
    bucket = make_bucket(versioned=True)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    ids = [s3.put_object(Bucket=bucket, Key="key", Body=text)["VersionId"] for text in (b"one", b"two")]
    assert len(set(ids)) == 2
    marker = s3.delete_object(Bucket=bucket, Key="key")
    assert marker["DeleteMarker"] is True and marker["VersionId"] not in ids
    missing = refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="key")
    assert missing["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    refused("MethodNotAllowed", s3.get_object, Bucket=bucket, Key="key", VersionId=marker["VersionId"])
    assert keys_of(bucket) == []
    listed = s3.list_object_versions(Bucket=bucket)
    assert [(v["VersionId"], v["IsLatest"]) for v in listed["Versions"]] == [(ids[1], False), (ids[0], False)]
    assert [(m["VersionId"], m["IsLatest"]) for m in listed["DeleteMarkers"]] == [(marker["VersionId"], True)]
    assert body(bucket, "key", VersionId=ids[0]) == b"one"
    copy = s3.copy_object(
        Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "key", "VersionId": ids[0]})
    assert copy["CopySourceVersionId"] == ids[0] and body(bucket, "copy") == b"one"
    assert s3.delete_object(Bucket=bucket, Key="key", VersionId=marker["VersionId"])["DeleteMarker"] is True
    assert body(bucket, "key") == b"two"
    s3.delete_object(Bucket=bucket, Key="key", VersionId=ids[1])
    assert body(bucket, "key") == b"one"
    refused("NoSuchVersion", s3.get_object, Bucket=bucket, Key="key", VersionId=ids[1])
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    assert [v["Key"] for page in pages for v in page.get("Versions", [])] == ["copy", "key"]


def null_versions():
    bucket = make_bucket()
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="key", Body=b"before")
    versioning = {"Bucket": bucket, "VersioningConfiguration": {"Status": "Enabled"}}
    s3.put_bucket_versioning(**versioning)
    kept = s3.put_object(Bucket=bucket, Key="key", Body=b"during")["VersionId"]
    assert body(bucket, "key", VersionId="null") == b"before"
    versioning["VersioningConfiguration"]["Status"] = "Suspended"
    s3.put_bucket_versioning(**versioning)
    assert s3.put_object(Bucket=bucket, Key="key", Body=b"after").get("VersionId", "null") == "null"
    assert body(bucket, "key", VersionId="null") == b"after" and body(bucket, "key", VersionId=kept) == b"during"
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [v["VersionId"] for v in listed] == ["null", kept]
    s3.delete_object(Bucket=bucket, Key="key")
    listed = s3.list_object_versions(Bucket=bucket)
    assert [m["VersionId"] for m in listed["DeleteMarkers"]] == ["null"]
    assert [v["VersionId"] for v in listed["Versions"]] == [kept]


def conditional_writes():
    bucket = make_bucket()
    first = s3.put_object(Bucket=bucket, Key="key", Body=b"1", IfNoneMatch="*")["ETag"]
    refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="key", Body=b"2", IfNoneMatch="*")
    refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="key", Body=b"2", IfMatch='"other"')
    refused("NoSuchKey", s3.put_object, Bucket=bucket, Key="none", Body=b"2", IfMatch=first)
    assert body(bucket, "key") == b"1"
    second = s3.put_object(Bucket=bucket, Key="key", Body=b"2", IfMatch=first)["ETag"]
    assert body(bucket, "key") == b"2"
    started = s3.create_multipart_upload(Bucket=bucket, Key="key")
    upload = {"Bucket": bucket, "Key": "key", "UploadId": started["UploadId"]}
    parts = [{"PartNumber": 1, "ETag": s3.upload_part(**upload, PartNumber=1, Body=b"3")["ETag"]}]
    refused(
        "PreconditionFailed", s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfMatch=second)
    assert body(bucket, "key") == b"3"
    refused("PreconditionFailed", s3.delete_object, Bucket=bucket, Key="key", IfMatch=second)
    s3.delete_object(Bucket=bucket, Key="key", IfMatch=s3.head_object(Bucket=bucket, Key="key")["ETag"])
    s3.put_object(Bucket=bucket, Key="key", Body=b"4", IfNoneMatch="*")


def conditional_reads():
    bucket = make_bucket()
    tag = s3.put_object(Bucket=bucket, Key="key", Body=b"1")["ETag"]
    now = datetime.datetime.now(datetime.timezone.utc)
    past, future = now - datetime.timedelta(days=1), now + datetime.timedelta(days=1)
    for call in (s3.get_object, s3.head_object):
        call(Bucket=bucket, Key="key", IfMatch=tag)
        call(Bucket=bucket, Key="key", IfNoneMatch='"other"')
        call(Bucket=bucket, Key="key", IfModifiedSince=past)
        call(Bucket=bucket, Key="key", IfUnmodifiedSince=future)
        call(Bucket=bucket, Key="key", IfMatch=tag, IfUnmodifiedSince=past)
        refused(412, call, Bucket=bucket, Key="key", IfMatch='"other"')
        refused(412, call, Bucket=bucket, Key="key", IfUnmodifiedSince=past)
        refused(304, call, Bucket=bucket, Key="key", IfNoneMatch=tag)
        refused(304, call, Bucket=bucket, Key="key", IfModifiedSince=now)
        refused(304, call, Bucket=bucket, Key="key", IfNoneMatch=tag, IfModifiedSince=past)


def one_winner():
    bucket = make_bucket()

    def attempt(number):
        try:
            s3.put_object(Bucket=bucket, Key="key", Body=str(number).encode(), IfNoneMatch="*")
            return number
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return None

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        winners = [number for number in pool.map(attempt, range(16)) if number is not None]
    assert len(winners) == 1 and body(bucket, "key") == str(winners[0]).encode(), winners


def digest(algorithm, content):
    value = {
        "CRC32": lambda: zlib.crc32(content).to_bytes(4, "big"),
        "CRC32C": lambda: crc.crc32c(content).to_bytes(4, "big"),
        "CRC64NVME": lambda: crc.crc64nvme(content).to_bytes(8, "big"),
        "SHA1": lambda: hashlib.sha1(content).digest(),
        "SHA256": lambda: hashlib.sha256(content).digest(),
    }[algorithm]()
    return base64.b64encode(value).decode()


ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


def checksums():
    bucket = make_bucket()
    content = os.urandom(100_000)
    for algorithm in ALGORITHMS:
        field, right = f"Checksum{algorithm}", digest(algorithm, content)
        put = s3.put_object(Bucket=bucket, Key=algorithm, Body=content, ChecksumAlgorithm=algorithm)
        assert put[field] == right, algorithm
        given = s3.put_object(Bucket=bucket, Key=f"{algorithm}-given", Body=content, **{field: right})
        assert given[field] == right
        for key in (algorithm, f"{algorithm}-given"):
            head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
            assert head[field] == right and head["ChecksumType"] == "FULL_OBJECT"
            assert body(bucket, key, ChecksumMode="ENABLED") == content
        # A body that cannot be read twice is sent in chunks, its checksum behind it.
        streamed = s3.put_object(
            Bucket=bucket, Key="stream", Body=io.BytesIO(content), ChecksumAlgorithm=algorithm)
        assert streamed[field] == right and body(bucket, "stream") == content
        wrong = digest(algorithm, b"other")
        refused("BadDigest", s3.put_object, Bucket=bucket, Key="wrong", Body=content, **{field: wrong})
    copy = s3.copy_object(
        Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "SHA1"}, ChecksumAlgorithm="SHA256")
    assert copy["CopyObjectResult"]["ChecksumSHA256"] == digest("SHA256", content)
    assert "wrong" not in keys_of(bucket)


def multipart_checksums():
    bucket = make_bucket()
    pieces = [os.urandom(5 * MIB), os.urandom(1000)]
    kinds = [(a, "COMPOSITE") for a in ALGORITHMS if a != "CRC64NVME"] + [
        (a, "FULL_OBJECT") for a in ("CRC32", "CRC32C", "CRC64NVME")]
    for algorithm, kind in kinds:
        field = f"Checksum{algorithm}"
        started = s3.create_multipart_upload(
            Bucket=bucket, Key="key", ChecksumAlgorithm=algorithm, ChecksumType=kind)
        upload = {"Bucket": bucket, "Key": "key", "UploadId": started["UploadId"]}
        parts = []
        for number, piece in enumerate(pieces, 1):
            part = s3.upload_part(**upload, PartNumber=number, Body=piece, ChecksumAlgorithm=algorithm)
            assert part[field] == digest(algorithm, piece)
            parts.append({"PartNumber": number, "ETag": part["ETag"], field: part[field]})
        done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        if kind == "FULL_OBJECT":
            expected = digest(algorithm, b"".join(pieces))
        else:
            joined = b"".join(base64.b64decode(digest(algorithm, piece)) for piece in pieces)
            expected = f"{digest(algorithm, joined)}-2"
        assert done[field] == expected and done["ChecksumType"] == kind, (algorithm, kind, done.get(field))
        head = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
        assert head[field] == expected and head["ChecksumType"] == kind
    for algorithm, kind in (("CRC64NVME", "COMPOSITE"), ("SHA1", "FULL_OBJECT"), ("SHA256", "FULL_OBJECT")):
        refused(
            "InvalidRequest", s3.create_multipart_upload, Bucket=bucket, Key="key", ChecksumAlgorithm=algorithm,
            ChecksumType=kind)


def wrong_digests():
    bucket = make_bucket()
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    refused("BadDigest", s3.put_object, Bucket=bucket, Key="key", Body=b"content", ContentMD5=md5)
    refused("InvalidDigest", s3.put_object, Bucket=bucket, Key="key", Body=b"content", ContentMD5="bm8=")
    assert keys_of(bucket) == []
    started = s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumAlgorithm="CRC32")
    upload = {"Bucket": bucket, "Key": "key", "UploadId": started["UploadId"]}
    refused("BadDigest", s3.upload_part, **upload, PartNumber=1, Body=b"x", ChecksumCRC32=digest("CRC32", b"y"))
    assert "Parts" not in s3.list_parts(**upload)


def object_attributes():
    bucket = make_bucket()
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    put = s3.put_object(Bucket=bucket, Key="one", Body=b"content", ChecksumAlgorithm="SHA256")
    got = s3.get_object_attributes(Bucket=bucket, Key="one", ObjectAttributes=wanted)
    assert got["ETag"] == put["ETag"].strip('"') and got["ObjectSize"] == 7 and got["StorageClass"] == "STANDARD"
    assert got["Checksum"]["ChecksumSHA256"] == digest("SHA256", b"content")
    started = s3.create_multipart_upload(Bucket=bucket, Key="many", ChecksumAlgorithm="SHA256")
    upload = {"Bucket": bucket, "Key": "many", "UploadId": started["UploadId"]}
    parts = []
    for number, piece in enumerate((b"a" * 5 * MIB, b"b"), 1):
        part = s3.upload_part(**upload, PartNumber=number, Body=piece, ChecksumAlgorithm="SHA256")
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    got = s3.get_object_attributes(Bucket=bucket, Key="many", ObjectAttributes=wanted)
    assert got["ETag"].endswith("-2") and got["ObjectSize"] == 5 * MIB + 1
    assert got["ObjectParts"]["TotalPartsCount"] == 2
    listed = [(p["PartNumber"], p["Size"], p["ChecksumSHA256"]) for p in got["ObjectParts"]["Parts"]]
    assert listed == [(1, 5 * MIB, parts[0]["ChecksumSHA256"]), (2, 1, parts[1]["ChecksumSHA256"])]


def tagging():
    def tags(key, **kwargs):
        return {t["Key"]: t["Value"] for t in s3.get_object_tagging(Bucket=bucket, Key=key, **kwargs)["TagSet"]}

    bucket = make_bucket(versioned=True)
    first = s3.put_object(Bucket=bucket, Key="key", Body=b"1", Tagging="a=1&b+c=d%3De&empty=")["VersionId"]
    assert tags("key") == {"a": "1", "b c": "d=e", "empty": ""}
    assert s3.get_object(Bucket=bucket, Key="key")["TagCount"] == 3
    s3.put_object(Bucket=bucket, Key="key", Body=b"2")
    assert tags("key") == {} and tags("key", VersionId=first) == {"a": "1", "b c": "d=e", "empty": ""}
    s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": [{"Key": "ü", "Value": "ö"}]})
    assert tags("key") == {"ü": "ö"}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "key"})
    assert tags("copy") == {"ü": "ö"}
    s3.copy_object(
        Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "key"}, TaggingDirective="REPLACE",
        Tagging="new=tag")
    assert tags("copy") == {"new": "tag"}
    s3.delete_object_tagging(Bucket=bucket, Key="key")
    assert tags("key") == {} and "TagCount" not in s3.head_object(Bucket=bucket, Key="key")
    eleven = {"TagSet": [{"Key": str(n), "Value": ""} for n in range(11)]}
    refused("InvalidTag", s3.put_object_tagging, Bucket=bucket, Key="key", Tagging=eleven)
    twice = {"TagSet": [{"Key": "same", "Value": str(n)} for n in range(2)]}
    refused("InvalidTag", s3.put_object_tagging, Bucket=bucket, Key="key", Tagging=twice)
    refused("NoSuchKey", s3.get_object_tagging, Bucket=bucket, Key="none")


def odd_keys():
    bucket = make_bucket()
    # Clients with a path library of their own change these two before they send them.
    keys = [key for key in ODD_KEYS if key not in (".", "..")]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert keys_of(bucket) == sorted(keys, key=lambda key: key.encode())
    for key in keys:
        assert body(bucket, key) == key.encode(), key
        url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        assert fetch(url) == (200, key.encode()), key
        if len(key) < 1000:
            copy = f"copy of {key}"
            s3.copy_object(Bucket=bucket, Key=copy, CopySource={"Bucket": bucket, "Key": key})
            assert body(bucket, copy) == key.encode(), key
            assert keys_of(bucket, Prefix=copy) == [copy], key
            s3.delete_object(Bucket=bucket, Key=copy)
    refused("KeyTooLongError", s3.put_object, Bucket=bucket, Key="x" * 1025, Body=b"")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
    assert keys_of(bucket) == []


def fill(bucket, keys):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b"x"), keys))


def listing():
    bucket = make_bucket()
    fill(bucket, ["a", "b/1", "b/2", "b/c/3", "d/4", "e", "b", "b.x", "é", "Z"])
    order = ["Z", "a", "b", "b.x", "b/1", "b/2", "b/c/3", "d/4", "e", "é"]
    assert keys_of(bucket) == order
    top = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [c["Key"] for c in top["Contents"]] == ["Z", "a", "b", "b.x", "e", "é"] and top["KeyCount"] == 8
    assert [p["Prefix"] for p in top["CommonPrefixes"]] == ["b/", "d/"]
    inside = s3.list_objects_v2(Bucket=bucket, Prefix="b/", Delimiter="/")
    assert [c["Key"] for c in inside["Contents"]] == ["b/1", "b/2"]
    assert [p["Prefix"] for p in inside["CommonPrefixes"]] == ["b/c/"]
    assert keys_of(bucket, StartAfter="b/1") == order[5:] and keys_of(bucket, Prefix="b/", StartAfter="b/1") == order[5:7]
    assert keys_of(bucket, Prefix="none") == []
    empty = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert empty["KeyCount"] == 0 and not empty["IsTruncated"]
    two = s3.list_objects_v2(Bucket=bucket, Delimiter="x")
    assert [p["Prefix"] for p in two["CommonPrefixes"]] == ["b.x"]
    assert s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]["Owner"]["ID"]
    seen = []
    for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 3}):
        assert page["KeyCount"] <= 3
        seen += [c["Key"] for c in page.get("Contents", [])] + [p["Prefix"] for p in page.get("CommonPrefixes", [])]
    assert sorted(seen) == sorted(["Z", "a", "b", "b.x", "b/", "d/", "e", "é"]) and len(seen) == len(set(seen))
    refused("InvalidArgument", s3.list_objects_v2, Bucket=bucket, ContinuationToken="nonsense")


def list_pages():
    bucket = make_bucket()
    keys = [f"{n:05}" for n in range(1100)]
    fill(bucket, keys)
    first = s3.list_objects_v2(Bucket=bucket)
    assert first["KeyCount"] == 1000 and first["IsTruncated"]
    second = s3.list_objects_v2(Bucket=bucket, ContinuationToken=first["NextContinuationToken"])
    assert [c["Key"] for c in first["Contents"] + second["Contents"]] == keys and not second["IsTruncated"]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["KeyCount"] == 1000
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys[:1000]]})
    assert len(gone["Deleted"]) == 1000 and "Errors" not in gone
    assert keys_of(bucket) == keys[1000:]
    too_many = {"Objects": [{"Key": key} for key in keys[:1001]]}
    refused("MalformedXML", s3.delete_objects, Bucket=bucket, Delete=too_many)


def list_v1():
    bucket = make_bucket()
    fill(bucket, ["a", "b/1", "b/2", "c", "d"])
    page = s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=2)
    assert page["IsTruncated"] and page["NextMarker"] == "b/" and page["Contents"][0]["Key"] == "a"
    rest = s3.list_objects(Bucket=bucket, Delimiter="/", Marker=page["NextMarker"])
    assert [c["Key"] for c in rest["Contents"]] == ["c", "d"] and "CommonPrefixes" not in rest
    plain = s3.list_objects(Bucket=bucket, Marker="b/1")
    assert [c["Key"] for c in plain["Contents"]] == ["b/2", "c", "d"] and plain["Marker"] == "b/1"


def presigned():
    # The first signs by version 2, as boto3 does for us-east-1 where it is not told otherwise.
    for signer in (s3, client(signature_version="s3v4")):
        presigned_by(signer)


def presigned_by(signer):
    bucket = make_bucket()
    params = {"Bucket": bucket, "Key": "a b+c"}
    put = signer.generate_presigned_url("put_object", Params={**params, "ContentType": "a/b"}, ExpiresIn=60)
    assert fetch(put, "PUT", b"content", {"Content-Type": "c/d"})[0] == 403, "the type is part of the signature"
    assert fetch(put, "PUT", b"content", {"Content-Type": "a/b"})[0] == 200
    get = signer.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
    assert fetch(get) == (200, b"content")
    assert fetch(get, headers={"Range": "bytes=1-2"}) == (206, b"on")
    assert fetch(get, "PUT", b"other")[0] == 403
    assert fetch(get.replace("a%20b", "a%20x"))[0] == 403
    copying = {"Content-Type": "a/b", "x-amz-copy-source": f"/{bucket}/a b+c"}
    assert fetch(put, "PUT", b"", copying)[0] == 403, "an unsigned header must not turn an upload into a copy"
    typed = signer.generate_presigned_url("get_object", Params={**params, "ResponseContentType": "x/y"})
    assert fetch(typed) == (200, b"content")
    head = signer.generate_presigned_url("head_object", Params=params)
    assert fetch(head, "HEAD")[0] == 200
    short = signer.generate_presigned_url("get_object", Params=params, ExpiresIn=1)
    time.sleep(2.1)
    status, answer = fetch(short)
    assert status == 403 and b"<Code>AccessDenied</Code>" in answer and b"Request has expired" in answer
    gone = signer.generate_presigned_url("delete_object", Params=params)
    assert fetch(gone, "DELETE")[0] == 204 and keys_of(bucket) == []


def virtual_host():
    resolve = socket.getaddrinfo

    def local(host, *args, **kwargs):
        # glibc does not know that every name below localhost is this machine (RFC 6761 section 6.3).
        return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *args, **kwargs)

    bucket = make_bucket()
    socket.getaddrinfo = local
    hosted = boto3.client(
        "s3", endpoint_url=ENDPOINT.replace("127.0.0.1", "localhost"),
        config=botocore.config.Config(s3={"addressing_style": "virtual"}, retries={"max_attempts": 0}))
    seen = []
    hosted.meta.events.register("before-send.s3", lambda request, **_: seen.append(request.url))
    hosted.put_object(Bucket=bucket, Key="a/b c+d", Body=b"content")
    assert seen[0].startswith(f"http://{bucket}.localhost:"), seen[0]
    assert hosted.get_object(Bucket=bucket, Key="a/b c+d")["Body"].read() == b"content"
    assert body(bucket, "a/b c+d") == b"content", "both styles name the same object"
    assert [c["Key"] for c in hosted.list_objects_v2(Bucket=bucket)["Contents"]] == ["a/b c+d"]
    hosted.delete_object(Bucket=bucket, Key="a/b c+d")
    assert keys_of(bucket) == []


def errors():
    bucket = make_bucket()
    missing = refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="none")
    assert missing["Error"]["Key"] == "none" and missing["ResponseMetadata"]["RequestId"]
    refused("NoSuchBucket", s3.get_object, Bucket="no-such-bucket-here", Key="none")
    refused("NoSuchBucket", s3.put_object, Bucket="no-such-bucket-here", Key="none", Body=b"x")
    lax = client(parameter_validation=False)
    for name in ("UPPER", "a", "under_score", "-dash", "192.168.1.1"):
        refused("InvalidBucketName", lax.create_bucket, Bucket=name)
    unknown = boto3.client("s3", aws_access_key_id="UNKNOWNKEY", aws_secret_access_key="x")
    refused("InvalidAccessKeyId", unknown.list_buckets)
    forged = boto3.client("s3", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="wrong")
    refused("SignatureDoesNotMatch", forged.list_buckets)
    anonymous = client(signature_version=botocore.UNSIGNED)
    refused("AccessDenied", anonymous.list_objects_v2, Bucket=bucket)
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == os.environ["AWS_REGION"]


if __name__ == "__main__":
    # AWS_ENDPOINT_URL may be plain: the checksum cases are the same either way, the way they travel is not.
    {name: value for name, value in globals().items() if callable(value)}[sys.argv[1]]()
