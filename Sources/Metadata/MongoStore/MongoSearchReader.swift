import Mongo
import Search

/// Answers requests from the rows of `assets`.
struct MongoSearchReader {
    private let database: MongoDatabase
    private let request: SearchRequest
    private let relevance: Relevance

    init(_ database: MongoDatabase, _ request: SearchRequest) {
        (self.database, self.request) = (database, request)
        relevance = Relevance(request.query)
    }

    func answer() throws(MongoError) -> SearchAnswer {
        var answer = SearchAnswer(
            hits: [], hasMore: false, matchCount: 0, isCapped: false,
            facets: Dictionary(request.facets.map { ($0, []) }, uniquingKeysWith: { first, _ in first }))
        guard let filter = try MongoSearchFilter(database, request) else { return answer }
        // Without words all fit as well as the others, and the newest come first.
        let isByTime = request.sort.key == .created || request.sort.key == .relevance && relevance.isEmpty
        var places: [SortPlace]
        var count: Int
        if isByTime {
            places = try page(filter)
            if request.facets.isEmpty {
                count = Int(
                    clamping: try database.count(
                        filter.document, hint: filter.hint, limit: SearchRequest.matchCountMax + 1,
                        maxTime_ms: MongoSearchFilter.maxTime_ms, in: MongoSchema.assets))
            } else {
                let survey = try survey(filter, ranks: false)
                count = survey.count
                for facet in request.facets { answer.facets[facet] = survey.values(of: facet) }
            }
        } else {
            let survey = try survey(filter, ranks: true)
            (places, count) = (survey.top.places, survey.count)
            for facet in request.facets { answer.facets[facet] = survey.values(of: facet) }
        }
        answer.hasMore = places.count > request.limit
        answer.hits = [SortPlace](places.prefix(request.limit))
        answer.matchCount = min(count, SearchRequest.matchCountMax)
        answer.isCapped = count > SearchRequest.matchCountMax
        return answer
    }

    // MARK: One page in order of time

    /// One more than the limit, where there are so many.
    private func page(_ filter: MongoSearchFilter) throws(MongoError) -> [SortPlace] {
        let isDescending = request.sort.isDescending
        var document = filter.document
        if let after = request.after {
            document.append("_id", isDescending ? ["$lt": .binary(after.id)] : ["$gt": .binary(after.id)])
        }
        let rows = try rows(
            document, projection: ["_id": 1], newestFirst: isDescending, filter.hint, limit: request.limit + 1)
        return rows.compactMap { row in
            guard let id = row["_id"]?.binary else { return nil }
            // Ids ascend with time.
            let number = id.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return SortPlace(number: Int64(truncatingIfNeeded: number >> 1), id: id)
        }
    }

    private func rows(
        _ filter: BSONDocument, projection: BSONDocument, newestFirst: Bool, _ hint: BSONValue, limit: Int
    ) throws(MongoError) -> [BSONView] {
        var rows: [BSONView] = []
        while rows.count < limit {
            var document = filter
            if let last = rows.last?["_id"]?.binary {
                document.append("$nor", [["_id": newestFirst ? ["$gte": .binary(last)] : ["$lte": .binary(last)]]])
            }
            let found = try database.find(
                MongoDatabase.Query(
                    document, projection: projection, sort: ["_id": newestFirst ? -1 : 1], hint: hint,
                    limit: limit - rows.count, maxTime_ms: MongoSearchFilter.maxTime_ms), in: MongoSchema.assets)
            rows += found.documents
            // A reply holds 16 MiB.
            if found.isComplete || found.documents.isEmpty { break }
        }
        return rows
    }

    // MARK: Everything that matches

    private struct Survey {
        var count = 0
        var top: TopPlaces
        var facets: [Facet: [[UInt8]: FacetValue]] = [:]

        /// The most frequent ones.
        func values(of facet: Facet) -> [FacetValue] {
            let sorted = (facets[facet] ?? [:]).values.sorted {
                $0.count != $1.count ? $0.count > $1.count : $0.value.lexicographicallyPrecedes($1.value)
            }
            return [FacetValue](sorted.prefix(SearchRequest.facetValuesMax))
        }
    }

    private func survey(_ filter: MongoSearchFilter, ranks: Bool) throws(MongoError) -> Survey {
        var projection: BSONDocument = [:]
        if ranks {
            switch request.sort.key {
            case .relevance: projection = ["s.n": 1, "s.t": 1]
            case .name: projection = ["s.n": 1]
            case .size: projection = ["s.z": 1]
            case .updated: projection = ["s.u": 1]
            case .created: break
            }
        }
        if !request.facets.isEmpty { projection.append("s.f", 1) }
        let rows = try rows(
            filter.document, projection: projection, newestFirst: true, filter.hint,
            limit: SearchRequest.matchCountMax + 1)
        var survey = Survey(
            count: rows.count,
            top: TopPlaces(sort: request.sort, after: request.after, limit: request.limit + 1))
        for row in rows.prefix(SearchRequest.matchCountMax) {
            guard let id = row["_id"]?.binary, let columns = row["s"]?.document else { continue }
            if ranks { rank(id, columns, &survey.top) }
            if !request.facets.isEmpty { try note(columns["f"]?.binary ?? [], &survey.facets) }
        }
        return survey
    }

    private func rank(_ id: [UInt8], _ columns: BSONView, _ top: inout TopPlaces) {
        var number: Int64 = 0
        var text: [UInt8] = []
        switch request.sort.key {
        case .relevance:
            let name = columns["n"]?.text ?? []
            let tags = columns["t"]?.text ?? []
            number = relevance.score(name: name.span, tags: tags.span)
        case .name: text = [UInt8]((columns["n"]?.text ?? []).prefix(SearchCursor.textLengthMax))
        case .size: number = columns["z"]?.integer ?? 0
        case .updated: number = columns["u"]?.integer ?? 0
        case .created: break
        }
        if top.mayTake(number, text) { top.take(SortPlace(number: number, text: text, id: id)) }
    }

    private func note(_ record: [UInt8], _ facets: inout [Facet: [[UInt8]: FacetValue]]) throws(MongoError) {
        do throws(MetadataError) {
            try AssetFacets.each(of: record) { facet, value, label in
                guard request.facets.contains(facet) else { return }
                facets[facet, default: [:]][value, default: FacetValue(value: label, count: 0)].count += 1
            }
        } catch {
            throw .invalidDocument("assets: \(error)")
        }
    }
}
