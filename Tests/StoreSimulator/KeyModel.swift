import Bytes

@testable import Metadata

/// What the keys of one bucket hold, by the plain rules of S3.
struct KeyModel {
    struct Version: Equatable {
        /// Nil for one that was not answered.
        var id: VersionID?
        var isNull: Bool
        /// Names the content; 0 for a delete marker.
        var content: UInt64
        var tags: [Tag] = []
    }

    struct Upload: Equatable {
        var key: ObjectKey
        /// What each part holds.
        var parts: [Int: UInt64]
    }

    var state = VersioningState.unversioned
    /// Newest first; keys without versions are missing.
    var versions: [ObjectKey: [Version]] = [:]
    /// Those that are open.
    var uploads: [UploadID: Upload] = [:]

    /// What the store holds after `mutation`. `answer` is what the caller was told, nil where it was told nothing.
    mutating func apply(_ mutation: Mutation, _ answer: Answer?) {
        switch mutation {
        case .setVersioning(let state, _): self.state = state
        case .publish(let new):
            if new.conditions.ifNoneMatch != nil, let latest = versions[new.key]?.first, latest.content != 0 { return }
            var id: VersionID?
            if case .version(let version)? = answer { id = version.versionID }
            put(Version(id: id, isNull: state != .enabled, content: Content.number(of: new.etag)), at: new.key)
        case .delete(let request):
            if let named = request.version {
                versions[request.key]?.removeAll { $0.id == named || ($0.isNull && named == .null) }
            } else if state == .unversioned {
                versions[request.key]?.removeAll { $0.isNull }
            } else {
                var id: VersionID?
                if case .deleted(let result)? = answer { id = result.versionID }
                put(Version(id: id, isNull: state != .enabled, content: 0), at: request.key)
            }
            if versions[request.key]?.isEmpty == true { versions[request.key] = nil }
        case .setTags(let tags, let key, _, _, _):
            guard let latest = versions[key]?.first, latest.content != 0 else { return }
            versions[key]?[0].tags = tags
        case .createUpload(let new): uploads[new.id] = Upload(key: new.key, parts: [:])
        case .putPart(let part, _, let id, _, _):
            uploads[id]?.parts[part.number] = Content.number(of: ETag(md5: part.md5))
        case .abortUpload(let id, _, _): uploads[id] = nil
        case .completeUpload(let request):
            guard let upload = uploads[request.upload],
                request.parts.allSatisfy({
                    upload.parts[$0.number].map { Content.etag($0).md5 } == $0.md5
                })
            else { return }
            uploads[request.upload] = nil
            var id: VersionID?
            if case .version(let version)? = answer { id = version.versionID }
            put(Version(id: id, isNull: state != .enabled, content: Content.number(of: request.etag)), at: upload.key)
        default: break
        }
    }

    private mutating func put(_ version: Version, at key: ObjectKey) {
        if version.isNull { versions[key]?.removeAll { $0.isNull } }
        versions[key, default: []].insert(version, at: 0)
    }

    /// Whether both hold the same, ids apart that one of them does not know.
    func matches(_ other: KeyModel) -> Bool {
        guard uploads == other.uploads, versions.count == other.versions.count else { return false }
        for (key, own) in versions {
            guard let others = other.versions[key], own.count == others.count else { return false }
            for (a, b) in zip(own, others) {
                guard a.isNull == b.isNull, a.content == b.content, a.tags == b.tags,
                    a.id == nil || b.id == nil || a.id == b.id
                else { return false }
            }
        }
        return true
    }
}

/// The bytes of an object follow from a number, which its ETag carries.
enum Content {
    static func etag(_ number: UInt64) -> ETag {
        ETag(
            md5: [UInt8](repeating: 0, count: 8)
                + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) })
    }

    static func number(of etag: ETag) -> UInt64 { etag.md5.suffix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    static func bytes(_ number: UInt64) -> [UInt8] {
        let length = Int(number &* 0x9E37_79B9_7F4A_7C15 >> 40) % 1_800
        return (0..<max(1, length)).map { UInt8(truncatingIfNeeded: (number &+ UInt64($0)) &* 0x0101_0193) }
    }
}
