import Bytes
import HTTPServer
import Metadata
import Policies

/// API/ListParts.
struct ListParts: S3Operation {
    static let route = OperationRoute(
        name: "ListParts", method: .get, scope: .object, parameters: ["uploadId"], action: .listMultipartUploadParts)

    struct Input: Sendable {
        var bucket: BucketName
        var key: ObjectKey
        var upload: UploadID
        var after: Int
        var limit: Int
    }

    struct Output: Sendable {
        var input: Input
        var upload: Upload
        var parts: [UploadedPart]
        var isTruncated: Bool
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        Input(
            bucket: try request.bucketName(), key: try request.key(), upload: try request.uploadID(),
            after: try request.number("part-number-marker", in: 0...Int(Int32.max)) ?? 0,
            limit: min(1000, try request.number("max-parts", in: 0...Int(Int32.max)) ?? 1000))
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        let upload = try await services.upload(input.upload, of: input.key, in: bucket)
        var parts = try await services.metadata.parts(of: input.upload, after: input.after, limit: input.limit + 1)
        let isTruncated = parts.count > input.limit && input.limit > 0
        parts.removeLast(max(0, parts.count - input.limit))
        return Output(input: input, upload: upload, parts: parts, isTruncated: isTruncated)
    }

    static func encode(_ output: Output) -> Response {
        let input = output.input
        var xml = S3Document("ListPartsResult")
        xml.element("Bucket", input.bucket.utf8)
        xml.element("Key", input.key.utf8)
        xml.element("UploadId", input.upload.utf8)
        xml.owner("Initiator", output.upload.owner)
        xml.owner("Owner", output.upload.owner)
        xml.element("StorageClass", output.upload.attributes.storageClass ?? [UInt8]("STANDARD".utf8))
        xml.element("PartNumberMarker", input.after)
        xml.element("NextPartNumberMarker", output.parts.last?.number ?? 0)
        xml.element("MaxParts", input.limit)
        xml.element("IsTruncated", output.isTruncated)
        if let algorithm = output.upload.checksumAlgorithm { xml.element("ChecksumAlgorithm", algorithm.s3Name) }
        if let kind = output.upload.checksumKind { xml.element("ChecksumType", kind.s3Name) }
        for part in output.parts {
            xml.open("Part")
            xml.element("PartNumber", part.number)
            xml.element("LastModified", DateFormats.iso8601(part.modified))
            xml.element("ETag", ETag(md5: part.md5).quoted)
            xml.element("Size", part.size)
            if let checksum = part.checksum {
                xml.element(checksum.algorithm.elementName, Base64.encode(checksum.value))
            }
            xml.close("Part")
        }
        return xml.response()
    }
}
