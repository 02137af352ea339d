import HTTPServer
import Metadata
import Policies

/// A configuration of a bucket that is one document: set by PUT, answered as it is kept by GET, removed by DELETE.
struct StoredConfiguration: Sendable {
    let entries: [OperationTable.Entry]

    /// An operation as AWS names it, and the right that it asks for.
    private struct Verb {
        var name: StaticString
        var action: Action

        init(_ name: StaticString, _ action: Action) { (self.name, self.action) = (name, action) }
    }

    /// Reads what a client sends for a bucket; throws S3's errors for what is refused. Returns what is kept.
    private typealias Reading = @Sendable (S3Request, Bucket, Services) async throws -> [UInt8]

    /// Answers a GET with what is kept; nil where nothing is.
    private typealias Writing = @Sendable ([UInt8]?, Services) throws -> [UInt8]?

    /// `absent` answers a GET where nothing is kept. `removed` is kept after a DELETE: nil for nothing.
    private init(
        _ kind: BucketConfiguration.Kind, _ parameter: StaticString, put: Verb, get: Verb, delete: Verb,
        putStatus: Int = 200, contentType: StaticString = "application/xml", absent: S3ErrorCode,
        removed: [UInt8]? = nil,
        write: @escaping Writing = { document, _ in document }, read: @escaping Reading
    ) {
        func entry(
            _ method: RequestHead.Method, _ verb: Verb,
            _ run: @escaping @Sendable (S3Request, Bucket, Services) async throws -> Response
        ) -> OperationTable.Entry {
            let route = OperationRoute(
                name: verb.name, method: method, scope: .bucket, parameters: [parameter], action: verb.action)
            return OperationTable.Entry(route: route, index: 0) { request, services in
                try await run(request, try await services.bucket(try request.bucketName()), services)
            }
        }
        entries = [
            entry(.put, put) { request, bucket, services in
                let document = try await read(request, bucket, services)
                try await services.metadata.configure(bucket.id, kind, with: document)
                return Response(status: putStatus, body: .bytes([]))
            },
            entry(.get, get) { _, bucket, services in
                guard let document = try write(bucket.configuration[kind], services) else {
                    throw S3Error(absent).adding("BucketName", bucket.name.utf8)
                }
                var response = Response(status: 200, body: .bytes(document))
                response.headers.add("content-type", text: contentType)
                return response
            },
            entry(.delete, delete) { _, bucket, services in
                try await services.metadata.configure(bucket.id, kind, with: removed)
                return Response(status: 204)
            },
        ]
    }

    static let all: [StoredConfiguration] = [
        .init(
            .tags, "tagging", put: Verb("PutBucketTagging", .putBucketTagging),
            get: Verb("GetBucketTagging", .getBucketTagging), delete: Verb("DeleteBucketTagging", .putBucketTagging),
            putStatus: 204, absent: .noSuchTagSet
        ) { request, _, _ in
            TagSet.document(try TagSet.parse(try await request.readXML(sizeMax: 256 << 10), of: .bucket)).finish()
        },
        .init(
            .cors, "cors", put: Verb("PutBucketCors", .putBucketCORS), get: Verb("GetBucketCors", .getBucketCORS),
            delete: Verb("DeleteBucketCors", .putBucketCORS), absent: .noSuchCORSConfiguration
        ) { request, _, _ in
            try CORSConfiguration(try await request.readXML(sizeMax: 64 << 10)).document.finish()
        },
        .init(
            .policy, "policy", put: Verb("PutBucketPolicy", .putBucketPolicy),
            get: Verb("GetBucketPolicy", .getBucketPolicy), delete: Verb("DeleteBucketPolicy", .deleteBucketPolicy),
            putStatus: 204, contentType: "application/json", absent: .noSuchBucketPolicy
        ) { request, bucket, services in try await readPolicy(request, bucket, services) },
        .init(
            .publicAccessBlock, "publicAccessBlock", put: Verb("PutPublicAccessBlock", .putBucketPublicAccessBlock),
            get: Verb("GetPublicAccessBlock", .getBucketPublicAccessBlock),
            delete: Verb("DeletePublicAccessBlock", .putBucketPublicAccessBlock),
            absent: .noSuchPublicAccessBlockConfiguration, removed: [],
            write: { document, services in
                guard let document else {
                    return services.configuration.blocksPublicAccess
                        ? PublicAccessDocument.document(.blocked).finish() : nil
                }
                return document.isEmpty ? nil : document
            }
        ) { request, _, _ in
            PublicAccessDocument.document(try PublicAccessDocument.read(try await request.readXML(sizeMax: 16 << 10)))
                .finish()
        },
    ]

    /// Kept as it was sent.
    private static func readPolicy(
        _ request: S3Request, _ bucket: Bucket, _ services: Services
    ) async throws -> [UInt8] {
        // Some room more, so that a policy that is too long is told so.
        let text = try await request.readBody(sizeMax: 4 * PolicyDocument.sizeMax)
        let document: PolicyDocument
        do {
            document = try PolicyDocument(parsing: text, for: .bucket(bucket.name.utf8))
        } catch {
            throw S3Error(.malformedPolicy, error.message).adding("Detail", error.place.utf8)
        }
        guard let policy = CompiledPolicy(document) else { throw S3Error(.malformedPolicy) }
        if policy.isPublic, services.access.publicAccess(of: bucket).blocksPublicPolicy {
            throw S3Error(
                .accessDenied,
                "User: \(request.caller.name) is not authorized to perform: s3:PutBucketPolicy, because public policies are blocked by the BlockPublicPolicy setting in S3 Block Public Access."
            )
        }
        return text
    }
}
