import Glibc
import JSON
import TestSupport
import Testing
import Threads

/// Events on their way out of a real gateway, which is killed in between.
@Suite struct TargetEndToEnd {
    /// Ids and keys of the events that came, each once, in order.
    private final class Receiver: Sendable {
        private let server: LoopbackServer
        private let events = Lock<[(id: String, key: String)]>([])

        var received: [(id: String, key: String)] { events.withLock { $0 } }

        init(port: UInt16) throws {
            server = try LoopbackServer(port: port) { [events] request in
                let text = String(decoding: request, as: UTF8.self)
                guard let end = text.firstRange(of: "\r\n\r\n"),
                    let body = JSONValue(parsing: Array(text[end.upperBound...].utf8))
                else { return nil }
                for record in body["Records"]?.array ?? [] {
                    guard let id = record["eventId"]?.string, let key = record["s3"]?["object"]?["rawKey"]?.string
                    else { continue }
                    events.withLock { events in
                        if !events.contains(where: { $0.id == id }) { events.append((id, key)) }
                    }
                }
                // So that a kill falls between deliveries.
                usleep(20_000)
                return Array("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".utf8)
            }
        }

        func stop() { server.stop() }
    }

    @Test func `a webhook that was dead has every event in order per key, though the gateway is killed meanwhile`()
        async throws
    {
        let port = try freeLoopbackPort()
        let gateway = try KillableGateway(allowing: "127.0.0.1:\(port)")
        do { try await Self.use(gateway, port) } catch {
            try await gateway.end(by: SIGKILL)
            throw error
        }
        let ending = try await gateway.end(by: SIGTERM)
        #expect(ending?.status == 0, "\(String(describing: ending))")
    }

    private static func use(_ gateway: KillableGateway, _ port: UInt16) async throws {
        try gateway.folder.write("file", "content".utf8)
        try gateway.folder.write(
            "hooks.json", #"{"hooks": [{"name": "tell", "on": "object.created", "notify": "webhook:cms"}]}"#.utf8)
        try await gateway.start()
        let bad = try await gateway.run("targets", "set", "webhook:cms", "--url", "ftp://x/")
        #expect(bad.status == 2 && bad.output.contains("--url is \"ftp://x/\": wanted an http"), "\(bad.output)")
        try await gateway.succeed(
            "targets", "set", "webhook:cms", "--url", "http://127.0.0.1:\(port)/events", "--secret", "s3cret",
            saying: "webhook:cms is registered")
        try await gateway.succeed("hooks", "set", "image-assets", "hooks.json", saying: "of revision")
        let test = try await gateway.run("hooks", "test-target", "webhook:cms")
        #expect(test.status == 1 && test.output.contains("did not take the message"), "\(test.output)")

        for index in 0..<20 { try await gateway.put("k\(index % 4)") }
        try await gateway.end(by: SIGKILL)
        try await gateway.start()
        for index in 20..<40 { try await gateway.put("k\(index % 4)") }
        while true {
            let list = try await gateway.run("targets", "list")
            if list.output.contains("failing  40") { break }
            try #require(list.status == 0 && !list.output.contains("s3cret"), "\(list.output)")
            try await Task.sleep(for: .milliseconds(50))
        }
        let metrics = try await gateway.curl("http://\(gateway.services)/metrics")
        #expect(metrics.contains("ogw_target_pending{target=\"webhook:cms\"} 40"))

        let receiver = try Receiver(port: port)
        defer { receiver.stop() }
        while receiver.received.count < 10 { try await Task.sleep(for: .milliseconds(10)) }
        try await gateway.end(by: SIGKILL)
        try await gateway.start()
        while receiver.received.count < 40 { try await Task.sleep(for: .milliseconds(10)) }
        try await gateway.succeed("hooks", "test-target", "webhook:cms", saying: "took the message")
        let received = receiver.received
        #expect(received.count == 40)
        for (key, events) in Dictionary(grouping: received, by: \.key) {
            #expect(events.map(\.id) == events.map(\.id).sorted() && events.count == 10, "\(key)")
        }
        let refused = try await gateway.run("targets", "remove", "webhook:cms")
        #expect(refused.status == 1 && refused.output.contains("name webhook:cms"), "\(refused.output)")
        try await gateway.succeed("hooks", "remove", "image-assets", saying: "no hooks")
        try await gateway.succeed("targets", "remove", "webhook:cms", saying: "is removed")
    }
}
