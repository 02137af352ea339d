import Bytes
import JSON
import Metadata
import Search

/// `GET /api/assets/search`, `GET /api/assets/{asset_id}`, and its focal point.
struct AssetRoutes: Sendable {
    let store: any MetadataStore
    let index: any AssetSearch
    /// Of the S3 listener, without a slash at its end.
    let publicURL: String

    var routes: [Route] {
        [
            Route(
                .get, "/api/assets/search", "Search assets", access: .reader, query: Self.parameters,
                response: .json(Self.answer)
            ) { input in try await search(input) },
            Route(
                .get, "/api/assets/{asset_id}", "An asset with its versions", access: .reader,
                response: .json(AssetJSON.schema)
            ) { input in try await asset(input) },
            Route(
                .put, "/api/assets/{asset_id}/focal-point", "Say what matters most in a picture", access: .editor,
                request: .object([.init("x", .number), .init("y", .number)]), response: .json(AssetJSON.schema)
            ) { input in
                let (x, y) = (input.body["x"]?.number ?? -1, input.body["y"]?.number ?? -1)
                guard let point = FocalPoint(x: x, y: y) else {
                    let wrong = [("x", x), ("y", y)].filter { !(0...1).contains($0.1) }
                    throw Problem.invalid(wrong.map { .init(field: $0.0, wanted: "a number from 0 to 1") })
                }
                return try await set(point, input)
            },
            Route(
                .delete, "/api/assets/{asset_id}/focal-point",
                "Take back a focal point; that of the object holds again", access: .editor,
                response: .json(AssetJSON.schema)
            ) { input in try await set(nil, input) },
        ]
    }

    private static let parameters: [Route.QueryParameter] = [
        .init("q", .string, "What to search for; docs/SEARCH.md has the grammar. Everything where absent."),
        .init("sort", .string(choices: SearchSort.choices), "A minus turns the order around. relevance where absent."),
        .init("limit", .integer, "Assets of one page, 1 to \(SearchRequest.limitMax). 50 where absent."),
        .init("cursor", .string, "next_cursor of the page before, with the same q, sort and customer."),
        .init("facets", .string, "Any of type, tag and folder, separated by commas."),
        .init("customer", .string, "Assets of this customer only, for users who see those of all."),
    ]

    private static let facet = Schema.array(of: .object([.init("value", .string), .init("count", .integer)]))
    private static let answer = Schema.object([
        .init("assets", .array(of: AssetJSON.schema)), .init("next_cursor", .string, required: false),
        .init("total", .object([.init("value", .integer), .init("is_capped", .boolean)])),
        .init("facets", .map(of: facet), required: false), .init("is_indexing", .boolean),
    ])

    // MARK: Search

    private func search(_ input: RouteInput) async throws -> RouteAnswer {
        let asked = try Asked(input)
        let answer: SearchAnswer
        do throws(MetadataError) { answer = try await index.search(asked.request) } catch {
            throw Problem(503, "Unavailable", "The search index cannot be read now; try again.")
        }
        let documents = try await store.assets(answer.hits.compactMap { AssetID(bytes: $0.id) })
        // What changed since it was indexed is judged as it is now.
        let shown = documents.filter { document in
            document.asset.deleted == nil
                && (asked.request.customer.map { $0.elementsEqual((document.asset.customer ?? "").utf8) } ?? true)
        }
        var members: [JSONValue.Member] = [
            .init("assets", .array(shown.map { AssetJSON.value(of: $0, publicURL: publicURL) })),
            .init("next_cursor", asked.cursor(after: answer).map { .string(String(ascii: $0)) } ?? .null),
            .init(
                "total", ["value": .integer(Int64(clamping: answer.matchCount)), "is_capped": .bool(answer.isCapped)]),
        ]
        if !asked.request.facets.isEmpty { members.append(.init("facets", Self.value(of: answer.facets))) }
        members.append(.init("is_indexing", .bool(index.isBuilding)))
        return .json(.object(members))
    }

    private static func value(of facets: [Facet: [FacetValue]]) -> JSONValue {
        .object(
            Facet.allCases.compactMap { facet in
                facets[facet].map { values in
                    JSONValue.Member(
                        facet.rawValue,
                        .array(
                            values.map {
                                [
                                    "value": .string(String(ascii: $0.value)),
                                    "count": .integer(Int64(clamping: $0.count)),
                                ]
                            }))
                }
            })
    }

