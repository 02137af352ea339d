import TestSupport
import Testing

extension EndToEnd {
    @Suite struct S3cmd {
        let s3cmd: Client
        let bucket = Client.bucket("s3cmd")

        init() throws {
            s3cmd = try Client("s3cmd")
            let gateway = s3cmd.gateway
            try s3cmd.folder.write(
                ".s3cfg",
                """
                [default]
                access_key = \(gateway.accessKey)
                secret_key = \(gateway.secretKey)
                host_base = \(gateway.authority)
                host_bucket = \(gateway.authority)
                use_https = False
                multipart_chunk_size_mb = 5
                """.utf8)
        }

        @Test func `put, ls, get, info, cp, mv and del`() async throws {
            try s3cmd.makeFile("file", bytes: 70_000)
            try await s3cmd.run("mb", "s3://\(bucket)")
            try await s3cmd.run("put", "file", "s3://\(bucket)/folder/a file+1")
            #expect(try await s3cmd.run("ls", "s3://\(bucket)/").contains("folder/"))
            #expect(try await s3cmd.run("ls", "-r", "s3://\(bucket)/").contains("a file+1"))
            #expect(try await s3cmd.run("info", "s3://\(bucket)/folder/a file+1").contains("70000"))
            try await s3cmd.run("cp", "s3://\(bucket)/folder/a file+1", "s3://\(bucket)/copy")
            try await s3cmd.run("mv", "s3://\(bucket)/copy", "s3://\(bucket)/moved")
            try await s3cmd.run("get", "s3://\(bucket)/moved", "back")
            try s3cmd.expectSame("file", "back")
            try await s3cmd.run("del", "--recursive", "--force", "s3://\(bucket)/")
            try await s3cmd.run("rb", "s3://\(bucket)")
        }

        @Test func `A file above 16 MiB goes up in parts`() async throws {
            try s3cmd.makeFile("large", bytes: 18_000_000)
            try await s3cmd.run("mb", "s3://\(bucket)")
            try await s3cmd.run("put", "--no-progress", "large", "s3://\(bucket)/large")
            #expect(try await s3cmd.run("multipart", "s3://\(bucket)").contains("large") == false)
            try await s3cmd.run("get", "--no-progress", "s3://\(bucket)/large", "back")
            try s3cmd.expectSame("large", "back")
        }

        @Test func `sync uploads and downloads what is missing`() async throws {
            s3cmd.makeFolder("tree")
            for name in ["a", "b c", "é"] { try s3cmd.makeFile("tree/\(name)", bytes: 5000) }
            try await s3cmd.run("mb", "s3://\(bucket)")
            try await s3cmd.run("sync", "tree/", "s3://\(bucket)/t/")
            s3cmd.makeFolder("back")
            try await s3cmd.run("sync", "s3://\(bucket)/t/", "back/")
            for name in ["a", "b c", "é"] { try s3cmd.expectSame("tree/\(name)", "back/\(name)") }
        }
    }
}
