import HTTPServer

/// Every operation that is served. Routing, the rights asked for, metrics, S3-COMPATIBILITY.md and the generated
/// signature tests all come from this table.
struct OperationTable: Sendable {
    struct Entry: Sendable {
        let route: OperationRoute
        /// The place in `entries`, for metrics.
        let index: Int
        let run: @Sendable (S3Request, Services) async throws -> Response
    }

    static let shared = OperationTable(
        [
            entry(ListBuckets.self),
            entry(CreateBucket.self),
            entry(HeadBucket.self),
            entry(DeleteBucket.self),
            entry(GetBucketLocation.self),
            entry(GetBucketVersioning.self),
            entry(PutBucketVersioning.self),
            entry(GetBucketNotificationConfiguration.self),
            entry(PutBucketNotificationConfiguration.self),
            entry(ListObjects.self),
            entry(ListObjectsV2.self),
            entry(ListObjectVersions.self),
            entry(PutObject.self),
            entry(GetObject.self),
            entry(HeadObject.self),
            entry(DeleteObject.self),
            entry(DeleteObjects.self),
            entry(CopyObject.self),
            entry(GetObjectAttributes.self),
            entry(GetObjectTagging.self),
            entry(PutObjectTagging.self),
            entry(DeleteObjectTagging.self),
            entry(CreateMultipartUpload.self),
            entry(UploadPart.self),
            entry(UploadPartCopy.self),
            entry(ListParts.self),
            entry(CompleteMultipartUpload.self),
            entry(AbortMultipartUpload.self),
            entry(ListMultipartUploads.self),
            entry(GetBucketPolicyStatus.self),
        ] + StoredConfiguration.all.flatMap(\.entries) + UnsetConfiguration.entries)

    let entries: [Entry]
    private let candidates: [[Entry]]

    private init(_ served: [Entry]) {
        entries = served.enumerated().map { Entry(route: $0.element.route, index: $0.offset, run: $0.element.run) }
        var buckets = [[Entry]](
            repeating: [], count: RequestHead.Method.allCases.count * RequestTarget.Scope.allCases.count)
        for entry in entries {
            buckets[Self.slot(entry.route.method, entry.route.scope)].append(entry)
        }
        candidates = buckets.map { $0.sorted { $0.route.specificity > $1.route.specificity } }
    }

    /// The operation that a request asks for. NotImplemented for a subresource that it does not serve, so that none is taken
    /// for the bucket or object itself; MethodNotAllowed for a method that no operation of this scope has.
    func find(_ head: RequestHead, _ target: RequestTarget) throws(S3Error) -> Entry {
        let wanted = target.query.all.map(\.name).filter { name in Self.subresources.contains { $0.matches(name) } }
        let found = candidates[Self.slot(head.method, target.scope)].first { entry in
            entry.route.matches(head, target)
                && wanted.allSatisfy { name in entry.route.parameters.contains { $0.matches(name) } }
        }
        if found == nil, let unserved = wanted.first { throw S3Error(.notImplemented).adding("Header", unserved) }
        if let found {
            // Stored without its upload, a part would be taken for the object.
            if head.method == .put, target.query.contains("partNumber"), found.route.parameters.isEmpty {
                throw S3Error(.invalidRequest, "partNumber needs an uploadId.")
            }
            return found
        }
        throw S3Error(.methodNotAllowed)
            .adding("Method", head.methodBytes)
            .adding("ResourceType", (target.scope == .object ? "OBJECT" : "BUCKET").utf8)
    }

    private static func entry<Operation: S3Operation>(_ operation: Operation.Type) -> Entry {
        Entry(route: Operation.route, index: 0) { request, services in
            let input = try await Operation.decode(request)
            let output = try await Operation(services).run(input, as: request.caller)
            return Operation.encode(output)
        }
    }

    private static func slot(_ method: RequestHead.Method, _ scope: RequestTarget.Scope) -> Int {
        let methods = RequestHead.Method.allCases
        let scopes = RequestTarget.Scope.allCases
        return (methods.firstIndex(of: method) ?? 0) * scopes.count + (scopes.firstIndex(of: scope) ?? 0)
    }

    /// Parameters that name another resource than the bucket or object itself. Without this list `PUT /bucket?policy` would
    /// make a bucket.
    static let subresources: [StaticString] = [
        "abac", "accelerate", "acl", "analytics", "append", "attributes", "cors", "delete", "encryption",
        "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "location", "logging", "metadataConfiguration",
        "metadataTable", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
        "publicAccessBlock", "renameObject", "replication", "requestPayment", "restore", "retention", "select",
        "session",
        "tagging", "torrent", "uploadId", "uploads", "versioning", "versions", "website",
    ]
}
