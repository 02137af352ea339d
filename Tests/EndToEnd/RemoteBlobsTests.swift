import TestSupport
import Testing

/// The same clients, with the objects' bytes on a real engine.
@Suite(.runningGatewayOverEngine) struct EndToEndOverEngine {
    @Test(arguments: [
        "put_get_list_delete", "ranges", "multipart", "multipart_by_hand", "large_upload", "copies", "versions",
        "conditional_writes", "one_winner", "checksums", "multipart_checksums", "wrong_digests", "object_attributes",
        "odd_keys",
    ])
    func `boto3 sees what AWS does`(name: String) async throws {
        try await Client("python").run(Clients.path("boto3_client.py"), name)
    }

    @Test func `aws-cli uploads, copies and downloads in parts`() async throws {
        let aws = try Client("aws")
        let bucket = Client.bucket("engine")
        try aws.makeFile("file", bytes: 50_000_000)
        try await aws.run("s3", "mb", "s3://\(bucket)")
        try await aws.run("s3", "cp", "--no-progress", "file", "s3://\(bucket)/file")
        try await aws.run("s3", "cp", "--no-progress", "s3://\(bucket)/file", "s3://\(bucket)/copy")
        try await aws.run("s3", "rm", "s3://\(bucket)/file")
        try await aws.run("s3", "cp", "--no-progress", "s3://\(bucket)/copy", "back")
        try aws.expectSame("file", "back")
    }

    /// Beside the marker of the store, every object of the engine is a blob of the gateway's.
    @Test func `what is deleted goes from the engine, and what is kept stays`() async throws {
        let gateway = try Gateway.current
        let engine = try #require(gateway.engine)
        let aws = try Client("aws")
        let bucket = Client.bucket("swept")
        try aws.makeFile("large", bytes: 12_000_000)
        try aws.makeFile("small", bytes: 100_000)
        try await aws.run("s3", "mb", "s3://\(bucket)")
        for name in ["kept", "dropped"] {
            try await aws.run("s3api", "put-object", "--bucket", bucket, "--key", name, "--body", "large")
        }
        let place = ["--endpoint-url", engine.endpoint, "s3", "ls", "--recursive", "s3://\(engine.bucket)/gateway/"]
        let engineClient = try Client("aws") { _ in
            ["AWS_ACCESS_KEY_ID": engine.accessKey, "AWS_SECRET_ACCESS_KEY": engine.secretKey]
        }
        /// Content and trailer of 12 MB: no other test puts objects of this size.
        func count() async throws -> Int {
            try await engineClient.run(all: place).split(separator: "\n").filter { $0.contains(" 12000") }.count
        }
        #expect(try await count() == 2)
        try await aws.run("s3", "rm", "s3://\(bucket)/dropped")
        let deadline = ContinuousClock.now + .seconds(60)
        while try await count() != 1 {
            guard ContinuousClock.now < deadline else {
                Issue.record("the blob is still there")
                return
            }
        }
        try await aws.run("s3", "cp", "--no-progress", "s3://\(bucket)/kept", "back")
        try aws.expectSame("large", "back")
    }
}

/// What `ogw serve` says when the engine cannot be used.
@Suite struct EngineRefusals {
    private func serve(_ engine: SeaweedFS, _ change: [String: String]) async throws -> ChildProcess.Ending {
        let folder = try TemporaryFolder()
        let address = "127.0.0.1:\(try freeLoopbackPort())"
        let environment = Gateway.settings(for: engine).merging([
            "OGW_DATA": folder.file("data"), "OGW_S3_LISTEN": address, "OGW_SERVICES_LISTEN": "off",
            "HOME": folder.path,
        ]) { own, _ in own }.merging(change) { _, changed in changed }
        return try await ChildProcess.run(
            [try Gateway.binary(), "serve"], environment: environment, folder: folder.path)
    }

    @Test func `wrong keys, a missing bucket and a key left out are named`() async throws {
        let engine = try await SeaweedFS.start()
        for (change, words) in [
            (["OGW_BLOBS_SECRET_KEY": "wrong"], ["OGW_BLOBS_SECRET_KEY", "SignatureDoesNotMatch"]),
            (["OGW_BLOBS": "s3://nobodys/x?endpoint=\(engine.endpoint)"], ["OGW_BLOBS", "nobodys", "make it first"]),
            (["OGW_BLOBS_ACCESS_KEY": ""], ["OGW_BLOBS_ACCESS_KEY"]),
            (["OGW_BLOBS": "s3://x"], ["OGW_BLOBS", "bucket name"]),
        ] {
            let ending = try await serve(engine, change)
            #expect(ending.status > 0)
            for word in words { #expect(ending.output.contains(word), "\(ending.output)") }
        }
        await engine.stop()
    }
}
