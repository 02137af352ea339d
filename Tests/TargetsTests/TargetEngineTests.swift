import Bytes
import Digests
import HTTPClient
import Hooks
import JSON
import Metadata
import TestSupport
import Testing
import Threads

@testable import Targets

@Suite struct TargetEngineTests {
    @Test func `a webhook is told of each event once, signed, in order, and of no other's`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let scene = try await TargetScene(allowed: [receiver.authority])
        try await scene.put("before", telling: "webhook:cms")
        try await scene.set("webhook:cms", ["url": .string(receiver.url), "secret": "s3cret"])
        for index in 0..<20 { try await scene.put("k\(index % 3)", telling: "webhook:cms") }
        try await scene.put("other", telling: "webhook:else")
        try await until("20 events") { receiver.accepted.count >= 20 }
        try await until("rest") { try await scene.status("webhook:cms").state == .idle }
        let received = try Received(receiver.accepted)
        #expect(received.keys.count == 20 && receiver.accepted.count == 20 && received.isOrdered)
        #expect(!received.keys.contains("before") && !received.keys.contains("other"))
        let head = try #require(receiver.requests.first)
        func field(_ name: String) throws -> String {
            let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
            return String(try #require(line).dropFirst(name.count + 2))
        }
        #expect(head.hasPrefix("POST /events HTTP/1.1") && head.contains("content-type: application/json"))
        #expect(try field("x-ogw-event") == "s3:ObjectCreated:Put")
        let timestamp = try field("x-ogw-timestamp")
        let code = HMACKey(Array("s3cret".utf8)).code(of: Array("\(timestamp).".utf8) + receiver.accepted[0])
        #expect(try field("x-ogw-signature") == "v1=" + Hex.string(code))
        await scene.close()
    }

    @Test func `a dead webhook delays no other, and has every event in order when it is back`() async throws {
        let port = try freeLoopbackPort()
        let live = try WebhookReceiver()
        let silent = try WebhookReceiver { _ in nil }
        defer {
            live.stop()
            silent.stop()
        }
        let scene = try await TargetScene(allowed: [live.authority, silent.authority, "127.0.0.1:\(port)"])
        try await scene.set("webhook:dead", ["url": .string("http://127.0.0.1:\(port)/")])
        try await scene.set("webhook:silent", ["url": .string(silent.url), "timeout": "2s"])
        try await scene.set("webhook:live", ["url": .string(live.url)])
        for index in 0..<60 {
            try await scene.put("k\(index % 5)", telling: "webhook:dead", "webhook:silent", "webhook:live")
        }
        try await until("the live one") { live.accepted.count >= 60 }
        #expect(try Received(live.accepted).isOrdered)
        try await until("failures") {
            let status = try await scene.status("webhook:dead")
            return status.state == .failing && status.pendingCount == 60 && status.lastFailure != nil
                && status.oldestPending != nil
        }
        #expect(try await scene.status("webhook:silent").pendingCount == 60)
        let back = try WebhookReceiver(port: port)
        defer { back.stop() }
        try await until("the dead one") { back.accepted.count >= 60 }
        try await until("rest") { try await scene.status("webhook:dead").state == .idle }
        let received = try Received(back.accepted)
        #expect(received.keys.count == 60 && received.isOrdered)
        await scene.close()
    }

    @Test func `an event that a webhook refuses holds up its key and nothing else`() async throws {
        let refuses = Lock(true)
        let receiver = try WebhookReceiver { body in body.contains("\"bad\"") && refuses.withLock { $0 } ? 500 : 200 }
        defer { receiver.stop() }
        let scene = try await TargetScene(allowed: [receiver.authority])
        try await scene.set("webhook:cms", ["url": .string(receiver.url)])
        try await scene.put("bad", telling: "webhook:cms")
        try await scene.put("bad", telling: "webhook:cms")
        for index in 0..<10 { try await scene.put("good\(index)", telling: "webhook:cms") }
        try await until("the good ones") { receiver.accepted.count >= 10 }
        #expect(try await scene.status("webhook:cms").lastFailure == "it answered 500")
        refuses.withLock { $0 = false }
        try await until("all") { receiver.accepted.count >= 12 }
        let received = try Received(receiver.accepted)
        #expect(received.keys.suffix(2) == ["bad", "bad"] && received.isOrdered)
        await scene.close()
    }

    @Test func `what was delivered is not delivered again after a stop, what was not is`() async throws {
        let accepts = Lock(true)
        let receiver = try WebhookReceiver { _ in accepts.withLock { $0 } ? 200 : 503 }
        defer { receiver.stop() }
        let first = try await TargetScene(allowed: [receiver.authority])
        try await first.set("webhook:cms", ["url": .string(receiver.url)])
        for index in 0..<10 { try await first.put("a\(index)", telling: "webhook:cms") }
        try await until("the first ones") { try await first.status("webhook:cms").deliveredCount == 10 }
        accepts.withLock { $0 = false }
        for index in 0..<10 { try await first.put("b\(index)", telling: "webhook:cms") }
        try await until("failures") { try await first.status("webhook:cms").failureCount > 0 }
        await first.close()
        accepts.withLock { $0 = true }
        let second = try await TargetScene(first.folder, allowed: [receiver.authority])
        try await until("the others") { Set(try Received(receiver.accepted).keys).count >= 20 }
        try await until("rest") { try await second.status("webhook:cms").state == .idle }
        // A request that the stop cut off may have been accepted after all, and comes again then.
        let keys = try Received(receiver.accepted).keys
        #expect(keys.filter { $0.hasPrefix("a") }.sorted() == (0..<10).map { "a\($0)" })
        #expect(Set(keys) == Set((0..<10).flatMap { ["a\($0)", "b\($0)"] }))
        await second.close()
    }

