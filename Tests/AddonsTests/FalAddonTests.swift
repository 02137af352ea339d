import JSON
import TestSupport
import Testing
import Threads

@testable import Addons

/// The queue of fal.ai, as its documentation has it.
@Suite struct FalAddonTests {
    private static let model = "tripo3d/tripo/v2.5/image-to-3d"

    private static func submitted(_ url: String) -> ScriptedServer.Answer {
        let base = "\(url)/tripo3d/tripo/requests/r1"
        return .json(
            #"{"request_id": "r1", "status": "IN_QUEUE", "queue_position": 2, "status_url": "\#(base)/status", "response_url": "\#(base)", "cancel_url": "\#(base)/cancel"}"#
        )
    }

    private static func url(of request: ScriptedServer.Request) -> String { "http://\(request.fields["host"] ?? "")" }

    @Test func `a request is submitted, looked after, and its files are found in the result`() async throws {
        let scene = try DriverScene { request, number in
            switch (request.method, request.target) {
            case ("POST", _): Self.submitted(Self.url(of: request))
            case ("GET", "/tripo3d/tripo/requests/r1/status"):
                .json(number == 1 ? #"{"status": "IN_PROGRESS"}"# : #"{"status": "COMPLETED"}"#)
            default:
                .json(
                    #"{"model_mesh": {"url": "https://v3.fal.media/a/tripo.glb?x=1", "content_type": "model/gltf-binary", "file_name": "tripo.glb", "file_size": 9}, "rendered_image": {"url": "https://v3.fal.media/a/p.webp"}, "task_id": "t"}"#
                )
            }
        }
        defer { scene.server.stop() }
        let driver = try scene.driver("fal", #", "parameters": {"texture": "standard"}"#)
        guard case .pending(let queued) = try await driver.begin(DriverScene.call) else {
            Issue.record("not pending")
            return
        }
        #expect(queued.stage == "queue" && queued.canBeLookedAt)
        guard case .pending(let running) = try await driver.look(at: queued.ticket) else {
            Issue.record("not pending")
            return
        }
        #expect(running.stage == "generate")
        guard case .done(let answer) = try await driver.look(at: running.ticket) else {
            Issue.record("not done")
            return
        }
        #expect(answer.metadata?["task_id"] == "t")
        #expect(answer.files.map(\.name) == ["tripo.glb", nil])
        #expect(answer.files.map(\.contentType) == ["model/gltf-binary", nil])
        await driver.cancel(running.ticket)
        let requests = scene.server.requests
        #expect(requests.allSatisfy { $0.fields["authorization"] == "Key s3cret" })
        #expect(requests[0].target == "/\(Self.model)")
        let body = try #require(JSONValue(parsing: requests[0].body))
        #expect(body["texture"] == "standard" && body["image_url"]?.string?.hasPrefix("https://store.example/") == true)
        #expect(requests.last?.method == "PUT" && requests.last?.target.hasSuffix("/r1/cancel") == true)
    }

    @Test func `what may pass is tried three times more, after a second at first`() async throws {
        let scene = try DriverScene { request, number in
            number < 2 ? .init(number == 0 ? 503 : 429) : Self.submitted(Self.url(of: request))
        }
        defer { scene.server.stop() }
        let clock = ContinuousClock.now
        guard case .pending = try await scene.driver("fal").begin(DriverScene.call) else {
            Issue.record("not pending")
            return
        }
        #expect(scene.server.requests.count == 3 && clock.duration(to: .now) >= .seconds(3))
    }

    @Test func `a key that is refused is refused for good, and is not tried again`() async throws {
        let scene = try DriverScene { _, _ in .json(#"{"detail": "Authentication is required"}"#, status: 401) }
        defer { scene.server.stop() }
        let driver = try scene.driver("fal")
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.begin(DriverScene.call)
        }
        #expect(failure.isPermanent && scene.server.requests.count == 1 && failure.reason.contains("401"))
        await #expect(throws: AddonFailure.self) { try await driver.test() }
    }

    @Test func `the key goes to no other host than the addon's`() async throws {
        let scene = try DriverScene { _, _ in Self.submitted("https://evil.example") }
        defer { scene.server.stop() }
        let driver = try scene.driver("fal")
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.begin(DriverScene.call)
        }
        #expect(failure.isPermanent && failure.reason.contains("another host"))
        let other = try await scene.failure { () async throws(AddonFailure) in
            try await driver.look(at: ["status_url": "https://evil.example/s", "response_url": "https://evil.example/"])
        }
        #expect(other.startsAnew && scene.server.requests.count == 1)
    }

    @Test func `a request whose input cannot be used fails for good, one that is forgotten begins anew`() async throws {
        let scene = try DriverScene { request, _ in
            if request.target.contains("gone") { return .init(404) }
            return request.target.hasSuffix("/status")
                ? .json(#"{"status": "COMPLETED"}"#)
                : .json(#"{"detail": [{"msg": "no image", "type": "image_load_error"}]}"#, status: 422)
        }
        defer { scene.server.stop() }
        let driver = try scene.driver("fal")
        let url = scene.server.url
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.look(at: ["status_url": .string("\(url)/r/status"), "response_url": .string("\(url)/r")])
        }
        #expect(failure.isPermanent && failure.reason.contains("no image"))
        let gone = try await scene.failure { () async throws(AddonFailure) in
            try await driver.look(at: ["status_url": .string("\(url)/gone"), "response_url": .string("\(url)/r")])
        }
        #expect(gone.startsAnew && !gone.isPermanent)
    }
}
