import Metadata

/// The routes of the control socket, which the `ogw` commands speak to.
enum ControlRoutes {
    private static let user = Schema.object([
        .init("name", .string), .init("access_key", .string),
        .init("policy", .string(choices: CannedPolicy.allCases.map(\.rawValue))),
        .init("customer", .string, required: false), .init("disabled", .boolean), .init("created_at", .string),
    ])
    private static let credentials = Schema.object([
        .init("name", .string), .init("access_key", .string),
        .init("secret_key", .secret(description: "Shown here once.")),
        .init("policy", .string(choices: CannedPolicy.allCases.map(\.rawValue))),
        .init("customer", .string, required: false),
    ])
    private static let bucket = Schema.object([
        .init("name", .string), .init("owner", .string),
        .init("versioning", .string(choices: ["unversioned", "enabled", "suspended"])), .init("assets", .boolean),
        .init("created_at", .string),
    ])

    static func routes(_ administration: Administration) -> [Route] {
        userRoutes(administration) + bucketRoutes(administration) + [presign(administration)]
            + checkRoutes(administration.check) + administration.tokens.routes
    }

    private static func userRoutes(_ administration: Administration) -> [Route] {
        [
            Route(
                .get, "/users", "List the users", access: .owner,
                response: .json(.object([.init("users", .array(of: user))]))
            ) { _ in .json(try await administration.listUsers()) },
            Route(
                .post, "/users", "Add a user", access: .owner,
                request: .object([
                    .init("name", .string), .init("access_key", .string, required: false),
                    .init("secret_key", .secret(description: "Generated where absent."), required: false),
                    .init("policy", .string(choices: CannedPolicy.allCases.map(\.rawValue)), required: false),
                    .init("customer", .string, required: false),
                ]), success: 201, response: .json(credentials)
            ) { input in .json(try await administration.addUser(input.body), status: 201) },
            Route(
                .post, "/users/{name}/disable", "Refuse a user's requests", access: .owner, response: .json(user)
            ) { input in .json(try await administration.setDisabled(true, name: input.parameter("name"))) },
            Route(
                .post, "/users/{name}/enable", "Accept a user's requests again", access: .owner,
                response: .json(user)
            ) { input in .json(try await administration.setDisabled(false, name: input.parameter("name"))) },
            Route(
                .post, "/users/{name}/rotate", "Give a user new keys", access: .owner,
                request: .object([
                    .init("access_key", .string, required: false),
                    .init("secret_key", .secret(description: "Generated where absent."), required: false),
                    .init("new_access_key", .boolean, required: false),
                ]), response: .json(credentials)
            ) { input in .json(try await administration.rotateUser(input.parameter("name"), input.body)) },
        ]
    }

    private static func bucketRoutes(_ administration: Administration) -> [Route] {
        [
            Route(
                .get, "/buckets", "List the buckets", access: .owner,
                response: .json(.object([.init("buckets", .array(of: bucket))]))
            ) { _ in .json(try await administration.listBuckets()) },
            Route(
                .post, "/buckets", "Make a bucket", access: .owner,
                request: .object([
                    .init("name", .string), .init("owner", .string, required: false),
                    .init("versioning", .boolean, required: false),
                ]), success: 201, response: .json(bucket)
            ) { input in .json(try await administration.makeBucket(input.body), status: 201) },
            Route(
                .put, "/buckets/{name}/assets", "Say whether a bucket's objects are assets", access: .owner,
                request: .object([.init("assets", .boolean)]), response: .json(bucket)
            ) { input in .json(try await administration.setAssets(input.parameter("name"), input.body)) },
            Route(
                .post, "/buckets/{name}/assets", "Make assets of the objects that are there", access: .owner,
                request: .object([.init("after", .string, required: false)]),
                response: .json(.object([.init("made", .integer), .init("next", .string, required: false)]))
            ) { input in .json(try await administration.makeAssets(input.parameter("name"), input.body)) },
            Route(
                .delete, "/buckets/{name}", "Remove an empty bucket", access: .owner, success: 204, response: .none
            ) { input in
                try await administration.removeBucket(input.parameter("name"))
                return .empty
            },
        ]
    }

    private static func presign(_ administration: Administration) -> Route {
        Route(
            .post, "/presign", "Make a presigned URL with a user's keys", access: .owner,
            request: .object([
                .init("method", .string(choices: ["GET", "PUT"]), required: false), .init("bucket", .string),
                .init("key", .string), .init("version_id", .string, required: false),
                .init("expires_s", .integer, required: false), .init("user", .string, required: false),
                .init("endpoint", .string, required: false),
            ]), response: .json(.object([.init("url", .string)]))
        ) { input in .json(try await administration.presign(input.body)) }
    }
}
