import Bytes
import JSON
import Threads

/// The routes of the control socket by which `ogw worker-token` changes who may work.
struct WorkerTokenRoutes: Sendable {
    let tokens: WorkerTokens
    let pool: Pool

    private static let token = Schema.object([.init("name", .string), .init("created_at", .string)])

    var routes: [Route] {
        [
            Route(
                .get, "/worker-tokens", "List the tokens of workers, by name", access: .owner,
                response: .json(.object([.init("tokens", .array(of: Self.token))]))
            ) { _ in
                let entries = try pool.blocking { try tokens.entries() }
                return .json([
                    "tokens": .array(
                        entries.map {
                            [
                                "name": .string($0.name),
                                "created_at": .string(String(ascii: DateFormats.iso8601($0.created))),
                            ]
                        })
                ])
            },
            Route(
                .post, "/worker-tokens", "Make a token for workers", access: .owner,
                request: .object([.init("name", .string)]), success: 201,
                response: .json(
                    .object([.init("name", .string), .init("token", .secret(description: "Shown here once."))]))
            ) { input in
                let name = input.body["name"]?.string ?? ""
                let token = try pool.blocking { try tokens.add(name, at: .now()) }
                return .json(["name": .string(name), "token": .string(token)], status: 201)
            },
            Route(
                .delete, "/worker-tokens/{name}", "Refuse a token from now on", access: .owner, success: 204,
                response: .none
            ) { input in
                try pool.blocking { try tokens.remove(input.parameter("name")) }
                return .empty
            },
        ]
    }
}
