/// What is searched for, as its text says; docs/SEARCH.md has the grammar.
public struct SearchQuery: Sendable, Equatable {
    /// What must hold of words and exact values; nil where every asset will do.
    public var condition: SearchCondition?
    /// All of them must hold too.
    public var ranges: [RangeClause]

    /// Every asset.
    public static let all = SearchQuery(condition: nil, ranges: [])

    /// Bytes of a query's text.
    public static let lengthMax = 2_048
    /// Words, values and ranges in a query.
    public static let termCountMax = 64
    /// Parentheses within parentheses.
    public static let depthMax = 8
    /// Characters before the `*` of a prefix.
    public static let prefixLengthMin = 2

    /// Reads the text of a query. What a user writes is matched against, or read as a number or date; none of it is ever
    /// handed to a database as an operator.
    public static func parse(_ text: [UInt8]) throws(SearchQueryError) -> SearchQuery {
        var parser = try QueryParser(text)
        return try parser.parse()
    }

    /// The words that make one asset a better answer than another: those that must be there.
    public var rankedWords: [WordTerm] { condition.map { Self.ranked($0) } ?? [] }

    private static func ranked(_ condition: SearchCondition) -> [WordTerm] {
        switch condition {
        case .words(let term): [term]
        case .filter, .not: []
        case .all(let parts), .any(let parts): parts.flatMap { ranked($0) }
        }
    }
}

/// A condition on words and exact values. As deep as parentheses are, twice at most.
public indirect enum SearchCondition: Sendable, Equatable {
    case words(WordTerm)
    case filter(FilterTerm)
    case not(SearchCondition)
    /// At least two.
    case all([SearchCondition])
    /// At least two.
    case any([SearchCondition])
}

/// Words that stand beside each other in a field.
public struct WordTerm: Sendable, Equatable {
    public enum Field: Sendable, Equatable {
        /// The name, the tags, or the other text.
        case any
        case name, tags
    }

    public var field: Field
    /// Folded, at least one.
    public var phrase: [[UInt8]]
    /// The run that the phrase is the parts of, which may have been written as one word.
    public var whole: [UInt8]?
    /// The last word, or the whole, may go on.
    public var isPrefix: Bool

    public init(field: Field, phrase: [[UInt8]], whole: [UInt8]? = nil, isPrefix: Bool = false) {
        self.field = field
        self.phrase = phrase
        self.whole = whole
        self.isPrefix = isPrefix
    }
}

/// A value that an asset has or has not.
public struct FilterTerm: Sendable, Hashable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// Every asset has it; the value is empty.
        case every
        /// `audio`, `image`, `video` or `document`.
        case type
        /// The folded tag; of a pair the key, and `key=value`.
        case tag
        /// The folded folder or one above it, without slashes at its ends; empty for assets in no folder.
        case folder
        /// `image/png`, or `image/*`.
        case mime
        case customer
        /// A number's bucket at one level; see `NumericBuckets`.
        case bucket
    }

    public var kind: Kind
    public var value: [UInt8]

    public init(_ kind: Kind, _ value: [UInt8]) {
        self.kind = kind
        self.value = value
    }

    public static let every = FilterTerm(.every, [])

    /// The kind's letter, a colon, and the value: how a store that indexes strings names the term.
    public var text: [UInt8] {
        let letter: UInt8 =
            switch kind {
            case .every: 0x65
            case .type: 0x79
            case .tag: 0x74
            case .folder: 0x66
            case .mime: 0x6D
            case .customer: 0x63
            case .bucket: 0x62
            }
        return [letter, 0x3A] + value
    }
}

/// Numbers that an asset has and that are asked for by range.
public enum NumericField: UInt8, Sendable, CaseIterable {
    /// Bytes.
    case size
    /// Milliseconds since 1970.
    case created, updated
    /// Milliseconds.
    case duration
    /// Pixels.
    case width, height
}

/// Both ends belong to the range.
public struct NumericRange: Sendable, Equatable {
    public var lower: Int64
    public var upper: Int64

    public init(_ lower: Int64, _ upper: Int64) {
        self.lower = lower
        self.upper = upper
    }

    public func contains(_ value: Int64) -> Bool { value >= lower && value <= upper }
}

public struct RangeClause: Sendable, Equatable {
    public var field: NumericField
    public var range: NumericRange
    /// What has no such number lies outside of every range.
    public var isNegated: Bool

    public init(_ field: NumericField, _ range: NumericRange, isNegated: Bool = false) {
        self.field = field
        self.range = range
        self.isNegated = isNegated
    }

    /// `value` is that of `field`.
    public func holds(for value: Int64?) -> Bool { (value.map { range.contains($0) } ?? false) != isNegated }
}
