import Buckets
import Bytes
import HTTPServer
import Hooks
import JSON
import Metadata
import Policies

/// Variants of objects on the services listener: as on the S3 listener, with its callers.
struct VariantRoutes: Sendable {
    let services: Services

    private static let variant = Route.QueryParameter(
        "variant", .string, "The name of a preset of the bucket, with .jpg or the like for one of its formats.")
    private static let statuses: [(status: Int, meaning: String)] = [
        (206, "A range of the variant"), (304, "The client has the variant"),
    ]

    var routes: [Route] {
        [
            Route(
                .get, "/api/buckets/{bucket}/objects/{key}",
                "A variant of an object, whose key is one segment: its slashes are %2F", access: .reader,
                query: [
                    Self.variant,
                    .init("versionId", .string, "Of this version of the object; the latest where absent."),
                ], response: .object, otherStatuses: Self.statuses
            ) { input in try await ofObject(input) },
            Route(
                .get, "/api/assets/{asset_id}/variants/{variant}", "A variant of an asset", access: .reader,
                response: .object, otherStatuses: Self.statuses
            ) { input in try await ofAsset(input) },
        ]
    }

    private func ofObject(_ input: RouteInput) async throws -> RouteAnswer {
        let missing = Problem(404, "Not found", "There is no such object.")
        guard let bucket = BucketName(input.parameter("bucket").utf8), let key = ObjectKey(input.parameter("key").utf8)
        else { throw missing }
        guard let name = input.query["variant"] else {
            throw Problem.invalid([.init(field: "variant", wanted: "the name of a preset")])
        }
        var version: VersionID?
        if let text = input.query["versionId"] {
            guard let named = VersionID(text) else {
                throw Problem.invalid([.init(field: "versionId", wanted: "the id of a version")])
            }
            version = named
        }
        return try await answer(name, of: key, in: bucket, version, input)
    }

    private func ofAsset(_ input: RouteInput) async throws -> RouteAnswer {
        let document: AssetDocument? =
            if let id = AssetID(input.parameter("asset_id").utf8) { try await services.metadata.asset(id) } else { nil }
        guard let document, input.sees(customer: document.asset.customer) else {
            throw Problem(404, "Not found", "There is no such asset.")
        }
        let name = Array(input.parameter("variant").utf8)
        return try await answer(name, of: document.asset.key, in: document.bucket, nil, input)
    }

    private func answer(
        _ name: [UInt8], of key: ObjectKey, in bucket: BucketName, _ version: VersionID?, _ input: RouteInput
    ) async throws -> RouteAnswer {
        guard let head = input.head, let caller = input.caller else {
            throw Problem(501, "Not implemented", "Objects are read over HTTP.")
        }
        do {
            var read = ObjectReadInput(bucket: bucket, key: key, version: version, head: head, query: input.query)
            read.variant = name
            let found = try await services.metadata.bucket(named: bucket)
            let source =
                if let found { try await services.metadata.version(of: key, in: found.id, version: version) } else {
                    nil as ObjectVersion?
                }
            // Another customer's object is none.
            guard let source, input.sees(customer: try await services.jobs?.store.customer(ofUser: source.owner)) else {
                throw S3Error(.noSuchKey)
            }
            try await services.access.check(
                caller, may: version == nil ? .getObject : .getObjectVersion, in: found, key, version: version)
            if head.method == .head {
                return .object(HeadObject.encode(try await HeadObject(services).run(read, as: caller)))
            }
            return .object(GetObject.encode(try await GetObject(services).run(read, as: caller)))
        } catch {
            throw Problem(S3Error(mapping: error))
        }
    }
}

extension Problem {
    /// What the S3 listener would have said.
    init(_ error: S3Error) { self.init(error.code.status, error.code.rawValue, error.message) }
}
