import HTTPClient
import JSON
import TestSupport
import Testing
import Threads

@testable import Addons

/// Drivers against a server of this test.
struct DriverScene {
    static let pool = Result { try Pool.start(threads: 4) }
    let server: ScriptedServer
    let session: HTTPSession
    let drivers = AddonDrivers()
    var isPrivateAllowed = true
    var timeout = Duration.seconds(20)

    init(_ answer: @escaping @Sendable (ScriptedServer.Request, Int) -> ScriptedServer.Answer?) throws {
        server = try ScriptedServer(answer: answer)
        session = try HTTPSession.start(connectionsMax: 4)
    }

    /// `members` beside the driver and the server's URL.
    func driver(
        _ kind: String, _ members: String = "", secret: String = "s3cret", path: String = "",
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> any AddonDriver {
        let text = #"{"driver": "\#(kind)", "url": "\#(server.url)\#(path)"\#(members)}"#
        let settings = try AddonSettings(reading: try #require(JSONValue(parsing: Array(text.utf8))), at: "")
        let line = AddonLine(
            session: session, pool: try Self.pool.get(),
            outbound: OutboundRules(allowed: isPrivateAllowed ? [server.authority] : []), timeout: timeout,
            deadline: .now + .seconds(60), isCancelled: isCancelled)
        return drivers.open(settings, secret: Array(secret.utf8), line: line)
    }

    static let call = AddonCall(
        idempotencyKey: "job/step",
        payload: [
            "asset": ["metadata": ["title": "A red rose"]],
            "files": [["name": "a.png", "url": "https://store.example/a.png?X-Amz-Signature=1"]],
        ])

    func failure(_ body: () async throws(AddonFailure) -> AddonOutcome) async throws -> AddonFailure {
        do throws(AddonFailure) {
            let outcome = try await body()
            Issue.record("\(outcome)")
            return AddonFailure("")
        } catch {
            return error
        }
    }
}
