import JSON
import TestSupport
import Testing
import Threads

@testable import Addons

/// Adobe's token service and Firefly, as their documentation has them.
@Suite struct FireflyAddonTests {
    private static let picture =
        #"{"size": {"width": 2048, "height": 2048}, "outputs": [{"seed": 5, "image": {"url": "https://files.example/a.jpg?sig=1"}}], "contentClass": "photo"}"#

    private static func isToken(_ request: ScriptedServer.Request) -> Bool { request.target == "/ims/token/v3" }

    private static func driver(_ scene: DriverScene, _ members: String = "") throws -> any AddonDriver {
        try scene.driver(
            "firefly", #", "client_id": "client", "token_url": "\#(scene.server.url)/ims/token/v3"\#(members)"#,
            secret: "p@ss&word")
    }

    @Test func `a token is fetched once, and pictures are made of the asset's words`() async throws {
        let scene = try DriverScene { request, _ in
            Self.isToken(request) ? .json(#"{"access_token": "t1", "expires_in": 86399}"#) : .json(Self.picture)
        }
        defer { scene.server.stop() }
        let driver = try Self.driver(scene, #", "model": "image4_standard", "parameters": {"numVariations": 1}"#)
        for _ in 0..<2 {
            guard case .done(let answer) = try await driver.begin(DriverScene.call) else {
                Issue.record("not done")
                return
            }
            #expect(answer.files.map(\.content) == [.url("https://files.example/a.jpg?sig=1")])
            #expect(answer.metadata?["seeds"] == .array([.integer(5)]))
        }
        let requests = scene.server.requests
        #expect(requests.map(Self.isToken) == [true, false, false])
        #expect(
            requests[0].text.contains(
                "grant_type=client_credentials&client_id=client&client_secret=p%40ss%26word&scope=openid"))
        #expect(requests[1].fields["authorization"] == "Bearer t1" && requests[1].fields["x-api-key"] == "client")
        #expect(requests[1].fields["x-model-version"] == "image4_standard")
        let body = try #require(JSONValue(parsing: requests[1].body))
        #expect(body["prompt"] == "A red rose" && body["numVariations"] == .integer(1))
        #expect(body["size"]?["width"] == .integer(2048))
    }

    @Test func `a token that is refused is fetched anew, once, and one that ends soon is not kept`() async throws {
        let scene = try DriverScene { request, number in
            if Self.isToken(request) {
                return .json(#"{"access_token": "t\#(number)", "expires_in": \#(number < 3 ? 3600 : 30)}"#)
            }
            return request.fields["authorization"] == "Bearer t0" ? .init(401) : .json(Self.picture)
        }
        defer { scene.server.stop() }
        let driver = try Self.driver(scene)
        guard case .done = try await driver.begin(DriverScene.call) else {
            Issue.record("not done")
            return
        }
        // 0 token, 1 refused, 2 token, 3 picture.
        #expect(scene.server.requests.map(Self.isToken) == [true, false, true, false])
        let short = try DriverScene { request, _ in
            Self.isToken(request) ? .json(#"{"access_token": "t", "expires_in": 30}"#) : .json(Self.picture)
        }
        defer { short.server.stop() }
        let second = try Self.driver(short)
        _ = try await second.begin(DriverScene.call)
        _ = try await second.begin(DriverScene.call)
        #expect(short.server.requests.map(Self.isToken) == [true, false, true, false])
    }

    @Test func `credentials that are refused are refused for good, and are not repeated in the reason`() async throws {
        let scene = try DriverScene { request, _ in .json(#"{"error": "\#("invalid: p@ss&word")"}"#, status: 400) }
        defer { scene.server.stop() }
        let driver = try Self.driver(scene)
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.begin(DriverScene.call)
        }
        #expect(failure.isPermanent && !failure.reason.contains("p@ss") && failure.reason.contains("400"))
        await #expect(throws: AddonFailure.self) { try await driver.test() }
    }

    @Test func `without words there is nothing to make`() async throws {
        let scene = try DriverScene { _, _ in .init(500) }
        defer { scene.server.stop() }
        let driver = try Self.driver(scene)
        let failure = try await scene.failure { () async throws(AddonFailure) in
            try await driver.begin(AddonCall(idempotencyKey: "k", payload: ["asset": .null]))
        }
        #expect(failure.isPermanent && scene.server.requests.isEmpty)
    }
}
