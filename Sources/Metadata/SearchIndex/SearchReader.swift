import SQLite
import Search

/// Answers requests from one snapshot of `search.db`.
struct SearchReader {
    private let connection: Connection
    private let columns: DocumentColumns

    init(_ connection: Connection, _ columns: DocumentColumns) {
        (self.connection, self.columns) = (connection, columns)
    }

    /// The first and the last of neighbouring document numbers.
    private typealias Numbers = ClosedRange<Int64>

    func answer(_ request: SearchRequest) throws(SQLiteError) -> SearchAnswer {
        let nothing = SearchAnswer(
            hits: [], hasMore: false, matchCount: 0, isCapped: false,
            facets: Dictionary(request.facets.map { ($0, []) }, uniquingKeysWith: { first, _ in first }))
        let numbers = Self.numbers(of: request.query.ranges)
        var expression = SearchExpression(connection)
        guard !numbers.isEmpty, let plan = try plan(request),
            var match = try expression.text(of: plan.request, coveringRanges: false)
        else { return nothing }
        let compared = plan.compared
        let relevance = Relevance(request.query)
        // Without words all fit as well as the others, and the newest come first.
        let isByNumber = request.sort.key == .created || request.sort.key == .relevance && relevance.isEmpty
        let empty = Survey(request, isByNumber ? nil : relevance)
        var surveyed = try take(empty, match, numbers, compared, mayGiveUp: true)
        if surveyed.gaveUp {
            guard let narrowed = try expression.text(of: request, coveringRanges: true) else { return nothing }
            match = narrowed
            surveyed = try take(empty, match, numbers, compared, mayGiveUp: false)
        }
        var answer = SearchAnswer(
            hits: [], hasMore: false, matchCount: min(surveyed.count, SearchRequest.matchCountMax),
            isCapped: surveyed.count > SearchRequest.matchCountMax)
        answer.take(
            isByNumber ? try page(request, match, numbers, compared) : surveyed.top.places, limit: request.limit)
        for facet in request.facets { answer.facets[facet] = try values(of: surveyed.facets[facet] ?? [:]) }
        return answer
    }

    /// After so many documents were compared, and fewer than a tenth of them fitted, terms for what is compared cost less.
    private static let comparedMax = 20_000

    /// What documents are found by at first, and what they are compared with then.
    private struct Plan {
        var request: SearchRequest
        var compared: Comparison
    }

    private struct Comparison {
        var ranges: [RangeClause]
        /// Numbers of the terms of types, all of which hold.
        var types: [UInt64] = []

        var isEmpty: Bool { ranges.isEmpty && types.isEmpty }

        func fits(_ fields: DocumentRecord, _ record: Span<UInt8>) -> Bool {
            if !types.isEmpty {
                let type = DocumentRecord.firstNumber(record.extracting(fields.facets))
                guard types.allSatisfy({ $0 == type }) else { return false }
            }
            return fields.fits(ranges)
        }
    }

    /// A type has the longest lists of all: where another term leaves fewer documents, those are compared with it. Nil for a type that no
    /// document has.
    private func plan(_ request: SearchRequest) throws(SQLiteError) -> Plan? {
        var plan = Plan(
            request: request, compared: Comparison(ranges: request.query.ranges.filter { $0.field != .created }))
        guard case .all(let parts) = request.query.condition, parts.contains(where: Self.isSelective) else {
            return plan
        }
        var kept: [SearchCondition] = []
        var terms = FilterWords(connection)
        for part in parts {
            if case .filter(let term) = part, term.kind == .type {
                guard let number = try terms.number(of: term) else { return nil }
                plan.compared.types.append(UInt64(clamping: number))
            } else {
                kept.append(part)
            }
        }
        plan.request.query.condition = kept.count > 1 ? .all(kept) : kept.first
        return plan
    }

    private static func isSelective(_ condition: SearchCondition) -> Bool {
        switch condition {
        case .words: true
        case .filter(let term): term.kind == .tag || term.kind == .folder
        case .not, .all, .any: false
        }
    }

    /// The document numbers that fit what is said of the time at which assets were made, the newest first.
    private static func numbers(of ranges: [RangeClause]) -> [Numbers] {
        var found: [Numbers] = [0...Int64.max]
        for clause in ranges where clause.field == .created {
            let lower = DocumentNumber.first(ofMilliseconds: clause.range.lower)
            let upper = DocumentNumber.last(ofMilliseconds: clause.range.upper)
            var next: [Numbers] = []
            for numbers in found {
                if clause.isNegated {
                    guard lower <= upper else {
                        next.append(numbers)
                        continue
                    }
                    if upper < numbers.upperBound {
                        next.append(max(numbers.lowerBound, upper + 1)...numbers.upperBound)
                    }
                    if lower > numbers.lowerBound {
                        next.append(numbers.lowerBound...min(numbers.upperBound, lower - 1))
                    }
                } else if lower <= upper, lower <= numbers.upperBound, upper >= numbers.lowerBound {
                    next.append(max(lower, numbers.lowerBound)...min(upper, numbers.upperBound))
                }
            }
            found = next
        }
        return found
    }

