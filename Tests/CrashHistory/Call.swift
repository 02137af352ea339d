/// Numbers the writes, the delete markers and the tag sets of a run; never given twice.
public typealias EntryID = Int

/// What one call did to one key, or saw of it.
public struct Call: Sendable, Equatable {
    /// Nanoseconds; the effect lies between `start` and `end`.
    public var start: UInt64
    /// `UInt64.max` where nobody knows whether the call had an effect: then it had it at any time after `start`, or never.
    public var end: UInt64
    public var action: Action

    public init(start: UInt64, end: UInt64, action: Action) {
        self.start = start
        self.end = end
        self.action = action
    }

    public var isCertain: Bool { end != .max }

    public enum Action: Sendable, Equatable {
        /// PUT, copy or Complete. With `ifAbsent` it took effect where no object was.
        case write(EntryID, ifAbsent: Bool = false)
        /// DELETE without a version; the number is that of the marker that a versioned bucket makes of it.
        case delete(EntryID)
        /// DELETE of one version.
        case remove(EntryID)
        /// PutObjectTagging of the latest version.
        case tag(EntryID)
        case sees(Latest)
        case seesVersion(EntryID, isThere: Bool)
        /// The tag set of the latest version, which begins with the number of its write.
        case seesTag(EntryID)
        /// Every version and marker of the key, the newest first.
        case seesAll([Listed])
    }

    /// What a reader of the key without a version found.
    public enum Latest: Sendable, Equatable {
        case absent
        /// An object, of any write.
        case present
        case oneOf(Set<EntryID>)

        public static func write(_ id: EntryID) -> Latest { .oneOf([id]) }
    }

    /// One line of a listing of versions, with the writes or deletes that it can be of.
    public enum Listed: Sendable, Equatable {
        /// `tag` is the number that its tag set carries; nil where it was not looked at.
        case write(Set<EntryID>, tag: EntryID? = nil)
        case marker(Set<EntryID>)
    }
}

extension Call.Action {
    var changes: Bool {
        switch self {
        case .write, .delete, .remove, .tag: true
        case .sees, .seesVersion, .seesTag, .seesAll: false
        }
    }
}

extension Call: CustomStringConvertible {
    public var description: String {
        "\(start / 1000)...\(isCertain ? "\(end / 1000)" : "?") us \(action)"
    }
}
