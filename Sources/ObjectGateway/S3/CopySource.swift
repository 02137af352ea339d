import Bytes
import HTTPServer
import Metadata
import Policies

/// `x-amz-copy-source`: `[/]bucket/key[?versionId=id]`, percent-decoded exactly once (S3-TRAPS 19). A plus sign is a
/// space, as on AWS: s5cmd writes it so, and a key's own plus sign comes as `%2B`.
struct CopySource: Sendable, Equatable {
    var bucket: BucketName
    var key: ObjectKey
    var version: VersionID?

    init(_ text: ArraySlice<UInt8>) throws(S3Error) {
        let malformed = S3Error.invalidArgument(
            "x-amz-copy-source", text, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
        var path = text
        if let mark = Self.versionMark(in: text) {
            path = text[..<mark]
            let id = text[(mark + Self.versionPrefix.count)...]
            guard let version = VersionID(id) else {
                throw .invalidArgument("versionId", id, "Invalid version id specified")
            }
            self.version = version
        }
        guard let decoded = PercentEncoding.decode(path, plusIsSpace: true) else { throw malformed }
        var rest = decoded[...]
        if rest.first == Ascii.slash { rest = rest.dropFirst() }
        guard let slash = rest.firstIndex(of: Ascii.slash) else { throw malformed }
        guard let bucket = BucketName(rest[..<slash]), let key = ObjectKey(rest[(slash + 1)...]) else {
            throw malformed
        }
        (self.bucket, self.key) = (bucket, key)
    }

    private static let versionPrefix = [UInt8]("?versionId=".utf8)

    /// Where the last `?versionId=` begins; a `?` of the key itself is percent-encoded.
    private static func versionMark(in text: ArraySlice<UInt8>) -> Int? {
        guard text.count >= versionPrefix.count else { return nil }
        var place = text.endIndex - versionPrefix.count
        while place >= text.startIndex {
            if text[place..<(place + versionPrefix.count)].elementsEqual(versionPrefix) { return place }
            place -= 1
        }
        return nil
    }
}

extension Services {
    /// The version that a copy reads, with read access and the conditions checked.
    func copySource(
        _ source: CopySource, conditions: ReadConditions, as caller: Caller
    ) async throws -> (bucket: Bucket, version: ObjectVersion) {
        let known = try await metadata.bucket(named: source.bucket)
        try await access.check(
            caller, may: source.version == nil ? .getObject : .getObjectVersion, in: known, source.key,
            version: source.version)
        let bucket = try await self.bucket(source.bucket)
        let version: ObjectVersion
        do {
            version = try await existingVersion(of: source.key, in: bucket, version: source.version)
        } catch let error as S3Error where error.code == .methodNotAllowed {
            throw S3Error(
                .invalidRequest,
                "The source of a copy request may not specifically refer to a delete marker by version id.")
        } catch let error as S3Error {
            throw try await masked(error, from: caller, in: source.bucket)
        }
        guard case .proceed = conditions.judge(version, now: .now()) else { throw S3Error(.preconditionFailed) }
        return (bucket, version)
    }
}