    // MARK: Everything that matches

    /// What is found out of the newest matches.
    private struct Survey {
        var count = 0
        var comparedCount = 0
        var gaveUp = false
        var facets: [Facet: [UInt64: Int]] = [:]
        var top: TopPlaces
        let sort: SearchSort
        let wanted: Set<Facet>
        /// Nil where places are not wanted.
        let relevance: Relevance?

        init(_ request: SearchRequest, _ relevance: Relevance?) {
            (sort, wanted, self.relevance) = (request.sort, request.facets, relevance)
            top = TopPlaces(sort: request.sort, after: request.after, limit: request.limit + 1)
        }

        var needsRows: Bool { relevance != nil || !wanted.isEmpty }
        var isFull: Bool { count > SearchRequest.matchCountMax }

        mutating func take(_ record: Span<UInt8>, _ compared: Comparison) {
            let fields = DocumentRecord(record)
            comparedCount += 1
            guard compared.fits(fields, record) else { return }
            count += 1
            if isFull { return }
            if !wanted.isEmpty { noteFacets(record.extracting(fields.facets)) }
            guard let relevance else { return }
            var number: Int64 = 0
            var text: [UInt8] = []
            let name = record.extracting(fields.name)
            switch sort.key {
            case .relevance: number = relevance.score(name: name, tags: record.extracting(fields.tags))
            case .name: text = (0..<min(name.count, SearchCursor.textLengthMax)).map { name[$0] }
            case .size: number = fields.size
            case .updated: number = fields.updated
            case .created: break
            }
            if top.mayTake(number, text) {
                top.take(SortPlace(number: number, text: text, id: DocumentRecord.id(record)))
            }
        }

        /// As `SearchWriter` writes them.
        private mutating func noteFacets(_ record: Span<UInt8>) {
            var place = 0
            var index = 0
            while place < record.count {
                let value = DocumentRecord.number(record, &place)
                let facet: Facet = index == 0 ? .type : index == 1 ? .folder : .tag
                if value > 0, wanted.contains(facet) { facets[facet, default: [:]][value, default: 0] += 1 }
                index += 1
            }
        }
    }

    private func take(
        _ survey: Survey, _ match: [UInt8], _ numbers: [Numbers], _ compared: Comparison, mayGiveUp: Bool
    ) throws(SQLiteError) -> Survey {
        var survey = survey
        let mayGiveUp = mayGiveUp && !compared.isEmpty
        for range in numbers {
            if survey.isFull || survey.gaveUp { break }
            if !survey.needsRows, compared.isEmpty {
                survey.count += try count(match, range, limit: SearchRequest.matchCountMax + 1 - survey.count)
                continue
            }
            var cursor = columns.cursor()
            try connection.with(Self.newestFirst) { (row) throws(SQLiteError) in
                Self.bind(match, range, row)
                while !survey.isFull, !survey.gaveUp, try row.step() {
                    try withRecord(row.int64(0), &cursor) { (record, _) in survey.take(record, compared) }
                    if mayGiveUp, survey.comparedCount == Self.comparedMax {
                        survey.gaveUp = survey.count < Self.comparedMax / 10
                    }
                }
            }
        }
        return survey
    }

