import Bytes
import HTTPServer
import Metadata
import Policies

/// API/ListMultipartUploads.
struct ListMultipartUploads: S3Operation {
    static let route = OperationRoute(
        name: "ListMultipartUploads", method: .get, scope: .bucket, parameters: ["uploads"],
        action: .listBucketMultipartUploads)

    struct Input: Sendable {
        var bucket: BucketName
        var parameters: ListingParameters
        var keyMarker: [UInt8]?
        var uploadMarker: UploadID?
    }

    struct Output: Sendable {
        var input: Input
        var page: ListUploadsPage
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let query = request.query
        let keyMarker = query["key-marker"].flatMap { $0.isEmpty ? nil : $0 }
        return Input(
            bucket: try request.bucketName(), parameters: try ListingParameters(request, limitName: "max-uploads"),
            keyMarker: keyMarker,
            uploadMarker: keyMarker == nil ? nil : query["upload-id-marker"].flatMap { UploadID($0) })
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        let page = try await services.metadata.listUploads(
            ListUploadsQuery(
                bucket: bucket.id, prefix: input.parameters.prefix, delimiter: input.parameters.delimiter,
                keyMarker: input.keyMarker, uploadMarker: input.uploadMarker, limit: input.parameters.limit))
        return Output(input: input, page: page)
    }

    static func encode(_ output: Output) -> Response {
        let input = output.input
        let parameters = input.parameters
        var xml = S3Document("ListMultipartUploadsResult")
        xml.element("Bucket", input.bucket.utf8)
        xml.element("KeyMarker", parameters.written(input.keyMarker ?? []))
        xml.element("UploadIdMarker", input.uploadMarker?.utf8 ?? [])
        if let next = output.page.nextKeyMarker { xml.element("NextKeyMarker", parameters.written(next)) }
        if let next = output.page.nextUploadMarker { xml.element("NextUploadIdMarker", next.utf8) }
        xml.element("Prefix", parameters.written(parameters.prefix))
        if let delimiter = parameters.delimiter { xml.element("Delimiter", parameters.written(delimiter)) }
        xml.element("MaxUploads", parameters.limit)
        if parameters.encodesKeys { xml.element("EncodingType", "url" as StaticString) }
        xml.element("IsTruncated", output.page.isTruncated)
        for upload in output.page.uploads {
            xml.open("Upload")
            xml.element("Key", parameters.written(upload.key.utf8))
            xml.element("UploadId", upload.id.utf8)
            xml.owner("Initiator", upload.owner)
            xml.owner("Owner", upload.owner)
            xml.element("StorageClass", upload.attributes.storageClass ?? [UInt8]("STANDARD".utf8))
            xml.element("Initiated", DateFormats.iso8601(upload.initiated))
            if let algorithm = upload.checksumAlgorithm { xml.element("ChecksumAlgorithm", algorithm.s3Name) }
            if let kind = upload.checksumKind { xml.element("ChecksumType", kind.s3Name) }
            xml.close("Upload")
        }
        xml.commonPrefixes(output.page.commonPrefixes, parameters)
        return xml.response()
    }
}
