import Bytes
import HTTPServer
import Metadata
import Policies

/// API/ListObjectsV2. The continuation token is the last entry of the page before, behind a byte
/// that tells it from other text, in base 64.
struct ListObjectsV2: S3Operation {
    static let route = OperationRoute(
        name: "ListObjectsV2", method: .get, scope: .bucket, parameterValue: ("list-type", "2"), action: .listBucket)

    struct Input: Sendable {
        var bucket: BucketName
        var parameters: ListingParameters
        var startAfter: [UInt8]?
        var token: [UInt8]?
        var tokenText: [UInt8]?
        var showsOwner: Bool
    }

    struct Output: Sendable {
        var input: Input
        var page: ListPage
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    private static let tokenKind: UInt8 = 1

    static func decode(_ request: S3Request) async throws -> Input {
        let query = request.query
        let text = query["continuation-token"]
        var token: [UInt8]?
        if let text, !text.isEmpty {
            guard let decoded = Base64.decode(text), decoded.count > 1, decoded.first == Self.tokenKind else {
                throw S3Error.invalidArgument(
                    "continuation-token", text, "The continuation token provided is incorrect")
            }
            token = [UInt8](decoded.dropFirst())
        }
        return Input(
            bucket: try request.bucketName(), parameters: try ListingParameters(request, limitName: "max-keys"),
            startAfter: query["start-after"], token: token, tokenText: text,
            showsOwner: query["fetch-owner"]?.elementsEqual("true".utf8) ?? false)
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        let after = input.token ?? input.startAfter.flatMap { $0.isEmpty ? nil : $0 }
        let page = try await services.metadata.listObjects(
            ListQuery(
                bucket: bucket.id, prefix: input.parameters.prefix, delimiter: input.parameters.delimiter, after: after,
                limit: input.parameters.limit))
        return Output(input: input, page: page)
    }

    static func encode(_ output: Output) -> Response {
        let input = output.input
        let parameters = input.parameters
        var xml = S3Document("ListBucketResult")
        xml.element("Name", input.bucket.utf8)
        xml.element("Prefix", parameters.written(parameters.prefix))
        if let text = input.tokenText { xml.element("ContinuationToken", text) }
        if output.page.isTruncated, let last = output.page.last {
            xml.element("NextContinuationToken", Base64.encode([Self.tokenKind] + last))
        }
        if let startAfter = input.startAfter { xml.element("StartAfter", parameters.written(startAfter)) }
        xml.element("KeyCount", output.page.objects.count + output.page.commonPrefixes.count)
        xml.element("MaxKeys", parameters.limit)
        if let delimiter = parameters.delimiter { xml.element("Delimiter", parameters.written(delimiter)) }
        if parameters.encodesKeys { xml.element("EncodingType", "url" as StaticString) }
        xml.element("IsTruncated", output.page.isTruncated)
        xml.contents(output.page.objects, parameters, showsOwner: input.showsOwner)
        xml.commonPrefixes(output.page.commonPrefixes, parameters)
        return xml.response()
    }
}