    /// How many matches there are, at most `limit`.
    private func count(_ match: [UInt8], _ range: Numbers, limit: Int) throws(SQLiteError) -> Int {
        try connection.with(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM words WHERE words MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid DESC LIMIT ?4
            )
            """
        ) { (row) throws(SQLiteError) in
            Self.bind(match, range, row)
            row.bind(Int64(max(0, limit)), at: 4)
            return try row.step() ? Int(clamping: row.int64(0)) : 0
        }
    }

    // MARK: One page in order of time

    /// One more than the limit, where there are so many.
    private func page(
        _ request: SearchRequest, _ match: [UInt8], _ numbers: [Numbers], _ compared: Comparison
    ) throws(SQLiteError) -> [SortPlace] {
        let isDescending = request.sort.isDescending
        var hits: [SortPlace] = []
        for range in isDescending ? numbers : numbers.reversed() {
            var range = range
            if let last = request.after?.number {
                if isDescending ? last <= range.lowerBound : last >= range.upperBound { continue }
                range =
                    isDescending
                    ? range.lowerBound...min(range.upperBound, last - 1)
                    : max(range.lowerBound, last + 1)...range.upperBound
            }
            var cursor = columns.cursor()
            try connection.with(isDescending ? Self.newestFirst : Self.oldestFirst) { (row) throws(SQLiteError) in
                Self.bind(match, range, row)
                while hits.count <= request.limit, try row.step() {
                    try withRecord(row.int64(0), &cursor) { (record, number) in
                        guard compared.fits(DocumentRecord(record), record) else { return }
                        hits.append(SortPlace(number: number, id: DocumentRecord.id(record)))
                    }
                }
            }
            if hits.count > request.limit { break }
        }
        return hits
    }

    // MARK: Rows

    private static let newestFirst: StaticString =
        "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid DESC"
    private static let oldestFirst: StaticString =
        "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid"

    /// Lends the record of a document, from memory or from its row.
    private func withRecord(
        _ number: Int64, _ cursor: inout DocumentColumns.Cursor, _ body: (Span<UInt8>, Int64) -> Void
    ) throws(SQLiteError) {
        if let (chunk, range) = cursor.find(number) {
            let bytes = chunk.bytes
            body(bytes.span.extracting(range), number)
            return
        }
        let read = try connection.with("SELECT * FROM documents WHERE id = ?1") { (row) throws(SQLiteError) in
            row.bind(number, at: 1)
            return try row.step() ? DocumentRecord.make(of: row) : nil
        }
        if let read { body(read.span, number) }
    }

    private static func bind(_ match: [UInt8], _ range: Numbers, _ row: Statement) {
        row.bind(String(decoding: match, as: UTF8.self), at: 1)
        row.bind(range.lowerBound, at: 2)
        row.bind(range.upperBound, at: 3)
    }

    /// The most frequent terms, as they are shown.
    private func values(of counts: [UInt64: Int]) throws(SQLiteError) -> [FacetValue] {
        let first = counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(SearchRequest.facetValuesMax)
        var values: [FacetValue] = []
        for (number, count) in first {
            let label = try connection.with("SELECT label FROM terms WHERE id = ?1") { (row) throws(SQLiteError) in
                row.bind(Int64(clamping: number), at: 1)
                return try row.step() ? row.bytes(0) : nil
            }
            if let label { values.append(FacetValue(value: label, count: count)) }
        }
        return values
    }
}

extension DocumentRecord {
    fileprivate func fits(_ filters: [RangeClause]) -> Bool {
        filters.allSatisfy { clause in
            switch clause.field {
            case .size: clause.holds(for: size)
            case .updated: clause.holds(for: updated)
            case .duration: clause.holds(for: duration)
            case .width: clause.holds(for: width)
            case .height: clause.holds(for: height)
            // By the document's number.
            case .created: true
            }
        }
    }
}

extension SearchAnswer {
    /// `places` may be one more than the page has.
    fileprivate mutating func take(_ places: [SortPlace], limit: Int) {
        hasMore = places.count > limit
        hits = [SortPlace](places.prefix(limit))
    }
}

/// Keeps the first places of many, behind a given one.
struct TopPlaces {
    private let sort: SearchSort
    private let after: SortPlace?
    private let limit: Int
    private var kept: [SortPlace] = []
    /// The last of the first `limit`, once there are so many.
    private var last: SortPlace?

    init(sort: SearchSort, after: SortPlace?, limit: Int) {
        (self.sort, self.after, self.limit) = (sort, after, max(1, limit))
    }

    /// False where no asset with these values can be among the first.
    func mayTake(_ number: Int64, _ text: [UInt8]) -> Bool {
        guard let last else { return true }
        if sort.key == .name {
            return text == last.text || text.lexicographicallyPrecedes(last.text) != sort.isDescending
        }
        return number == last.number || (number < last.number) != sort.isDescending
    }

    mutating func take(_ place: SortPlace) {
        if let after, !after.comes(before: place, in: sort) { return }
        if let last, !place.comes(before: last, in: sort) { return }
        kept.append(place)
        if kept.count >= 2 * limit + 64 { shrink() }
    }

    private mutating func shrink() {
        kept.sort { $0.comes(before: $1, in: sort) }
        if kept.count >= limit {
            kept.removeLast(kept.count - limit)
            last = kept.last
        }
    }

    /// In order.
    var places: [SortPlace] { [SortPlace](kept.sorted { $0.comes(before: $1, in: sort) }.prefix(limit)) }
}
