/// One page of an answer, asked for.
public struct SearchRequest: Sendable {
    public var query: SearchQuery
    /// Assets of this customer only. Nil for those of all.
    public var customer: [UInt8]?
    public var sort: SearchSort
    /// 1...`limitMax`.
    public var limit: Int
    /// The page behind this place.
    public var after: SortPlace?
    public var facets: Set<Facet>

    public static let limitMax = 200
    /// Matches that are counted, ranked and told apart by facets: the newest ones.
    public static let matchCountMax = 10_000
    /// Values that a facet lists, those with the most assets.
    public static let facetValuesMax = 50

    public init(
        query: SearchQuery, customer: [UInt8]? = nil, sort: SearchSort = .relevance, limit: Int = 50,
        after: SortPlace? = nil, facets: Set<Facet> = []
    ) {
        self.query = query
        self.customer = customer
        self.sort = sort
        self.limit = min(Self.limitMax, max(1, limit))
        self.after = after
        self.facets = facets
    }
}

/// What an answer can be divided by.
public enum Facet: String, Sendable, CaseIterable {
    case type, tag, folder
}

public struct SearchAnswer: Sendable, Equatable {
    /// In order; at most as many as were asked for.
    public var hits: [SortPlace]
    /// More matches come behind.
    public var hasMore: Bool
    /// At most `SearchRequest.matchCountMax`.
    public var matchCount: Int
    /// There are more matches than were counted.
    public var isCapped: Bool
    /// In descending order of their counts.
    public var facets: [Facet: [FacetValue]]

    public init(
        hits: [SortPlace], hasMore: Bool, matchCount: Int, isCapped: Bool, facets: [Facet: [FacetValue]] = [:]
    ) {
        self.hits = hits
        self.hasMore = hasMore
        self.matchCount = matchCount
        self.isCapped = isCapped
        self.facets = facets
    }
}

public struct FacetValue: Sendable, Equatable {
    /// As it was written on an asset that has it, or had it.
    public var value: [UInt8]
    public var count: Int

    public init(value: [UInt8], count: Int) {
        self.value = value
        self.count = count
    }
}
