/// The order of an answer. Among equals the newest asset comes first.
public struct SearchSort: Sendable, Equatable {
    public enum Key: UInt8, Sendable, CaseIterable {
        /// How well words fit; the newest first where no word is asked for.
        case relevance
        /// By the words of the name.
        case name
        case size, created, updated
    }

    public var key: Key
    /// Best, newest, largest or last in the alphabet first.
    public var isDescending: Bool

    public init(_ key: Key, isDescending: Bool) {
        self.key = key
        self.isDescending = isDescending
    }

    public static let relevance = SearchSort(.relevance, isDescending: true)

    /// What a user may write.
    public static let choices = [
        "relevance", "name", "-name", "size", "-size", "created", "-created", "updated", "-updated",
    ]

    /// `name` ascends and `-name` descends; `relevance` has one direction. Nil for anything else.
    public init?(_ text: some Collection<UInt8>) {
        guard let choice = Self.choices.first(where: { $0.utf8.elementsEqual(text) }) else { return nil }
        let isDescending = choice.hasPrefix("-")
        switch isDescending ? String(choice.dropFirst()) : choice {
        case "name": self.init(.name, isDescending: isDescending)
        case "size": self.init(.size, isDescending: isDescending)
        case "created": self.init(.created, isDescending: isDescending)
        case "updated": self.init(.updated, isDescending: isDescending)
        default: self = .relevance
        }
    }
}

/// Where an asset stands in an answer.
public struct SortPlace: Sendable, Equatable {
    /// The score, size, date, or what the store orders dates by.
    public var number: Int64
    /// The words of the name, for that order only.
    public var text: [UInt8]
    /// 16 bytes; decides among equals.
    public var id: [UInt8]

    public init(number: Int64, text: [UInt8] = [], id: [UInt8]) {
        self.number = number
        self.text = text
        self.id = id
    }

    /// Whether this place comes first. Ids ascend with time, so the newest comes first among equals.
    public func comes(before other: SortPlace, in sort: SearchSort) -> Bool {
        if sort.key == .name {
            if text != other.text { return text.lexicographicallyPrecedes(other.text) != sort.isDescending }
        } else if number != other.number {
            return (number < other.number) != sort.isDescending
        }
        return other.id.lexicographicallyPrecedes(id)
    }
}
