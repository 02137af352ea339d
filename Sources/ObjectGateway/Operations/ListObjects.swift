import HTTPServer
import Metadata
import Policies

/// API/ListObjects: the first form, with a marker.
struct ListObjects: S3Operation {
    static let route = OperationRoute(name: "ListObjects", method: .get, scope: .bucket, action: .listBucket)

    struct Input: Sendable {
        var bucket: BucketName
        var parameters: ListingParameters
        var marker: [UInt8]
    }

    struct Output: Sendable {
        var input: Input
        var page: ListPage
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        Input(
            bucket: try request.bucketName(), parameters: try ListingParameters(request, limitName: "max-keys"),
            marker: request.query["marker"] ?? [])
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        let page = try await services.metadata.listObjects(
            ListQuery(
                bucket: bucket.id, prefix: input.parameters.prefix, delimiter: input.parameters.delimiter,
                after: input.marker.isEmpty ? nil : input.marker, limit: input.parameters.limit))
        return Output(input: input, page: page)
    }

    static func encode(_ output: Output) -> Response {
        let parameters = output.input.parameters
        var xml = S3Document("ListBucketResult")
        xml.element("Name", output.input.bucket.utf8)
        xml.element("Prefix", parameters.written(parameters.prefix))
        xml.element("Marker", parameters.written(output.input.marker))
        if output.page.isTruncated, parameters.delimiter != nil, let last = output.page.last {
            xml.element("NextMarker", parameters.written(last))
        }
        xml.element("MaxKeys", parameters.limit)
        if let delimiter = parameters.delimiter { xml.element("Delimiter", parameters.written(delimiter)) }
        if parameters.encodesKeys { xml.element("EncodingType", "url" as StaticString) }
        xml.element("IsTruncated", output.page.isTruncated)
        xml.contents(output.page.objects, parameters, showsOwner: true)
        xml.commonPrefixes(output.page.commonPrefixes, parameters)
        return xml.response()
    }
}
