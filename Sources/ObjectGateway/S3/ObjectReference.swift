import HTTPServer
import Hooks
import Metadata
import SigV4

/// An object, and a version of it where the request names one.
struct ObjectReference: Sendable {
    var bucket: BucketName
    var key: ObjectKey
    var version: VersionID?

    init(_ request: S3Request) throws(S3Error) {
        bucket = try request.bucketName()
        key = try request.key()
        version = try request.versionID()
    }
}

extension Services {
    /// Replaces an object's tags, with the event of it. Returns the version's id in a bucket that has versions.
    func setTags(
        _ tags: [Tag], of object: ObjectReference, noting name: EventName, by caller: Caller
    ) async throws -> VersionID? {
        let bucket = try await self.bucket(object.bucket)
        var tagged = try await existingVersion(of: object.key, in: bucket, version: object.version)
        tagged.tags = tags
        let version = tagged
        let event = try await event(name, in: bucket, by: caller) { try await self.filtered(version) }
        let changed = try await metadata.setTags(
            tags, of: object.key, in: bucket.id, version: object.version, event: event)
        if event != nil { jobs?.notice() }
        return bucket.versioning == .unversioned ? nil : changed
    }
}

extension S3Request {
    /// The tags of `x-amz-tagging`; none when absent.
    func tagsOfHeader() throws(S3Error) -> [Tag] {
        guard let text = head.first("x-amz-tagging"), !text.isEmpty else { return [] }
        return try TagSet.parse(query: text)
    }

    /// Calls that carry a list in their body need some digest of it (S3-TRAPS 6). A signed body hash counts.
    func requireBodyDigest() throws(S3Error) {
        if head.first("content-md5") != nil { return }
        if try AnnouncedChecksum.read(head, query) != nil { return }
        switch authentication.mode {
        case .sha256: return
        default:
            throw S3Error(
                .invalidRequest, "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
        }
    }
}
