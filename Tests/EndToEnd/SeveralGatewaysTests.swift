import Glibc
import TestMongo
import TestSupport
import Testing

/// Two gateways on one MongoDB and one engine. `Gateway.current` is the first of them.
struct GatewayPair: SuiteTrait, TestScoping {
    @TaskLocal static var second: Gateway?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let engine = try await SeaweedFS.start()
        // Both are told the same, and the first start of the database finds no key.
        var settings = Gateway.settings(for: engine)
        settings["OGW_KEY_FILE"] = folder.file("secret.key")
        let database = "gateways-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        settings["OGW_METADATA"] = try MongoServer.shared.uri(database: database)
        let shared = settings
        var gateways: [Gateway] = []
        do {
            async let one = Gateway.start(settings: shared)
            async let two = Gateway.start(settings: shared)
            gateways = [try await one, try await two]
            try await Gateway.$scoped.withValue(gateways[0]) {
                try await Self.$second.withValue(gateways[1], operation: function)
            }
        } catch {
            for gateway in gateways { await gateway.stop() }
            await engine.stop()
            throw error
        }
        for gateway in gateways { await gateway.stop() }
        await engine.stop()
    }
}

@Suite(GatewayPair()) struct SeveralGatewaysTests {
    private func python(_ arguments: String...) async throws {
        let second = try #require(GatewayPair.second)
        let client = try Client("python") { _ in ["OGW_SECOND_ENDPOINT": second.endpoint] }
        try await client.run(all: [Clients.path("two_gateways.py")] + arguments)
    }

    /// `OGW_TEST_RACES` keys instead of 12; 500 were run by hand.
    @Test func `of 64 racing If-None-Match through two gateways one wins, for each key`() async throws {
        try await python("one_winner", variable("OGW_TEST_RACES") ?? "12")
    }

    @Test(arguments: [
        "writes_are_seen_at_once", "buckets_are_known_to_both", "versioning_counts_for_both",
        "a_bucket_is_removed_or_written_to", "parts_through_both", "a_reader_keeps_its_bytes",
    ])
    func `two gateways are one store`(name: String) async throws { try await python(name) }

    @Test func `a user who is made, disabled and given another key on one gateway is so on the other`() async throws {
        let (one, two) = (try Gateway.current, try #require(GatewayPair.second))
        func ogw(_ arguments: String...) async throws -> ChildProcess.Ending {
            try await ChildProcess.run(
                [try Gateway.binary()] + arguments, environment: ["OGW_DATA": one.data, "HOME": "/"], folder: "/")
        }
        let added = try await ogw(
            "user", "add", "bob", "--access-key", "BOBSKEY", "--secret-key", "bobs-secret-key", "--policy", "admin")
        #expect(added.status == 0, "\(added.output)")
        func answers() async throws -> Bool {
            try await ChildProcess.run(
                [
                    "curl", "-sf", "--max-time", "20", "-o", "/dev/null", "--aws-sigv4", "aws:amz:us-east-1:s3",
                    "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--user", "BOBSKEY:bobs-secret-key",
                    two.endpoint + "/",
                ], folder: "/"
            ).status == 0
        }
        func waitUntil(_ isWelcome: Bool) async throws {
            let deadline = ContinuousClock.now + .seconds(60)
            while try await answers() != isWelcome {
                guard ContinuousClock.now < deadline else {
                    Issue.record("the other gateway does not know that the user is \(isWelcome ? "" : "not ")welcome")
                    return
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        try await waitUntil(true)
        #expect(try await ogw("user", "disable", "bob").status == 0)
        try await waitUntil(false)
    }
}

/// What `ogw serve` says when what it is given does not fit the database.
@Suite struct SharedStoreRefusals {
    @Test func `another key, another place and a folder's own objects are refused in one sentence`() async throws {
        let engine = try await SeaweedFS.start()
        let folder = try TemporaryFolder()
        var settings = Gateway.settings(for: engine)
        let database = "refusals-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        settings["OGW_METADATA"] = try MongoServer.shared.uri(database: database)
        settings["OGW_KEY_FILE"] = folder.file("secret.key")
        let first = try await Gateway.start(settings: settings)
        let other = try folder.write("other.key", [UInt8](repeating: 9, count: 32))
        // SAFETY: the path is lent for the call.
        _ = unsafe chmod(other, 0o600)
        for (change, words) in [
            (["OGW_KEY_FILE": other], ["other.key is another key", "OGW_KEY_FILE"]),
            (["OGW_KEY_FILE": folder.file("none")], ["none is missing"]),
            (
                ["OGW_BLOBS": "s3://\(engine.bucket)/elsewhere?endpoint=\(engine.endpoint)"],
                ["OGW_BLOBS", "this one has no store.id"]
            ),
            (["OGW_BLOBS": "local"], ["OGW_METADATA", "lie at s3://\(engine.bucket)/gateway"]),
            (
                ["OGW_METADATA": try MongoServer.shared.uri(database: database + "-new")],
                ["OGW_BLOBS", "a prefix of its own"]
            ),
        ] {
            let ending = try await Gateway.run(settings.merging(change) { _, changed in changed })
            #expect(ending.status > 0, "\(change)")
            let lines = ending.output.split(separator: "\n").filter { $0.hasPrefix("ogw serve: ") }
            #expect(lines.count == 1, "\(ending.output)")
            for word in words { #expect(lines.first?.contains(word) == true, "\(ending.output)") }
        }
        await first.stop()
        await engine.stop()
    }
}
