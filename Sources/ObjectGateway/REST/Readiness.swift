import JSON
import Threads

/// Whether the gateway can serve: every check passes, and it is not stopping.
final class Readiness: Sendable {
    struct Check: Sendable {
        var name: String
        /// Nil when all is well, else a few words for whoever reads the answer; details belong in the log.
        var failure: @Sendable () async -> String?
    }

    private let checks: Lock<[Check]>
    private let stopping = Lock(false)

    init(_ checks: [Check]) { self.checks = Lock(checks) }

    /// From now on these count, in the place of the former ones.
    func replace(by checks: [Check]) { self.checks.withLock { $0 = checks } }

    /// From now on the answer is not ready, so that balancers send nobody any more.
    func stop() { stopping.withLock { $0 = true } }

    func answer() async -> RouteAnswer {
        var members: [JSONValue.Member] = []
        var isReady = true
        if stopping.withLock({ $0 }) {
            isReady = false
            members.append(.init("gateway", ["status": "failed", "reason": "stopping"]))
        }
        for check in checks.withLock({ $0 }) {
            if let reason = await check.failure() {
                isReady = false
                members.append(.init(check.name, ["status": "failed", "reason": .string(reason)]))
            } else {
                members.append(.init(check.name, ["status": "ok"]))
            }
        }
        return .json(
            ["status": isReady ? "ready" : "not_ready", "checks": .object(members)], status: isReady ? 200 : 503)
    }

    static let schema = Schema.object([
        .init("status", .string(choices: ["ready", "not_ready"])),
        .init(
            "checks",
            .map(
                of: .object([
                    .init("status", .string(choices: ["ok", "failed"])), .init("reason", .string, required: false),
                ]))),
    ])
}
