"""What minio-py sees. Each public function is one case; it ends quietly or raises.

Usage: minio_client.py CASE     with AWS_ENDPOINT_URL and AWS's usual variables set
"""
import datetime
import io
import os
import sys
import urllib.parse

import minio
import minio.commonconfig
import minio.deleteobjects
import minio.versioningconfig
import urllib3

MIB = 1 << 20
address = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
http = urllib3.PoolManager(ca_certs=os.environ.get("AWS_CA_BUNDLE"), retries=False)
s3 = minio.Minio(
    endpoint=address.netloc, access_key=os.environ["AWS_ACCESS_KEY_ID"],
    secret_key=os.environ["AWS_SECRET_ACCESS_KEY"], region=os.environ["AWS_REGION"],
    secure=address.scheme == "https", http_client=http)


def make_bucket():
    name = f"minio-{os.urandom(8).hex()}"
    s3.make_bucket(bucket_name=name)
    return name


def put(bucket, key, content, **kwargs):
    return s3.put_object(bucket_name=bucket, object_name=key, data=io.BytesIO(content), length=len(content), **kwargs)


def get(bucket, key, **kwargs):
    answer = s3.get_object(bucket_name=bucket, object_name=key, **kwargs)
    try:
        return answer.read()
    finally:
        answer.close()


def refused(code, call, **kwargs):
    try:
        call(**kwargs)
    except minio.error.S3Error as error:
        assert error.code == code, f"expected {code}, got {error}"
        return
    raise AssertionError(f"expected {code}, but the call succeeded")


def objects():
    bucket = make_bucket()
    assert s3.bucket_exists(bucket_name=bucket) and not s3.bucket_exists(bucket_name="no-such-bucket-here")
    assert bucket in [entry.name for entry in s3.list_buckets()]
    content = os.urandom(100_000)
    put(bucket, "a b/ü+1", content, content_type="a/b", metadata={"colour": "red"})
    assert get(bucket, "a b/ü+1") == content
    assert get(bucket, "a b/ü+1", offset=10, length=5) == content[10:15]
    stat = s3.stat_object(bucket_name=bucket, object_name="a b/ü+1")
    assert stat.size == 100_000 and stat.content_type == "a/b" and stat.metadata["x-amz-meta-colour"] == "red"
    s3.remove_object(bucket_name=bucket, object_name="a b/ü+1")
    refused("NoSuchKey", s3.get_object, bucket_name=bucket, object_name="a b/ü+1")
    s3.remove_bucket(bucket_name=bucket)


def multipart():
    bucket = make_bucket()
    content = os.urandom(17 * MIB)
    made = put(bucket, "key", content, part_size=5 * MIB)
    assert made.etag.endswith("-4")
    assert get(bucket, "key") == content
    s3.put_object(bucket_name=bucket, object_name="stream", data=io.BytesIO(content), length=-1, part_size=5 * MIB)
    assert get(bucket, "stream") == content


def listing():
    bucket = make_bucket()
    for key in ("a", "b/1", "b/c d/2", "ü"):
        put(bucket, key, b"x")
    top = [(entry.object_name, entry.is_dir) for entry in s3.list_objects(bucket_name=bucket)]
    assert sorted(top) == [("a", False), ("b/", True), ("ü", False)], top
    every = [entry.object_name for entry in s3.list_objects(bucket_name=bucket, recursive=True)]
    assert every == ["a", "b/1", "b/c d/2", "ü"]
    after = s3.list_objects(bucket_name=bucket, recursive=True, start_after="b/1", use_api_v1=False)
    assert [entry.object_name for entry in after] == ["b/c d/2", "ü"]
    old = [entry.object_name for entry in s3.list_objects(bucket_name=bucket, recursive=True, use_api_v1=True)]
    assert old == every


def copies():
    bucket = make_bucket()
    content = os.urandom(5 * MIB)
    put(bucket, "so+ur ce", content)
    source = minio.commonconfig.CopySource(bucket_name=bucket, object_name="so+ur ce")
    s3.copy_object(bucket_name=bucket, object_name="copy", source=source)
    assert get(bucket, "copy") == content
    put(bucket, "tail", b"tail")
    sources = [
        minio.commonconfig.ComposeSource(bucket_name=bucket, object_name=key) for key in ("so+ur ce", "tail")]
    s3.compose_object(bucket_name=bucket, object_name="joined", sources=sources)
    assert get(bucket, "joined") == content + b"tail"


def presigned():
    bucket = make_bucket()
    minute = datetime.timedelta(minutes=1)
    url = s3.presigned_put_object(bucket_name=bucket, object_name="a b", expires=minute)
    assert http.request("PUT", url, body=b"content").status == 200
    url = s3.presigned_get_object(bucket_name=bucket, object_name="a b", expires=minute)
    answer = http.request("GET", url)
    assert (answer.status, answer.data) == (200, b"content")
    assert http.request("GET", url.replace("X-Amz-Signature=", "X-Amz-Signature=0")).status == 403


def versions():
    bucket = make_bucket()
    s3.set_bucket_versioning(
        bucket_name=bucket, config=minio.versioningconfig.VersioningConfig(status=minio.commonconfig.ENABLED))
    assert s3.get_bucket_versioning(bucket_name=bucket).status == "Enabled"
    first = put(bucket, "key", b"one").version_id
    put(bucket, "key", b"two")
    s3.remove_object(bucket_name=bucket, object_name="key")
    assert get(bucket, "key", version_id=first) == b"one"
    listed = list(s3.list_objects(bucket_name=bucket, include_version=True))
    assert sorted(entry.is_delete_marker for entry in listed) == [False, False, True]
    for entry in listed:
        s3.remove_object(bucket_name=bucket, object_name="key", version_id=entry.version_id)
    assert list(s3.list_objects(bucket_name=bucket, include_version=True)) == []


def tags():
    bucket = make_bucket()
    wanted = minio.commonconfig.Tags.new_object_tags()
    wanted["a b"] = "c=d"
    put(bucket, "key", b"x", tags=wanted)
    assert dict(s3.get_object_tags(bucket_name=bucket, object_name="key")) == {"a b": "c=d"}
    wanted["more"] = ""
    s3.set_object_tags(bucket_name=bucket, object_name="key", tags=wanted)
    assert dict(s3.get_object_tags(bucket_name=bucket, object_name="key")) == {"a b": "c=d", "more": ""}
    s3.delete_object_tags(bucket_name=bucket, object_name="key")
    assert not s3.get_object_tags(bucket_name=bucket, object_name="key")


def bulk_removal():
    bucket = make_bucket()
    names = [f"<{n}>&ü" for n in range(20)]
    for name in names:
        put(bucket, name, b"x")
    errors = s3.remove_objects(
        bucket_name=bucket, delete_object_list=[minio.deleteobjects.DeleteObject(name) for name in names])
    assert list(errors) == []
    assert list(s3.list_objects(bucket_name=bucket)) == []


if __name__ == "__main__":
    {name: value for name, value in globals().items() if callable(value)}[sys.argv[1]]()
