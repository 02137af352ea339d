import Buckets
import Bytes
import Digests
import HTTPServer
import Metadata
import Policies

/// API/CopyObject.
struct CopyObject: S3Operation {
    static let route = OperationRoute(
        name: "CopyObject", method: .put, scope: .object, header: "x-amz-copy-source", action: .putObject,
        mayTakeLong: true)

    struct Input: Sendable {
        var bucket: BucketName
        var key: ObjectKey
        var source: CopySource
        var sourceConditions: ReadConditions
        var conditions: WriteConditions
        /// What the copy says of itself; nil copies the source's.
        var attributes: ObjectAttributes?
        var storageClass: [UInt8]?
        var storageClassIsGiven: Bool
        var redirect: [UInt8]?
        var tags: [Tag]?
        var checksumAlgorithm: DigestAlgorithm?
    }

    struct Output: Sendable {
        var version: ObjectVersion
        var bucketIsVersioned: Bool
        var sourceVersion: VersionID?
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let head = request.head
        try UnservedHeaders.refuse(head)
        guard let text = head.first("x-amz-copy-source") else { throw S3Error(.invalidRequest) }
        let attributes = try ObjectAttributes(head)
        return Input(
            bucket: try request.bucketName(), key: try request.key(), source: try CopySource(text),
            sourceConditions: ReadConditions(copySourceOf: head), conditions: try WriteConditions(head),
            attributes: try replaces(head, "x-amz-metadata-directive") ? attributes : nil,
            storageClass: attributes.storageClass, storageClassIsGiven: head.first("x-amz-storage-class") != nil,
            redirect: attributes.websiteRedirect,
            tags: try replaces(head, "x-amz-tagging-directive") ? request.tagsOfHeader() : nil,
            checksumAlgorithm: try AnnouncedChecksum.read(head, request.query)?.algorithm)
    }

    private static func replaces(_ head: RequestHead, _ directive: StaticString) throws(S3Error) -> Bool {
        guard let text = head.first(directive) else { return false }
        if text.elementsEqual("REPLACE".utf8) { return true }
        if text.elementsEqual("COPY".utf8) { return false }
        throw .invalidArgument(directive.description, text, "Unknown \(directive.description).")
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let target = try await services.bucket(input.bucket)
        let (sourceBucket, source, staged, checksum) = try await services.lookingUpAgain {
            try await copy(input, to: target, as: caller)
        }
        var attributes = input.attributes ?? source.attributes
        attributes.storageClass = input.storageClass
        attributes.websiteRedirect = input.redirect
        let version = try await services.publish(
            staged,
            as: NewVersion(
                bucket: target.id, key: input.key, owner: caller.owner(in: target), size: staged.size,
                etag: ETag(md5: staged.digests[.md5] ?? source.etag.md5), attributes: attributes, checksum: checksum,
                tags: input.tags ?? source.tags, content: .empty, conditions: input.conditions),
            in: target, noting: .createdCopy, by: caller)
        return Output(
            version: version, bucketIsVersioned: target.versioning != .unversioned,
            sourceVersion: sourceBucket.versioning == .unversioned ? nil : source.versionID)
    }

    /// Finds the source and stages its bytes, with the checksum that the copy is to have. Throws `gone` where the source was
    /// replaced or deleted meanwhile.
    private func copy(
        _ input: Input, to target: Bucket, as caller: Caller
    ) async throws -> (bucket: Bucket, version: ObjectVersion, staged: StagedBlob, checksum: Checksum?) {
        let (bucket, source) = try await services.copySource(
            input.source, conditions: input.sourceConditions, as: caller)
        try refuseIdleSelfCopy(input, target, bucket)
        guard source.size <= services.configuration.objectSizeMax else {
            throw S3Error(
                .invalidRequest,
                "The specified copy source is larger than the maximum allowable size for a copy source: \(services.configuration.objectSizeMax)"
            )
        }
        try await services.precheck(input.conditions, of: input.key, in: target)
        let algorithm = input.checksumAlgorithm ?? source.checksum?.algorithm
        let keepsChecksum = source.checksum?.algorithm == algorithm && source.checksum?.kind != .composite
        var digests: DigestSet = .md5
        if let algorithm, !keepsChecksum { digests.insert(DigestSet(algorithm)) }
        let staged = try await services.objects.stageCopy(
            of: source, in: bucket.id, range: nil, digests: digests, allowLink: keepsChecksum || algorithm == nil,
            label: BlobLabel(
                bucket: target.name, key: input.key, contentType: (input.attributes ?? source.attributes).contentType))
        var checksum = source.checksum
        if let algorithm, !keepsChecksum, let value = staged.digests[algorithm] {
            checksum = Checksum(algorithm: algorithm, kind: .fullObject, value: value)
        }
        return (bucket, source, staged, checksum)
    }

    /// A copy onto itself must change something (S3-TRAPS 20); a copy of a named version restores it.
    private func refuseIdleSelfCopy(_ input: Input, _ target: Bucket, _ source: Bucket) throws(S3Error) {
        guard target.id == source.id, input.key == input.source.key, input.source.version == nil else { return }
        if input.attributes == nil, !input.storageClassIsGiven, input.redirect == nil, input.tags == nil,
            input.checksumAlgorithm == nil
        {
            throw S3Error(
                .invalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."
            )
        }
    }

    static func encode(_ output: Output) -> Response {
        var xml = S3Document("CopyObjectResult")
        xml.element("LastModified", DateFormats.iso8601(output.version.modified))
        xml.element("ETag", output.version.etag.quoted)
        if let checksum = output.version.checksum {
            xml.element(checksum.algorithm.elementName, checksum.text)
            xml.element("ChecksumType", checksum.kind.s3Name)
        }
        var response = xml.response()
        if output.bucketIsVersioned { response.headers.add("x-amz-version-id", output.version.versionID.utf8) }
        if let source = output.sourceVersion { response.headers.add("x-amz-copy-source-version-id", source.utf8) }
        return response
    }
}
