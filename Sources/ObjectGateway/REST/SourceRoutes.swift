import Bytes
import Hooks
import JSON
import Metadata
import Targets

/// The register of sources: lists that events come from, by name.
struct SourceRoutes: Sendable {
    let sources: SourceEngine
    let users: UserDirectory

    private static let settings = Schema.any(
        description: "{\"url\": ..., \"key\": ..., \"secret\": ..., ...}; without a secret the one that is there stays."
    )
    private static let source = Schema.object([
        .init("name", .string), .init("settings", .any(description: "As they were set, without the secret.")),
        .init("has_secret", .boolean), .init("created_at", .string),
        .init("state", .string(choices: ["idle", "taking", "failing", "elsewhere", "stopped"])),
        .init("waiting", .integer), .init("dead", .integer), .init("taken", .integer), .init("refused", .integer),
        .init("failures", .integer), .init("last_error", .string, required: false),
        .init("last_error_at", .string, required: false), .init("last_taken_at", .string, required: false),
    ])

    var routes: [Route] {
        [
            Route(
                .get, "/api/sources", "List the sources of events, and how they fare", access: .administrator,
                response: .json(.object([.init("sources", .array(of: Self.source))]))
            ) { _ in .json(["sources": .array(try await sources.all().map(Self.describe))]) },
            Route(
                .get, "/api/sources/{source}", "A source of events", access: .administrator,
                response: .json(Self.source)
            ) { input in .json(Self.describe(try await found(try Self.name(input)))) },
            Route(
                .put, "/api/sources/{source}", "Register a source of events, or change it", access: .administrator,
                request: Self.settings, response: .json(Self.source)
            ) { input in .json(try await set(input)) },
            Route(
                .delete, "/api/sources/{source}", "Take no more events from a source", access: .administrator,
                success: 204, response: .none
            ) { input in
                let name = try Self.name(input)
                guard try await sources.remove(name) else { throw Self.absent(name) }
                return .empty
            },
        ]
    }

    private static func name(_ input: RouteInput) throws(Problem) -> TargetName {
        let text = input.parameter("source")
        guard let name = SourceSettings.name(text) else {
            throw .invalid([.init(field: "source", wanted: SourceSettings.nameWanted, value: text)])
        }
        return name
    }

    private static func absent(_ name: TargetName) -> Problem {
        Problem(404, "Not found", "There is no source \(name).")
    }

    private func found(_ name: TargetName) async throws -> SourceEngine.Registered {
        guard let source = try await sources.find(name) else { throw Self.absent(name) }
        return source
    }

    private func set(_ input: RouteInput) async throws -> JSONValue {
        let name = try Self.name(input)
        if let user = input.body["acts_as"]?.string, try await users.user(named: user) == nil {
            throw Problem.invalid([.init(field: "acts_as", wanted: "the name of a user of this store", value: user)])
        }
        do {
            try await sources.set(name, input.body)
        } catch let fault as JSONFault {
            throw HookAdministration.problem([fault])
        } catch MetadataError.limitExceeded(let limit) {
            throw Problem(409, "Conflict", "There are \(limit) already.")
        }
        return Self.describe(try await found(name))
    }

    private static func describe(_ source: SourceEngine.Registered) -> JSONValue {
        let status = source.status
        func moment(_ moment: Timestamp?) -> JSONValue {
            moment.map { .string(String(ascii: DateFormats.iso8601($0))) } ?? .null
        }
        return [
            "name": .string(source.name.description), "settings": source.document,
            "has_secret": .bool(source.hasSecret), "created_at": moment(source.created),
            "state": .string(status.state.rawValue), "waiting": .integer(status.waitingCount),
            "dead": .integer(status.deadCount), "taken": .integer(Int64(clamping: status.takenCount)),
            "refused": .integer(Int64(clamping: status.refusedCount)),
            "failures": .integer(Int64(clamping: status.failureCount)),
            "last_error": status.lastFailure.map { .string($0) } ?? .null,
            "last_error_at": moment(status.lastFailureMoment), "last_taken_at": moment(status.lastTaken),
        ]
    }
}
