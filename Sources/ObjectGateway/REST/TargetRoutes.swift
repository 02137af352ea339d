import Bytes
import Hooks
import JSON
import Metadata
import Targets

/// The register of targets: receivers of events, by name.
struct TargetRoutes: Sendable {
    let targets: TargetEngine
    let jobs: JobEngine
    let metadata: any MetadataStore

    private static let settings = Schema.any(
        description: "{\"url\": ..., \"secret\": ..., ...}; without a secret the one that is there stays.")
    private static let target = Schema.object([
        .init("name", .string), .init("settings", .any(description: "As they were set, without the secret.")),
        .init("has_secret", .boolean), .init("created_at", .string),
        .init("state", .string(choices: ["idle", "delivering", "failing", "elsewhere", "stopped"])),
        .init("pending", .integer),
        .init("has_more", .boolean), .init("oldest_pending_at", .string, required: false),
        .init("last_error", .string, required: false), .init("last_error_at", .string, required: false),
        .init("last_delivery_at", .string, required: false), .init("delivered", .integer),
        .init("failures", .integer), .init("dropped", .integer),
    ])

    var routes: [Route] {
        [
            Route(
                .get, "/api/targets", "List the targets of events, and how they fare", access: .administrator,
                response: .json(.object([.init("targets", .array(of: Self.target))]))
            ) { _ in .json(try await list()) },
            Route(
                .get, "/api/targets/{target}", "A target of events", access: .administrator,
                response: .json(Self.target)
            ) { input in .json(try await show(input)) },
            Route(
                .put, "/api/targets/{target}", "Register a target of events, or change it", access: .administrator,
                request: Self.settings, response: .json(Self.target)
            ) { input in .json(try await set(input)) },
            Route(
                .delete, "/api/targets/{target}", "Remove a target of events that nothing names",
                access: .administrator, success: 204, response: .none
            ) { input in
                try await remove(input)
                return .empty
            },
            Route(
                .post, "/api/targets/{target}/test", "Send a test message to a target", access: .administrator,
                response: .json(
                    .object([
                        .init("name", .string), .init("delivered", .boolean),
                        .init("reason", .string, required: false),
                    ]))
            ) { input in .json(try await test(input)) },
        ]
    }

    private static func name(_ input: RouteInput) throws(Problem) -> TargetName {
        let text = input.parameter("target")
        guard let name = TargetName(text) else {
            throw .invalid([.init(field: "target", wanted: TargetName.wanted, value: text)])
        }
        return name
    }

    private func found(_ name: TargetName) async throws -> TargetEngine.Registered {
        guard let target = try await targets.find(name) else {
            throw Problem(404, "Not found", "There is no target \(name).")
        }
        return target
    }

    private func list() async throws -> JSONValue {
        ["targets": .array(try await targets.all().map(Self.describe))]
    }

    private func show(_ input: RouteInput) async throws -> JSONValue {
        Self.describe(try await found(try Self.name(input)))
    }

    private func set(_ input: RouteInput) async throws -> JSONValue {
        let name = try Self.name(input)
        do {
            try await targets.set(name, input.body)
        } catch let fault as JSONFault {
            throw HookAdministration.problem([fault])
        } catch MetadataError.limitExceeded(let limit) {
            throw Problem(409, "Conflict", "There are \(limit) already.")
        }
        return Self.describe(try await found(name))
    }

    private func remove(_ input: RouteInput) async throws {
        let name = try Self.name(input)
        try await jobs.refuseNamed("\(name)", metadata) { $0.targets.contains(name.description) }
        guard try await targets.remove(name) else { throw Problem(404, "Not found", "There is no target \(name).") }
    }

    private func test(_ input: RouteInput) async throws -> JSONValue {
        let name = try Self.name(input)
        guard let delivery = try await targets.test(name) else {
            throw Problem(404, "Not found", "There is no target \(name).")
        }
        return [
            "name": .string(name.description), "delivered": .bool(delivery.failure == nil),
            "reason": delivery.failure.map { .string($0.reason) } ?? .null,
        ]
    }

    private static func describe(_ target: TargetEngine.Registered) -> JSONValue {
        let status = target.status
        func moment(_ moment: Timestamp?) -> JSONValue {
            moment.map { .string(String(ascii: DateFormats.iso8601($0))) } ?? .null
        }
        return [
            "name": .string(target.name.description), "settings": target.document,
            "has_secret": .bool(target.hasSecret), "created_at": moment(target.created),
            "state": .string(status.state.rawValue), "pending": .integer(Int64(status.pendingCount)),
            "has_more": .bool(status.hasMore), "oldest_pending_at": moment(status.oldestPending),
            "last_error": status.lastFailure.map { .string($0) } ?? .null,
            "last_error_at": moment(status.lastFailureMoment), "last_delivery_at": moment(status.lastDelivery),
            "delivered": .integer(Int64(clamping: status.deliveredCount)),
            "failures": .integer(Int64(clamping: status.failureCount)), "dropped": .integer(status.droppedCount),
        ]
    }
}
