import Buckets
import Bytes
import Digests
import HTTPServer
import Metadata
import Policies

/// API/PutObject.
struct PutObject: S3Operation {
    static let route = OperationRoute(
        name: "PutObject", method: .put, scope: .object, action: .putObject,
        notes: "without server-side encryption and object lock; ACL fields are taken and grant nothing")

    struct Input: Sendable {
        var bucket: BucketName
        var key: ObjectKey
        var attributes: ObjectAttributes
        var tags: [Tag]
        var conditions: WriteConditions
        var payload: Payload
    }

    struct Output: Sendable {
        var version: ObjectVersion
        var bucketIsVersioned: Bool
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let head = request.head
        try UnservedHeaders.refuse(head)
        return Input(
            bucket: try request.bucketName(), key: try request.key(), attributes: try ObjectAttributes(head),
            tags: try request.tagsOfHeader(), conditions: try WriteConditions(head),
            payload: try Payload(request, defaultDigests: .md5))
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        try input.payload.checkLength(atMost: services.configuration.objectSizeMax)
        try await services.precheck(input.conditions, of: input.key, in: bucket)
        let staged = try await services.objects.stage(
            input.payload.source, digests: input.payload.digests, sizeMax: services.configuration.objectSizeMax,
            label: BlobLabel(
                bucket: bucket.name, key: input.key, contentType: input.attributes.contentType))
        let checksum = try input.payload.verify(size: staged.size, staged.digests)
        let version = try await services.publish(
            staged,
            as: NewVersion(
                bucket: bucket.id, key: input.key, owner: caller.owner(in: bucket), size: staged.size,
                etag: ETag(md5: staged.digests[.md5] ?? []), attributes: input.attributes, checksum: checksum,
                tags: input.tags, content: .empty, conditions: input.conditions),
            in: bucket, noting: .createdPut, by: caller)
        return Output(version: version, bucketIsVersioned: bucket.versioning != .unversioned)
    }

    static func encode(_ output: Output) -> Response {
        var response = Response(status: 200, body: .bytes([]))
        response.headers.add("etag", output.version.etag.quoted)
        if output.bucketIsVersioned { response.headers.add("x-amz-version-id", output.version.versionID.utf8) }
        if let checksum = output.version.checksum { response.headers.add(checksum) }
        response.headers.add("x-amz-object-size", output.version.size)
        return response
    }
}
