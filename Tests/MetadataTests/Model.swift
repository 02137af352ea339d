import Metadata

/// What a store should hold for one bucket, kept in the plainest way. The store chooses the ids; the model takes them over.
struct Model {
    struct Version {
        var id: VersionID
        var isMarker: Bool
        var etag: ETag
        var blobs: [BlobID]
        var tags: [Tag] = []
    }

    struct Pending {
        var key: ObjectKey
        var parts: [Int: UploadedPart] = [:]
    }

    var state = VersioningState.unversioned
    /// Newest first.
    var versions: [ObjectKey: [Version]] = [:]
    var uploads: [UploadID: Pending] = [:]
    var garbage: Set<BlobID> = []
    var adopted: Set<BlobID> = []

    /// Nil where there is none or a delete marker.
    func current(_ key: ObjectKey) -> Version? {
        versions[key]?.first.flatMap { $0.isMarker ? nil : $0 }
    }

    mutating func put(_ version: Version, at key: ObjectKey) {
        if version.id == .null { remove(.null, of: key) }
        versions[key, default: []].insert(version, at: 0)
    }

    mutating func remove(_ id: VersionID, of key: ObjectKey) {
        for gone in versions[key, default: []] where gone.id == id { garbage.formUnion(gone.blobs) }
        versions[key]?.removeAll { $0.id == id }
        if versions[key]?.isEmpty == true { versions[key] = nil }
    }

    func isRefused(_ conditions: WriteConditions, at key: ObjectKey) -> MetadataError? {
        let current = current(key)
        if conditions.ifNoneMatch == .any, current != nil { return .preconditionFailed }
        guard case .etags(let etags) = conditions.ifMatch else { return nil }
        guard let current else { return .noSuchKey }
        return etags.contains(current.etag.unquoted) ? nil : .preconditionFailed
    }

    /// What a key is shown as: itself, or what it rolls up into.
    static func entry(_ key: [UInt8], prefix: [UInt8], delimiter: [UInt8]?) -> (name: [UInt8], isPrefix: Bool) {
        guard let delimiter, !delimiter.isEmpty else { return (key, false) }
        var end = prefix.count + delimiter.count
        while end <= key.count {
            if key[..<end].suffix(delimiter.count).elementsEqual(delimiter) { return (Array(key[..<end]), true) }
            end += 1
        }
        return (key, false)
    }

    func list(_ query: ListQuery) -> (keys: [[UInt8]], prefixes: [[UInt8]], isTruncated: Bool) {
        var keys: [[UInt8]] = []
        var prefixes: [[UInt8]] = []
        let live = versions.keys.filter { current($0) != nil && $0.utf8.starts(with: query.prefix) }
        for key in live.sorted().map(\.utf8) {
            if let after = query.after, !after.lexicographicallyPrecedes(key) { continue }
            let entry = Self.entry(key, prefix: query.prefix, delimiter: query.delimiter)
            if entry.isPrefix, entry.name == query.after || prefixes.last == entry.name { continue }
            if keys.count + prefixes.count == query.limit { return (keys, prefixes, query.limit > 0) }
            if entry.isPrefix { prefixes.append(entry.name) } else { keys.append(entry.name) }
        }
        return (keys, prefixes, false)
    }

    var heldBlobs: Set<BlobID> {
        Set(versions.values.flatMap { $0.flatMap(\.blobs) })
            .union(uploads.values.flatMap { $0.parts.values.compactMap(\.blob) })
    }
}
