import JSON

/// The routes to the hooks of buckets.
struct HookRoutes: Sendable {
    let administration: HookAdministration

    private static let configuration = Schema.any(
        description:
            "The hooks of a bucket: {\"presets\": {...}, \"on_demand\": [...], \"probe\": true, \"hooks\": [...]}.")
    private static let revision: [Route.QueryParameter] = [
        .init("revision", .integer, "Only where this revision is the present one; 0 for none. 409 otherwise.")
    ]
    private static let changed = Schema.object([.init("bucket", .string), .init("revision", .integer)])

    var routes: [Route] {
        let hooks = administration
        return [
            Route(
                .get, "/api/buckets/{bucket}/hooks", "The hooks of a bucket", access: .administrator,
                response: .json(
                    .object([
                        .init("bucket", .string), .init("revision", .integer),
                        .init("configuration", Self.configuration),
                        .init(
                            "built_in", .array(of: .object([.init("name", .string), .init("enabled", .boolean)]))),
                    ]))
            ) { input in .json(try await hooks.get(input)) },
            Route(
                .put, "/api/buckets/{bucket}/hooks", "Replace the hooks of a bucket", access: .administrator,
                query: Self.revision, request: Self.configuration, response: .json(Self.changed)
            ) { input in .json(try await hooks.set(input)) },
            Route(
                .delete, "/api/buckets/{bucket}/hooks", "Take the hooks of a bucket away", access: .administrator,
                query: Self.revision, response: .json(Self.changed)
            ) { input in .json(try await hooks.remove(input)) },
            Route(
                .post, "/api/buckets/{bucket}/hooks/validate", "Say all that is wrong with hooks",
                access: .administrator, request: Self.configuration,
                response: .json(
                    .object([
                        .init("valid", .boolean),
                        .init(
                            "faults",
                            .array(
                                of: .object([
                                    .init("path", .string), .init("value", .string, required: false),
                                    .init("wanted", .string),
                                ]))),
                    ]))
            ) { input in .json(try await hooks.validate(input)) },
            Route(
                .post, "/api/buckets/{bucket}/hooks/dry-run", "Say which hooks an event would set off",
                access: .administrator,
                request: .object([
                    .init("key", .string), .init("event", .string, required: false),
                    .init("content_type", .string, required: false), .init("size", .integer, required: false),
                    .init("customer", .string, required: false),
                    .init("tags", .map(of: .string), required: false),
                    .init("configuration", Self.configuration, required: false),
                ]), response: .json(Self.trial)
            ) { input in .json(try await hooks.dryRun(input)) },
            Route(
                .post, "/api/buckets/{bucket}/hooks/backfill",
                "Run hooks for the next objects that are there already", access: .administrator,
                request: .object([
                    .init("hook", .string, required: false), .init("prefix", .string, required: false),
                    .init("after", .string, required: false),
                ]),
                response: .json(
                    .object([
                        .init("scanned", .integer), .init("made", .integer), .init("next", .string, required: false),
                    ]))
            ) { input in .json(try await hooks.backfill(input)) },
            Route(
                .post, "/api/buckets/{bucket}/hooks/replay", "Run hooks again for the next kept events",
                access: .administrator,
                request: .object([
                    .init("since", .string), .init("hook", .string, required: false),
                    .init("after", .integer, required: false), .init("through", .integer, required: false),
                ]),
                response: .json(
                    .object([
                        .init("scanned", .integer), .init("made", .integer), .init("through", .integer),
                        .init("next", .integer, required: false),
                    ]))
            ) { input in .json(try await hooks.replay(input)) },
            Route(
                .post, "/api/events", "Tell the hooks of an object that something happened to it", access: .editor,
                request: HookAdministration.message, success: 202,
                response: .json(.object([.init("hooks", .array(of: .string))]))
            ) { input in .json(try await hooks.tell(input), status: 202) },
        ]
    }

    private static let trial = Schema.object([
        .init("event", .string), .init("is_there", .boolean),
        .init(
            "object",
            .object([
                .init("key", .string), .init("size", .integer), .init("content_type", .string, required: false),
                .init("type", .string), .init("customer", .string, required: false), .init("tags", .map(of: .string)),
            ])),
        .init(
            "hooks",
            .array(
                of: .object([
                    .init("name", .string), .init("runs", .boolean), .init("reason", .string, required: false),
                    .init("queue", .string),
                    .init(
                        "steps",
                        .array(
                            of: .object([
                                .init("name", .string), .init("kind", .string),
                                .init("after", .string, required: false),
                            ]))), .init("notify", .array(of: .string)),
                ]))),
    ])
}
