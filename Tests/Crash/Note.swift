import CrashHistory

/// What one call says of one key, before all answers are known.
struct Note: Sendable {
    var key: Key
    var start: UInt64
    /// `UInt64.max` for an unknown outcome.
    var end: UInt64
    var fact: Fact

    enum Fact: Sendable {
        case action(Call.Action)
        /// The latest version has these bytes: from a listing, or the source of a copy.
        case etag(String)
        /// The versions that a listing under load shows, the newest first.
        case versions([ListedVersion])
    }
}

struct ListedVersion: Sendable, Equatable {
    var key: String
    var versionID: String
    var isMarker: Bool
    var isLatest: Bool
    /// Empty for a marker.
    var etag: String
    var size: Int
}