    /// With what was made of its newest version.
    private func asset(_ input: RouteInput) async throws -> RouteAnswer {
        try await answer(try await document(input))
    }

    private func answer(_ document: AssetDocument) async throws -> RouteAnswer {
        guard let bucket = try await store.bucket(named: document.bucket) else { throw Self.missing }
        let made = try await StoredVariants(metadata: store).files(of: document.object, in: bucket) { _, _ in true }
        return .json(AssetJSON.value(of: document, publicURL: publicURL, variants: made))
    }

    private func set(_ point: FocalPoint?, _ input: RouteInput) async throws -> RouteAnswer {
        // A probe may write between.
        for _ in 0..<10 {
            let document = try await document(input)
            var details = document.asset.details
            details.focalPoint = point
            do throws(MetadataError) {
                try await store.setAssetDetails(details, of: document.asset.id, ifNow: document.asset.details)
            } catch {
                if error == .noSuchKey { throw Self.missing }
                guard error == .superseded else { throw error }
                continue
            }
            return try await answer(try await self.document(input))
        }
        throw Problem(503, "Unavailable", "The asset keeps changing; try again.")
    }

    private static let missing = Problem(404, "Not found", "There is no such asset.")

    private func document(_ input: RouteInput) async throws -> AssetDocument {
        let text = [UInt8](input.parameter("asset_id").utf8)
        let document: AssetDocument? =
            if let id = AssetID(text) { try await store.asset(id) } else { nil }
        // Another customer's asset is none.
        guard let document, input.sees(customer: document.asset.customer) else { throw Self.missing }
        return document
    }
}

/// A search as it was asked for.
private struct Asked {
    let request: SearchRequest
    private let digest: UInt64

    /// Throws 422 with all fields that are wrong.
    init(_ input: RouteInput) throws {
        var errors: [Problem.Field] = []
        let text = input.query["q"] ?? []
        var query = SearchQuery.all
        do throws(SearchQueryError) { query = try SearchQuery.parse(text) } catch {
            errors.append(.init(field: "q", wanted: error.expected, position: error.position))
        }
        var sort = SearchSort.relevance
        if let given = input.query["sort"] {
            if let read = SearchSort(given) {
                sort = read
            } else {
                errors.append(.init(field: "sort", wanted: "one of \(SearchSort.choices.joined(separator: ", "))"))
            }
        }
        var limit = 50
        if let given = input.query["limit"] {
            limit = Ascii.decimal(given).flatMap { Int(exactly: $0) } ?? 0
            if !(1...SearchRequest.limitMax).contains(limit) {
                errors.append(.init(field: "limit", wanted: "a whole number from 1 to \(SearchRequest.limitMax)"))
            }
        }
        var facets: Set<Facet> = []
        for name in Ascii.split((input.query["facets"] ?? [])[...], at: Ascii.comma) where !name.isEmpty {
            if let facet = Facet(rawValue: String(ascii: name)) {
                facets.insert(facet)
            } else {
                errors.append(.init(field: "facets", wanted: "type, tag, folder, separated by commas"))
                break
            }
        }
        var customer = input.query["customer"]
        if let own = input.caller?.customer {
            if let customer, !customer.elementsEqual(own.utf8) {
                throw Problem(403, "Forbidden", "You see the assets of your own customer only.")
            }
            customer = [UInt8](own.utf8)
        }
        digest = SearchCursor.digest(of: [text, customer ?? [], [customer == nil ? 0 : 1]])
        var after: SortPlace?
        if let given = input.query["cursor"] {
            if let cursor = SearchCursor(given), cursor.digest == digest, cursor.sort == sort {
                after = cursor.last
            } else {
                errors.append(
                    .init(field: "cursor", wanted: "next_cursor of a page of the same q, sort and customer"))
            }
        }
        if !errors.isEmpty { throw Problem.invalid(errors) }
        request = SearchRequest(
            query: query, customer: customer, sort: sort, limit: limit, after: after, facets: facets)
    }

    /// Nil behind the last page.
    func cursor(after answer: SearchAnswer) -> [UInt8]? {
        guard answer.hasMore, let last = answer.hits.last else { return nil }
        return SearchCursor(sort: request.sort, digest: digest, last: last).text
    }
}
