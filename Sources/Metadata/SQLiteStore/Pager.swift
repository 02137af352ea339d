/// Fills a page with entries and common prefixes, until one more is seen than it may hold: that one says that the page is
/// truncated, and the last one shown is where the next page begins.
struct Pager<Entry, ID> {
    private let limit: Int
    private(set) var entries: [Entry] = []
    private(set) var commonPrefixes: [[UInt8]] = []
    private(set) var isTruncated = false
    private var last: (key: [UInt8], id: ID?)?

    init(limit: Int) { self.limit = limit }

    mutating func add(_ entry: Entry, key: ObjectKey, id: ID) {
        guard hasRoom() else { return }
        entries.append(entry)
        last = (key.utf8, id)
    }

    mutating func add(commonPrefix: [UInt8]) {
        guard hasRoom() else { return }
        commonPrefixes.append(commonPrefix)
        last = (commonPrefix, nil)
    }

    /// Nil unless the page is truncated.
    var nextKey: [UInt8]? { isTruncated ? last?.key : nil }
    /// Nil also where the page ends with a common prefix.
    var nextID: ID? { isTruncated ? last?.id : nil }

    private mutating func hasRoom() -> Bool {
        if entries.count + commonPrefixes.count >= limit { isTruncated = true }
        return !isTruncated
    }
}
