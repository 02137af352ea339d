import Glibc
import JSON
import TestSupport
import Testing

/// Events that come from a list of Redis into a real gateway, and go out to another list, while both are killed.
@Suite struct SourceEndToEnd {
    /// Redis that keeps what it has confirmed.
    private final class Redis {
        let port: UInt16
        private let folder: TemporaryFolder
        private var child: ChildProcess?

        init() throws { (folder, port) = (try TemporaryFolder(), try freeLoopbackPort()) }

        func start() async throws {
            child = try ChildProcess.start(
                [
                    try tool("redis-server"), "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly",
                    "yes", "--appendfsync", "always", "--dir", folder.path, "--requirepass", "redis-secret",
                ], folder: folder.path, outputPath: folder.file("log"))
            while !accepts(port) { try await Task.sleep(for: .milliseconds(20)) }
        }

        func kill() async throws {
            guard let running = child else { return }
            child = nil
            running.signal(SIGKILL)
            _ = try await running.wait(timeout: .seconds(30))
        }

        func run(_ arguments: [String]) async throws -> [Substring] {
            let ending = try await ChildProcess.run(
                [try tool("redis-cli"), "-p", "\(port)", "--no-auth-warning", "-a", "redis-secret", "--raw"]
                    + arguments, folder: folder.path)
            try #require(ending.status == 0, "\(arguments.prefix(3)): \(ending.output)")
            return ending.output.split(separator: "\n")
        }

        func count(_ key: String) async throws -> Int { Int(try await run(["LLEN", key]).first ?? "") ?? 0 }
    }

    private static let keyCount = 20
    private static let messageCount = 3_000

    @Test func `no message is lost though the gateway and Redis are killed while they are taken`() async throws {
        let (redis, gateway) = (try Redis(), try KillableGateway())
        try await redis.start()
        do { try await Self.use(gateway, redis) } catch {
            try await gateway.end(by: SIGKILL)
            try await redis.kill()
            throw error
        }
        let ending = try await gateway.end(by: SIGTERM)
        #expect(ending?.status == 0, "\(String(describing: ending))")
        try await redis.kill()
    }

    private static func use(_ gateway: KillableGateway, _ redis: Redis) async throws {
        let url = "redis://127.0.0.1:\(redis.port)"
        try gateway.folder.write("file", "content".utf8)
        try gateway.folder.write(
            "hooks.json", #"{"hooks": [{"name": "tell", "on": "file-saved", "notify": "redis:out"}]}"#.utf8)
        try await gateway.start()
        for index in 0..<keyCount { try await gateway.put("k\(index)") }
        try await gateway.succeed(
            "targets", "set", "redis:out", "--url", url, "--key", "out", "--secret", "redis-secret",
            saying: "registered")
        try await gateway.succeed("hooks", "set", "image-assets", "hooks.json", saying: "of revision")
        let bad = try await gateway.run("sources", "set", "redis:in", "--url", "kafka://x", "--key", "in")
        #expect(bad.status == 2 && bad.output.contains("--url is \"kafka://x\""), "\(bad.output)")
        try await gateway.succeed(
            "sources", "set", "redis:in", "--url", url, "--key", "in", "--secret", "redis-secret",
            saying: "Events are taken from redis:in.")

        for start in stride(from: 0, to: messageCount, by: 500) {
            let messages = (start..<start + 500).map {
                #"{"event": "file-saved", "bucket": "image-assets", "key": "k\#($0 % keyCount)"}"#
            }
            _ = try await redis.run(["RPUSH", "in"] + messages)
            // Somewhere in the middle of them.
            if start == 1_000 { try await redis.kill() } else { try await gateway.end(by: SIGKILL) }
            if start == 1_000 { try await redis.start() } else { try await gateway.start() }
        }
        _ = try await redis.run(["RPUSH", "in", #"{"event": "file-saved", "bucket": "image-assets", "key": "none"}"#])
        while true {
            let left = try await redis.count("in") + redis.count("in:processing")
            let told = try await keys(redis)
            if left == 0, told.values.reduce(0, +) >= messageCount { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        // What was cut off between its commit and its end was told once more.
        let told = try await keys(redis)
        #expect(told.count == keyCount)
        for (key, count) in told { #expect(count >= messageCount / keyCount, "\(key)") }
        let dead = try await redis.run(["LRANGE", "in:dead", "0", "-1"])
        #expect(dead.count >= 1 && dead.allSatisfy { $0.contains("There is no such object.") }, "\(dead)")
        try await gateway.succeed("sources", "list", saying: "redis:in  idle   0")
        let metrics = try await gateway.curl("http://\(gateway.services)/metrics")
        #expect(metrics.contains("ogw_source_waiting{source=\"redis:in\"} 0"))
        #expect(metrics.contains("ogw_source_dead{source=\"redis:in\"} \(dead.count)"))
        try await gateway.succeed("sources", "remove", "redis:in", saying: "No more events")
    }

    /// How many events of each key came out, each event once.
    private static func keys(_ redis: Redis) async throws -> [String: Int] {
        var ids: Set<String> = []
        var counts: [String: Int] = [:]
        for line in try await redis.run(["LRANGE", "out", "0", "-1"]) {
            let record = try #require(JSONValue(parsing: Array(line.utf8))?["Records"]?.array?.first)
            let id = try #require(record["eventId"]?.string)
            guard ids.insert(id).inserted else { continue }
            counts[try #require(record["s3"]?["object"]?["rawKey"]?.string), default: 0] += 1
        }
        return counts
    }
}
