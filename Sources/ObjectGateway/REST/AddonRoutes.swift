import Addons
import Bytes
import HTTPClient
import Hooks
import JSON
import Metadata
import Threads

/// The register of addons: services that steps of hooks call, by name.
struct AddonRoutes: Sendable {
    let addons: AddonRegister
    let jobs: JobEngine
    let metadata: any MetadataStore
    let outbound: OutboundRules
    let pool: Pool

    private static let settings = Schema.any(
        description:
            "{\"driver\": \"http\", \"url\": ..., \"secret\": ..., ...}; without a secret the one that is there stays.")
    private static let addon = Schema.object([
        .init("name", .string), .init("settings", .any(description: "As they were set, without the secret.")),
        .init("has_secret", .boolean), .init("created_at", .string),
    ])
    /// Of a trial, all calls together.
    private static let trialTime = Duration.seconds(60)

    var routes: [Route] {
        [
            Route(
                .get, "/api/addons", "List the addons that hooks may name", access: .administrator,
                response: .json(.object([.init("addons", .array(of: Self.addon))]))
            ) { _ in .json(["addons": .array(try await addons.all().map(Self.describe))]) },
            Route(
                .get, "/api/addons/{addon}", "An addon", access: .administrator, response: .json(Self.addon)
            ) { input in .json(Self.describe(try await found(try Self.name(input)))) },
            Route(
                .put, "/api/addons/{addon}", "Register an addon, or change it", access: .administrator,
                request: Self.settings, response: .json(Self.addon)
            ) { input in .json(try await set(input)) },
            Route(
                .delete, "/api/addons/{addon}", "Remove an addon that nothing names", access: .administrator,
                success: 204, response: .none
            ) { input in
                try await remove(input)
                return .empty
            },
            Route(
                .post, "/api/addons/{addon}/test", "Say whether an addon answers and takes its secret",
                access: .administrator,
                response: .json(
                    .object([
                        .init("name", .string), .init("answered", .boolean), .init("reason", .string, required: false),
                    ]))
            ) { input in .json(try await test(input)) },
        ]
    }

    private static func name(_ input: RouteInput) throws(Problem) -> String {
        let text = input.parameter("addon")
        guard HookName.isName(text) else {
            throw .invalid([.init(field: "addon", wanted: HookName.wanted, value: text)])
        }
        return text
    }

    private static func missing(_ name: String) -> Problem { Problem(404, "Not found", "There is no addon \(name).") }

    private func found(_ name: String) async throws -> AddonRegister.Registered {
        guard let addon = try await addons.find(name) else { throw Self.missing(name) }
        return addon
    }

    private func set(_ input: RouteInput) async throws -> JSONValue {
        let name = try Self.name(input)
        do {
            try await addons.set(name, input.body)
        } catch let fault as JSONFault {
            throw HookAdministration.problem([fault])
        } catch MetadataError.limitExceeded(let limit) {
            throw Problem(409, "Conflict", "There are \(limit) already.")
        }
        return Self.describe(try await found(name))
    }

    private func remove(_ input: RouteInput) async throws {
        let name = try Self.name(input)
        try await jobs.refuseNamed("the addon \(name)", metadata) { $0.addons.contains(name) }
        guard try await addons.remove(name) else { throw Self.missing(name) }
    }

    private func test(_ input: RouteInput) async throws -> JSONValue {
        let name = try Self.name(input)
        guard let credentials = try await addons.credentials(of: name) else { throw Self.missing(name) }
        let settings: AddonSettings
        do throws(JSONFault) { settings = try AddonSettings(reading: credentials.document, at: "") } catch {
            throw HookAdministration.problem([error])
        }
        let session = try HTTPSession.start(connectionsMax: 2)
        let line = AddonLine(
            session: session, pool: pool, outbound: outbound, timeout: settings.timeout,
            deadline: .now + Self.trialTime, isCancelled: { false })
        var reason: JSONValue = .null
        do throws(AddonFailure) {
            try await AddonDrivers().open(settings, secret: credentials.secret, line: line).test()
        } catch {
            reason = .string(error.reason)
        }
        session.close()
        return ["name": .string(name), "answered": .bool(reason == .null), "reason": reason]
    }

    private static func describe(_ addon: AddonRegister.Registered) -> JSONValue {
        [
            "name": .string(addon.name), "settings": addon.document, "has_secret": .bool(addon.hasSecret),
            "created_at": .string(String(ascii: DateFormats.iso8601(addon.created))),
        ]
    }
}
