import TestSupport
import Testing

/// What goes in by S3 is found by the services listener, with metadata in the data folder and in a real MongoDB.
@Suite struct SearchEndToEnd {
    @Test(arguments: [false, true])
    func `an object is found as an asset, and no longer once it is deleted`(overMongoDB: Bool) async throws {
        let gateway = try await Gateway.start(overMongoDB: overMongoDB)
        do {
            try await Gateway.$scoped.withValue(gateway) { try await Self.search(gateway) }
        } catch {
            await gateway.stop()
            throw error
        }
        await gateway.stop()
    }

    private static func search(_ gateway: Gateway) async throws {
        // Another server than ours has no services listener.
        guard let services = gateway.services else { return }
        let curl = try Client("curl")
        let secret = "\(gateway.accessKey):\(gateway.secretKey)"
        let s3 = [
            "-sS", "-f", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", secret, "-H",
            "x-amz-content-sha256: UNSIGNED-PAYLOAD",
        ]
        let object = "\(gateway.endpoint)/image-assets/travel/Sunset-Beach.png"
        try curl.folder.write("file", "no picture, but long enough".utf8)
        try await curl.run(all: s3 + ["-H", "x-amz-meta-title: Evening in Lisbon", "-T", "file", object])

        func get(_ target: String) async throws -> String {
            try await curl.run("-sS", "-H", "X-API-Key: \(secret)", "http://\(services)\(target)")
        }
        func wait(_ query: String, until isThere: Bool) async throws -> String {
            let deadline = ContinuousClock.now + .seconds(60)
            while true {
                let answer = try await get("/api/assets/search?facets=type&q=\(query)")
                if answer.contains("Sunset-Beach.png") == isThere { return answer }
                guard ContinuousClock.now < deadline else { throw TestSupportError("\(query): \(answer)") }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        let found = try await wait("beach+lisbon+type:image+folder:travel", until: true)
        #expect(found.contains(#""value":"image","count":1"#) || found.contains(#""count":1"#), "\(found)")
        #expect(try await get("/api/assets/search?q=winter").contains(#""assets":[]"#))
        #expect(try await get("/api/assets/search?q=%22").contains(#""position""#))

        let id = try #require(found.split(separator: #""asset_id":""#).dropFirst().first?.prefix(36))
        let asset = try await get("/api/assets/\(id)")
        #expect(asset.contains(#""title":"Evening in Lisbon""#) && asset.contains(#""versions":[{"#), "\(asset)")
        #expect(try await get("/metrics").contains("ogw_search_lag_seconds"))

        try await curl.run(all: s3 + ["-X", "DELETE", object])
        _ = try await wait("beach", until: false)
        #expect(try await get("/api/assets/\(id)").contains(#""deleted_at":"2"#))
    }
}
