import JSON
import Threads

/// The routes of the services listener.
enum ServicesRoutes {
    /// `store` are those that need an open store.
    static func table(
        metrics: Metrics, readiness: Readiness, log: Log, pool: Pool, publicURL: String, version: String,
        store: [Route] = [], authenticator: ServicesAuthenticator? = nil, elsewhere: Problem? = nil
    ) -> RouteTable {
        func make(document: JSONValue) -> [Route] {
            routes(
                metrics: metrics, readiness: readiness, pool: pool, publicURL: publicURL, version: version,
                document: document) + store
        }
        let document = OpenAPIDocument.make(
            of: make(document: .null), title: "ObjectGateway services", version: version, server: "/")
        let all = make(document: document)
        guard let elsewhere else { return RouteTable(all, log: log, authenticator: authenticator) }
        return RouteTable(all, log: log, authenticator: authenticator, elsewhere: elsewhere)
    }

    private static func routes(
        metrics: Metrics, readiness: Readiness, pool: Pool, publicURL: String, version: String, document: JSONValue
    ) -> [Route] {
        [
            Route(
                .get, "/", "What this listener offers", access: .anyone,
                response: .json(
                    .object([
                        .init("name", .string), .init("version", .string), .init("s3", .string),
                        .init("links", .map(of: .string)),
                    ]))
            ) { _ in
                .json([
                    "name": "ObjectGateway", "version": .string(version), "s3": .string(publicURL),
                    "links": [
                        "live": "/health/live", "ready": "/health/ready", "metrics": "/metrics",
                        "openapi": "/openapi.json",
                    ],
                ])
            },
            Route(
                .get, "/health/live", "Whether the process answers", access: .anyone,
                response: .json(.object([.init("status", .string(choices: ["live"]))]))
            ) { _ in .json(["status": "live"]) },
            Route(
                .get, "/health/ready", "Whether the gateway can serve, by check", access: .anyone,
                response: .json(Readiness.schema), otherStatuses: [(503, "Not ready")]
            ) { _ in await readiness.answer() },
            Route(
                .get, "/metrics", "Metrics in the Prometheus text format", access: .anyone,
                response: .text("text/plain")
            ) { _ in
                .text(
                    pool.blocking { metrics.render() }, contentType: "text/plain; version=0.0.4; charset=utf-8")
            },
            Route(
                .get, "/openapi.json", "This listener's OpenAPI document", access: .anyone,
                response: .json(.map(of: .object([])))
            ) { _ in .json(document) },
        ]
    }
}
