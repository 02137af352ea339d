/// One of the few keys that all clients share, so that many calls meet on each.
struct Key: Sendable, Hashable {
    var bucket: String
    var name: String
    var isVersioned: Bool { bucket == Self.versionedBucket }
    var path: String { "/\(bucket)/\(name)" }

    static let plainBucket = "plain"
    static let versionedBucket = "versioned"

    /// Written by every kind of call.
    static let ordinary = keys("key", 16)
    /// Written by `If-None-Match: *` alone, and deleted.
    static let contested = keys("once", 6)
    /// Targets of copies.
    static let copies = keys("copy", 6)
    /// Targets of multipart uploads.
    static let uploads = keys("multi", 4)
    static let versioned = keys("key", 6, in: versionedBucket)

    static let plain = ordinary + contested + copies + uploads
    static let all = plain + versioned

    private static func keys(_ name: String, _ count: Int, in bucket: String = plainBucket) -> [Key] {
        (0..<count).map { Key(bucket: bucket, name: "\(name)-\($0)") }
    }
}
