import TestSupport
import Testing

extension EndToEnd {
    @Suite struct S5cmd {
        let s5cmd: Client
        let bucket = Client.bucket("s5cmd")

        init() throws {
            s5cmd = try Client("s5cmd") { ["S3_ENDPOINT_URL": $0.endpoint] }
        }

        @Test func `mb, cp, ls, cat, mv, rm and rb`() async throws {
            try s5cmd.folder.write("text", "some text".utf8)
            try await s5cmd.run("mb", "s3://\(bucket)")
            try await s5cmd.run("cp", "text", "s3://\(bucket)/folder/a b")
            #expect(try await s5cmd.run("ls", "s3://\(bucket)/folder/").contains("a b"))
            #expect(try await s5cmd.run("cat", "s3://\(bucket)/folder/a b") == "some text")
            try await s5cmd.run("cp", "s3://\(bucket)/folder/a b", "s3://\(bucket)/copy")
            try await s5cmd.run("mv", "s3://\(bucket)/copy", "s3://\(bucket)/moved")
            #expect(try await s5cmd.run("du", "s3://\(bucket)/*").contains("18 bytes in 2 objects"))
            try await s5cmd.run("rm", "s3://\(bucket)/*")
            try await s5cmd.run("rb", "s3://\(bucket)")
        }

        @Test func `A large file goes up in parts and comes down in ranges`() async throws {
            try s5cmd.makeFile("large", bytes: 24_000_000)
            try await s5cmd.run("mb", "s3://\(bucket)")
            try await s5cmd.run("cp", "--part-size", "5", "--concurrency", "4", "large", "s3://\(bucket)/large")
            try await s5cmd.run("cp", "--part-size", "5", "--concurrency", "4", "s3://\(bucket)/large", "back")
            try s5cmd.expectSame("large", "back")
        }

        @Test func `sync carries many small files both ways`() async throws {
            s5cmd.makeFolder("tree")
            for place in 0..<200 { try s5cmd.makeFile("tree/file \(place)", bytes: place * 7, seed: UInt64(place)) }
            try await s5cmd.run("mb", "s3://\(bucket)")
            try await s5cmd.run("sync", "tree/", "s3://\(bucket)/t/")
            try await s5cmd.run("sync", "s3://\(bucket)/t/*", "back/")
            for place in 0..<200 { try s5cmd.expectSame("tree/file \(place)", "back/file \(place)") }
            try await s5cmd.run("rm", "s3://\(bucket)/t/*")
            #expect(try await s5cmd.fail("ls", "s3://\(bucket)/t/").contains("no object found"))
        }
    }
}
