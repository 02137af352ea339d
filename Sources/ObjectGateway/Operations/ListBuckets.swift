import Bytes
import HTTPServer
import Metadata
import Policies

/// API/ListBuckets.
struct ListBuckets: S3Operation {
    static let route = OperationRoute(name: "ListBuckets", method: .get, scope: .service, action: .listAllMyBuckets)

    struct Input: Sendable {
        var prefix: [UInt8]
        var token: BucketName?
        var limit: Int
        var region: [UInt8]?
    }

    struct Output: Sendable {
        var owner: String
        var prefix: [UInt8]
        var buckets: [Bucket]
        var region: String
        var next: BucketName?
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let query = request.query
        var token: BucketName?
        if let text = query["continuation-token"] {
            guard let name = Base64.decode(text).flatMap({ BucketName($0) }) else {
                throw S3Error.invalidArgument("continuation-token", text, "The continuation token is not valid.")
            }
            token = name
        }
        return Input(
            prefix: query["prefix"] ?? [], token: token,
            limit: try request.number("max-buckets", in: 1...10_000) ?? 10_000,
            region: query["bucket-region"])
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let region = services.configuration.region
        var output = Output(owner: caller.name, prefix: input.prefix, buckets: [], region: region)
        if let wanted = input.region, !wanted.elementsEqual(region.utf8) { return output }
        var found = try await services.metadata.buckets(
            after: input.token, prefix: input.prefix, limit: input.limit + 1)
        if found.count > input.limit {
            found.removeLast(found.count - input.limit)
            output.next = found.last?.name
        }
        output.buckets = found
        return output
    }

    static func encode(_ output: Output) -> Response {
        var xml = S3Document("ListAllMyBucketsResult")
        xml.owner("Owner", output.owner)
        xml.open("Buckets")
        for bucket in output.buckets {
            xml.open("Bucket")
            xml.element("Name", bucket.name.utf8)
            xml.element("CreationDate", DateFormats.iso8601(bucket.created))
            xml.element("BucketRegion", output.region)
            xml.close("Bucket")
        }
        xml.close("Buckets")
        if !output.prefix.isEmpty { xml.element("Prefix", output.prefix) }
        if let next = output.next { xml.element("ContinuationToken", Base64.encode(next.utf8)) }
        return xml.response()
    }
}