    @Test func `a private address is not reached unless it is allowed`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let scene = try await TargetScene()
        try await scene.set("webhook:cms", ["url": .string(receiver.url)])
        try await scene.put("a", telling: "webhook:cms")
        try await until("the failure") {
            try await scene.status("webhook:cms").lastFailure == HTTPClientError.privateAddress.description
        }
        #expect(receiver.requests.isEmpty)
        await scene.close()
    }

    @Test func `events are kept as long as a target needs them, and given up after its retention`() async throws {
        let scene = try await TargetScene()
        try await scene.set(
            "redis:none", ["url": .string("redis://127.0.0.1:\(try freeLoopbackPort())"), "key": "k"])
        try await scene.put("a", telling: "redis:none")
        let tomorrow = Timestamp(milliseconds: Timestamp.now().milliseconds + 86_400_000)
        let last = try await scene.store.lastEvent()
        _ = try await scene.store.planJobs(after: 0, through: last, [])
        #expect(try await scene.store.forgetHistory(before: tomorrow) == false)
        #expect(try await scene.store.events(after: 0, limit: 10).count == 1)
        _ = try await scene.engine.remove(try #require(TargetName("redis:none")))
        #expect(try await scene.store.forgetHistory(before: tomorrow))
        #expect(try await scene.store.events(after: 0, limit: 10).isEmpty)
        await scene.close()
    }

    @Test func `what is old when it is read is dropped, counted and reported`() async throws {
        let port = try freeLoopbackPort()
        let scene = try await TargetScene()
        try await scene.set(
            "redis:none", ["url": .string("redis://127.0.0.1:\(port)"), "key": "k", "retention": "1s"])
        for key in ["a", "b", "c"] { try await scene.put(key, telling: "redis:none") }
        try await until("the drop") { try await scene.status("redis:none").droppedCount == 3 }
        let last = try await scene.store.lastEvent()
        try await until("the note") {
            let target = try await scene.store.target(named: "redis:none")
            return target?.position == last && target?.droppedCount == 3
        }
        #expect(scene.dropped.withLock { $0 } == 3)
        #expect(try await scene.status("redis:none").pendingCount == 0)
        await scene.close()
    }

    @Test func `a secret is kept sealed, stays where none is given, and goes with an empty one`() async throws {
        let scene = try await TargetScene()
        let name = try #require(TargetName("webhook:cms"))
        try await scene.set("webhook:cms", ["url": "https://cms.example/", "secret": "s3cret"])
        let stored = try #require(try await scene.store.target(named: "webhook:cms"))
        #expect(!stored.sealedSecret.isEmpty && !String(decoding: stored.document, as: UTF8.self).contains("s3cret"))
        #expect(try await scene.engine.set(name, ["url": "https://cms.example/", "secret": "s3cret"]) == false)
        #expect(try await scene.engine.set(name, ["url": "https://cms.example/2"]))
        let registered = try #require(try await scene.engine.find(name))
        #expect(registered.hasSecret && registered.document == ["url": "https://cms.example/2"])
        try await scene.set("webhook:cms", ["url": "https://cms.example/2", "secret": ""])
        #expect(try await scene.engine.find(name)?.hasSecret == false)
        #expect(try await scene.engine.remove(name))
        #expect(try await scene.engine.find(name) == nil)
        await scene.close()
    }

    @Test func `a test message says whether the target takes it`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let scene = try await TargetScene(allowed: [receiver.authority])
        try await scene.set("webhook:cms", ["url": .string(receiver.url)])
        let name = try #require(TargetName("webhook:cms"))
        #expect(try await scene.engine.test(name)?.failure == nil)
        #expect(receiver.requests.first?.contains("x-ogw-event: s3:TestEvent") == true)
        receiver.stop()
        try await until("the end of the receiver") { !accepts(receiver.port) }
        #expect(try await scene.engine.test(name)?.failure != nil)
        #expect(try await scene.engine.test(try #require(TargetName("webhook:none"))) == nil)
        await scene.close()
    }

    @Test func `a target whose secret does not open says so, and gives its events up when their time is over`()
        async throws
    {
        let first = try await TargetScene()
        let settings: JSONValue = ["url": "https://cms.example/", "secret": "s3cret", "retention": "2s"]
        try await first.set("webhook:cms", settings)
        await first.close()
        let scene = try await TargetScene(first.folder, hasKey: false)
        try await scene.put("k", telling: "webhook:cms")
        try await until("the failure") { try await scene.status("webhook:cms").state == .failing }
        let status = try await scene.status("webhook:cms")
        #expect(status.pendingCount == 1 && status.lastFailure?.contains("cannot be opened with the key") == true)
        try await until("the note that it is given up") {
            let target = try #require(try await scene.store.target(named: "webhook:cms"))
            let last = try await scene.store.lastEvent()
            return target.position >= last && target.droppedCount == 1
        }
        #expect(try await scene.status("webhook:cms").pendingCount == 0)
        #expect(scene.dropped.withLock { $0 } == 1)
        await scene.close()
    }
}
