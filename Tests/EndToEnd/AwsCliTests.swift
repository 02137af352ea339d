import TestSupport
import Testing

extension EndToEnd {
    /// The lines that README prints, and what people do next.
    @Suite struct AwsCli {
        let aws: Client
        let bucket = Client.bucket("aws")

        init() throws { aws = try Client("aws") }

        @Test func `cp up and down, ls, rm and rb`() async throws {
            try aws.makeFile("photo.jpg", bytes: 300_000)
            try await aws.run("s3", "mb", "s3://\(bucket)")
            try await aws.run("s3", "cp", "photo.jpg", "s3://\(bucket)/holidays/photo one.jpg")
            #expect(try await aws.run("s3", "ls").contains(bucket))
            #expect(try await aws.run("s3", "ls", "s3://\(bucket)").contains("PRE holidays/"))
            #expect(
                try await aws.run("s3", "ls", "--recursive", "s3://\(bucket)").contains("300000 holidays/photo one.jpg")
            )
            try await aws.run("s3", "cp", "s3://\(bucket)/holidays/photo one.jpg", "copy.jpg")
            try aws.expectSame("photo.jpg", "copy.jpg")
            let refusal = try await aws.fail("s3", "rb", "s3://\(bucket)")
            #expect(refusal.contains("BucketNotEmpty"))
            try await aws.run("s3", "rm", "s3://\(bucket)/holidays/photo one.jpg")
            try await aws.run("s3", "rb", "s3://\(bucket)")
            #expect(try await aws.fail("s3", "ls", "s3://\(bucket)").contains("NoSuchBucket"))
        }

        @Test func `A 200 MB file goes up and comes back`() async throws {
            try aws.makeFile("large", bytes: 200_000_000)
            try await aws.run("s3", "mb", "s3://\(bucket)")
            try await aws.run("s3", "cp", "--no-progress", "large", "s3://\(bucket)/large")
            let head = try await aws.run("s3api", "head-object", "--bucket", bucket, "--key", "large")
            #expect(head.contains("\"ContentLength\": 200000000"))
            try await aws.run("s3", "cp", "--no-progress", "s3://\(bucket)/large", "copy")
            try aws.expectSame("large", "copy")
        }

        @Test func `sync mirrors a folder both ways and deletes what is gone`() async throws {
            aws.makeFolder("tree")
            aws.makeFolder("tree/sub")
            for (place, name) in ["a", "b+c d", "sub/ü.txt"].enumerated() {
                try aws.makeFile("tree/\(name)", bytes: 1000 + place, seed: UInt64(place))
            }
            try await aws.run("s3", "mb", "s3://\(bucket)")
            try await aws.run("s3", "sync", "tree", "s3://\(bucket)/t")
            #expect(
                try await aws.run("s3", "sync", "tree", "s3://\(bucket)/t").isEmpty, "a second sync finds nothing to do"
            )
            try await aws.run("s3", "sync", "s3://\(bucket)/t", "back")
            for name in ["a", "b+c d", "sub/ü.txt"] { try aws.expectSame("tree/\(name)", "back/\(name)") }
            try await aws.run("s3", "rm", "s3://\(bucket)/t/a")
            try await aws.run("s3", "sync", "--delete", "s3://\(bucket)/t", "back")
            #expect(throws: TestSupportError.self) { try TemporaryFolder.read(aws.folder.file("back/a")) }
            try await aws.run("s3", "rm", "--recursive", "s3://\(bucket)")
        }

        @Test func `A ranged get returns those bytes`() async throws {
            let bytes = Array("0123456789".utf8)
            try aws.folder.write("digits", bytes)
            try await aws.run("s3", "mb", "s3://\(bucket)")
            try await aws.run("s3", "cp", "digits", "s3://\(bucket)/digits")
            let answer = try await aws.run(
                "s3api", "get-object", "--bucket", bucket, "--key", "digits", "--range", "bytes=2-5", "part")
            #expect(answer.contains("bytes 2-5/10"))
            #expect(try TemporaryFolder.read(aws.folder.file("part")) == Array("2345".utf8))
        }

        @Test func `A presigned URL is fetched by plain curl`() async throws {
            let curl = try Client("curl")
            try aws.makeFile("secret", bytes: 5000)
            try await aws.run("s3", "mb", "s3://\(bucket)")
            try await aws.run("s3", "cp", "secret", "s3://\(bucket)/a b+c/secret")
            let url = try await aws.run("s3", "presign", "--expires-in", "60", "s3://\(bucket)/a b+c/secret")
            try await curl.run("-sSf", "-o", "fetched", url.trimmed)
            #expect(
                try TemporaryFolder.read(curl.folder.file("fetched")) == TemporaryFolder.read(aws.folder.file("secret"))
            )
            let refused = try await curl.run(
                // The last parameter is the time that aws-cli 1 signs, or the signature of aws-cli 2.
                "-s", "-o", "refused", "-w", "%{http_code}", url.trimmed + "0")
            #expect(refused == "403")
        }

        @Test func `Versions are listed, fetched and restored`() async throws {
            try await aws.run("s3", "mb", "s3://\(bucket)")
            try await aws.run(
                "s3api", "put-bucket-versioning", "--bucket", bucket, "--versioning-configuration", "Status=Enabled")
            for text in ["first", "second"] {
                try aws.folder.write("text", text.utf8)
                try await aws.run("s3", "cp", "text", "s3://\(bucket)/text")
            }
            try await aws.run("s3", "rm", "s3://\(bucket)/text")
            try await aws.fail("s3", "cp", "s3://\(bucket)/text", "gone")
            let oldest = try await aws.run(
                "s3api", "list-object-versions", "--bucket", bucket, "--prefix", "text", "--output", "text", "--query",
                "Versions[-1].VersionId")
            try await aws.run(
                "s3api", "get-object", "--bucket", bucket, "--key", "text", "--version-id", oldest.trimmed, "old")
            #expect(try TemporaryFolder.read(aws.folder.file("old")) == Array("first".utf8))
            let marker = try await aws.run(
                "s3api", "list-object-versions", "--bucket", bucket, "--output", "text", "--query",
                "DeleteMarkers[0].VersionId")
            try await aws.run(
                "s3api", "delete-object", "--bucket", bucket, "--key", "text", "--version-id", marker.trimmed)
            try await aws.run("s3", "cp", "s3://\(bucket)/text", "restored")
            #expect(try TemporaryFolder.read(aws.folder.file("restored")) == Array("second".utf8))
        }

        @Test func `cp between buckets copies above and below the multipart threshold`() async throws {
            let other = Client.bucket("aws")
            for name in [bucket, other] { try await aws.run("s3", "mb", "s3://\(name)") }
            for (name, count) in [("small", 1_000_000), ("large", 20_000_000)] {
                try aws.makeFile(name, bytes: count)
                try await aws.run("s3", "cp", "--no-progress", name, "s3://\(bucket)/\(name)")
                try await aws.run(
                    "s3", "cp", "--no-progress", "s3://\(bucket)/\(name)", "s3://\(other)/copy of \(name)")
                try await aws.run("s3", "cp", "--no-progress", "s3://\(other)/copy of \(name)", "back-\(name)")
                try aws.expectSame(name, "back-\(name)")
            }
        }
    }
}
