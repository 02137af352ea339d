import Hooks
import JSON
import Metadata
import Targets

/// Events that come from outside as messages, by the checks and rights of `POST /api/events`.
extension HookAdministration {
    static let message = Schema.object([
        .init("event", .string), .init("bucket", .string), .init("key", .string),
    ])

    /// As `SourceEngine.Intake` wants it. All events of the messages are one commit.
    func take(_ messages: [[UInt8]], as user: String?, of users: UserDirectory) async throws -> [String?] {
        var caller: Caller?
        if let user { caller = try await Self.caller(named: user, of: users) }
        var events: [ObjectEvent] = []
        var reasons: [String?] = []
        for message in messages {
            do {
                if let event = try await told(try Self.input(message, caller)) { events.append(event) }
                reasons.append(nil)
            } catch let problem as Problem {
                reasons.append(problem.detail)
            }
        }
        _ = try await note(events, jobs)
        return reasons
    }

    private static func caller(named name: String, of users: UserDirectory) async throws -> Caller {
        guard let user = try await users.user(named: name) else { throw TargetFailure("there is no user \(name)") }
        if user.isDisabled { throw TargetFailure("the user \(name) is disabled") }
        let caller = Caller(name: user.name, accessKey: user.accessKey, policy: user.policy, customer: user.customer)
        if let lacking = RouteTable.right(that: caller, lacksFor: .editor) {
            throw TargetFailure("the policy \(user.policy.rawValue) does not let the user \(name) \(lacking)")
        }
        return caller
    }

    private static func input(_ message: [UInt8], _ caller: Caller?) throws(Problem) -> RouteInput {
        guard message.count <= SourceEngine.messageBytesMax, let body = JSONValue(parsing: message) else {
            throw .invalid([.init(field: "", wanted: "JSON of at most \(SourceEngine.messageBytesMax >> 10) KiB")])
        }
        var faults: [Problem.Field] = []
        Self.message.check(body, at: "", into: &faults)
        guard faults.isEmpty else { throw .invalid(faults) }
        return RouteInput(parameters: [:], body: body, caller: caller)
    }
}
