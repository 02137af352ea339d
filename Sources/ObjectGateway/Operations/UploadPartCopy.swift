import Buckets
import Bytes
import Digests
import HTTPServer
import Metadata
import Policies

/// API/UploadPartCopy.
struct UploadPartCopy: S3Operation {
    static let route = OperationRoute(
        name: "UploadPartCopy", method: .put, scope: .object, parameters: ["partNumber", "uploadId"],
        header: "x-amz-copy-source", action: .putObject,
        mayTakeLong: true)

    struct Input: Sendable {
        var part: PartReference
        var source: CopySource
        var conditions: ReadConditions
        var range: ByteRange?
    }

    struct Output: Sendable {
        var part: UploadedPart
        var sourceVersion: VersionID?
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let head = request.head
        try UnservedHeaders.refuse(head)
        guard let text = head.first("x-amz-copy-source") else { throw S3Error(.invalidRequest) }
        var range: ByteRange?
        if let rangeText = head.first("x-amz-copy-source-range") {
            // Only first-last is a range here; no suffix, no open end.
            guard let parsed = ByteRange.parse(rangeText), case .from(_, .some) = parsed else {
                throw S3Error.invalidArgument(
                    "x-amz-copy-source-range", rangeText,
                    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
                )
            }
            range = parsed
        }
        return Input(
            part: try PartReference(request), source: try CopySource(text),
            conditions: ReadConditions(copySourceOf: head), range: range)
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let part = input.part
        let bucket = try await services.bucket(part.bucket)
        let upload = try await services.upload(part.upload, of: part.key, in: bucket)
        let (sourceBucket, source, staged) = try await services.lookingUpAgain {
            try await copy(input, into: upload, as: caller)
        }
        let checksum = upload.checksumAlgorithm.flatMap { algorithm in
            staged.digests[algorithm].map { PartChecksum(algorithm: algorithm, value: $0) }
        }
        let stored = try await services.objects.putPart(
            staged, number: part.number, checksum: checksum, upload: upload.id, key: part.key, bucket: bucket.id,
            now: .now())
        return Output(
            part: stored, sourceVersion: sourceBucket.versioning == .unversioned ? nil : source.versionID)
    }

    /// Finds the source and stages the bytes of the range. Throws `gone` where the source was replaced or deleted meanwhile.
    private func copy(
        _ input: Input, into upload: Upload, as caller: Caller
    ) async throws -> (bucket: Bucket, version: ObjectVersion, staged: StagedBlob) {
        let (bucket, source) = try await services.copySource(
            input.source, conditions: input.conditions, as: caller)
        var range: Range<UInt64>?
        if let wanted = input.range {
            guard case .from(_, let last?) = wanted, last < source.size,
                let resolved = wanted.resolve(size: source.size)
            else {
                throw S3Error.invalidArgument(
                    "x-amz-copy-source-range", [],
                    "Range specified is not valid for source object of size: \(source.size)")
            }
            range = resolved
        }
        let size = range.map { $0.upperBound - $0.lowerBound } ?? source.size
        guard size <= services.configuration.objectSizeMax else { throw S3Error(.entityTooLarge) }
        var digests: DigestSet = .md5
        if let algorithm = upload.checksumAlgorithm { digests.insert(DigestSet(algorithm)) }
        let staged = try await services.objects.stageCopy(
            of: source, in: bucket.id, range: range, digests: digests, allowLink: upload.checksumAlgorithm == nil,
            label: BlobLabel(
                bucket: input.part.bucket, key: upload.key, upload: upload.id, partNumber: input.part.number),
            mayBeInline: services.objects.partsMayBeInline)
        return (bucket, source, staged)
    }

    static func encode(_ output: Output) -> Response {
        var xml = S3Document("CopyPartResult")
        xml.element("LastModified", DateFormats.iso8601(output.part.modified))
        xml.element("ETag", ETag(md5: output.part.md5).quoted)
        if let checksum = output.part.checksum {
            xml.element(checksum.algorithm.elementName, Base64.encode(checksum.value))
        }
        var response = xml.response()
        if let source = output.sourceVersion { response.headers.add("x-amz-copy-source-version-id", source.utf8) }
        return response
    }
}
