import Bytes
import Digests
import JSON
import TestSupport
import Testing
import Threads

@testable import Addons

@Suite struct HTTPAddonTests {
    @Test func `the call is signed, carries its key, and its metadata comes at once`() async throws {
        let scene = try DriverScene { _, _ in .json(#"{"metadata": {"faces": [1, 2]}}"#) }
        defer { scene.server.stop() }
        let outcome = try await scene.driver("http", #", "parameters": {"level": 3}"#, path: "/analyse?v=1")
            .begin(DriverScene.call)
        #expect(outcome == .done(AddonAnswer(metadata: ["faces": .array([.integer(1), .integer(2)])])))
        let request = try #require(scene.server.requests.first)
        #expect(request.method == "POST" && request.target == "/analyse?v=1")
        #expect(request.fields["idempotency-key"] == "job/step")
        let timestamp = try #require(request.fields["x-ogw-timestamp"])
        let code = HMACKey(Array("s3cret".utf8)).code(of: Array("\(timestamp).".utf8) + request.body)
        #expect(request.fields["x-ogw-signature"] == "v1=" + Hex.string(code))
        let body = try #require(JSONValue(parsing: request.body))
        #expect(body["parameters"]?["level"] == .integer(3) && body["asset"]?["metadata"]?["title"] == "A red rose")
    }

    @Test func `an addon that takes its time is looked at where it says, as often as it says`() async throws {
        let scene = try DriverScene { request, number in
            switch number {
            case 0: .json(#"{"id": 7}"#, status: 202, fields: [("location", "/jobs/7"), ("retry-after", "3")])
            case 1: .json(#"{"progress": 0.25, "stage": "scan"}"#, status: 202)
            default: .json(#"{"metadata": "\#(request.method) \#(request.target)"}"#)
            }
        }
        defer { scene.server.stop() }
        let driver = try scene.driver("http")
        guard case .pending(let first) = try await driver.begin(DriverScene.call) else {
            Issue.record("not pending")
            return
        }
        #expect(first.canBeLookedAt && first.wait == .seconds(3))
        guard case .pending(let second) = try await driver.look(at: first.ticket) else {
            Issue.record("not pending")
            return
        }
        #expect(second.stage == "scan" && second.fraction == 0.25 && second.ticket == first.ticket)
        #expect(try await driver.look(at: second.ticket) == .done(AddonAnswer(metadata: "GET /jobs/7")))
        #expect(scene.server.requests.allSatisfy { $0.fields["x-ogw-signature"] != nil })
    }

    @Test func `an addon that calls back is not looked at`() async throws {
        let scene = try DriverScene { _, _ in .init(202) }
        defer { scene.server.stop() }
        let driver = try scene.driver("http")
        guard case .pending(let pending) = try await driver.begin(DriverScene.call) else {
            Issue.record("not pending")
            return
        }
        #expect(!pending.canBeLookedAt)
        guard case .pending(let again) = try await driver.look(at: pending.ticket) else {
            Issue.record("not pending")
            return
        }
        #expect(!again.canBeLookedAt && scene.server.requests.count == 1)
    }

    @Test func `files come within the answer, too`() async throws {
        let form = """
            --B\r\ncontent-disposition: form-data; name="metadata"\r\n\r\n{"a": 1}\r\n--B\r
            content-disposition: form-data; name="f"; filename="x.bin"\r\ncontent-type: image/png\r\n\r\nbytes\r\n--B--\r\n
            """
        let scene = try DriverScene { _, _ in
            .init(200, Array(form.utf8), fields: [("content-type", "multipart/form-data; boundary=B")])
        }
        defer { scene.server.stop() }
        let file = AddonAnswer.File(name: "x.bin", contentType: "image/png", content: .bytes(Array("bytes".utf8)))
        #expect(
            try await scene.driver("http").begin(DriverScene.call)
                == .done(AddonAnswer(metadata: ["a": .integer(1)], files: [file])))
    }

    @Test(arguments: [
        (ScriptedServer.Answer(500), false), (.init(503), false), (.init(404), true), (.init(401), true),
        (.init(302, fields: [("location", "http://127.0.0.1:1/")]), true), (.json("not json"), false),
        (.json("[1]"), false), (.json(#"{"x": 1}"#), false), (.init(200, Array("{".utf8), length: 100), false),
        (.init(202, fields: [("location", "file:///etc/passwd")]), true),
        (.init(200, Array("--B".utf8), fields: [("content-type", "multipart/form-data; boundary=B")]), false),
        (.json(#"{"error": {"message": "no face", "permanent": true}}"#), true), (.json(#"{"error": "busy"}"#), false),
        (.init(200, [UInt8](repeating: 0x20, count: (1 << 20) + 1)), true),
    ])
    func `what may pass is told from what stays`(answer: ScriptedServer.Answer, isPermanent: Bool) async throws {
        let scene = try DriverScene { _, _ in answer }
        defer { scene.server.stop() }
        let driver = try scene.driver("http")
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.begin(DriverScene.call)
        }
        #expect(failure.isPermanent == isPermanent, "\(failure.reason)")
        #expect(!failure.reason.isEmpty && !failure.reason.contains("s3cret"))
        #expect(scene.server.requests.count == 1)
    }

    @Test func `an addon that asks for patience gets it`() async throws {
        let scene = try DriverScene { _, _ in .init(429, fields: [("retry-after", "17")]) }
        defer { scene.server.stop() }
        let driver = try scene.driver("http")
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.begin(DriverScene.call)
        }
        #expect(!failure.isPermanent && failure.retryAfter == .seconds(17))
    }

    @Test func `work that the addon does not know any more is handed over anew`() async throws {
        let scene = try DriverScene { _, _ in .init(410) }
        defer { scene.server.stop() }
        let driver = try scene.driver("http")
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.look(at: ["poll": .string("\(scene.server.url)/jobs/1")])
        }
        #expect(failure.startsAnew && !failure.isPermanent)
    }

    @Test func `an addon that says nothing is not waited for longer than its timeout, or than somebody waits`()
        async throws
    {
        var scene = try DriverScene { _, _ in nil }
        defer { scene.server.stop() }
        scene.timeout = .seconds(1)
        let driver = try scene.driver("http")
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.begin(DriverScene.call)
        }
        #expect(failure.reason.contains("timed out") && !failure.isPermanent)
        scene.timeout = .seconds(600)
        let isOver = Lock(false)
        let patient = try scene.driver("http") { isOver.withLock { $0 } }
        let server = scene.server
        try DriverScene.pool.get().run {
            while server.requests.count < 2 { await DriverScene.pause() }
            isOver.withLock { $0 = true }
        }
        _ = try await scene.failure { () async throws(AddonFailure) in try await patient.begin(DriverScene.call) }
    }

    @Test func `a private address that is not named is refused for good`() async throws {
        var scene = try DriverScene { _, _ in .init(204) }
        defer { scene.server.stop() }
        scene.isPrivateAllowed = false
        let driver = try scene.driver("http")
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.begin(DriverScene.call)
        }
        #expect(failure.isPermanent && scene.server.requests.isEmpty)
    }

    @Test func `a trial is answered by any success, and says why where it is not`() async throws {
        let scene = try DriverScene { _, number in .init(number == 0 ? 204 : 403) }
        defer { scene.server.stop() }
        let driver = try scene.driver("http")
        try await driver.test()
        await #expect(throws: AddonFailure.self) { try await driver.test() }
    }
}

extension DriverScene {
    static func pause() async {
        if let pool = try? pool.get() { await pool.sleep(for: .milliseconds(10)) }
    }
}
