import Bytes
import Mongo
import Search

/// A query as a filter of `assets`. What a user wrote gets in as the text of values only: words that `Tokenizer` made, and terms of
/// filters. Names of fields and operators are this file's.
///
/// One condition on `w` is what the server walks its index by, newest first: the one that the fewest assets fulfil, as far as a short
/// count tells. All others are compared with what that finds.
struct MongoSearchFilter {
    private let database: MongoDatabase
    private let customer: BSONValue?
    private(set) var document: BSONDocument
    /// What documents are found by, besides nothing else.
    let hint: BSONValue

    /// Words that a prefix is asked for by; where more begin so, the range of them is walked and sorted.
    private static let expandedWordsMax = 150
    static let maxTime_ms: Int32 = 10_000

    /// Nil where nothing can match.
    init?(_ database: MongoDatabase, _ request: SearchRequest) throws(MongoError) {
        self.database = database
        customer = request.customer.map { .text($0) }
        hint = customer == nil ? MongoSchema.found : MongoSchema.foundByCustomer
        document = [:]
        var conditions: [Condition] = []
        if let condition = request.query.condition {
            conditions.append(try self.condition(condition))
        }
        for clause in request.query.ranges { conditions.append(Self.condition(clause)) }
        switch Condition.conjunction(conditions) {
        case .nothing: return nil
        case .everything: document = by(.token(FilterTerm.every.text), [])
        case .all(let parts): document = try by(parts)
        case let one: document = try by([one])
        }
    }

    // MARK: Conditions

    fileprivate indirect enum Condition {
        case everything, nothing
        case token([UInt8])
        /// At least one of them.
        case tokens([[UInt8]])
        /// A token in this range, the upper end excluded.
        case tokenRange([UInt8], [UInt8])
        /// Text in one of these fields.
        case text([UInt8], in: [BSONValue])
        case compared(BSONDocument)
        case all([Condition])
        case any([Condition])
        case not(Condition)

        static func conjunction(_ parts: [Condition]) -> Condition {
            var kept: [Condition] = []
            for part in parts {
                switch part {
                case .everything: continue
                case .nothing: return .nothing
                case .all(let inner): kept += inner
                default: kept.append(part)
                }
            }
            return kept.count > 1 ? .all(kept) : kept.first ?? .everything
        }

        static func disjunction(_ parts: [Condition]) -> Condition {
            var kept: [Condition] = []
            for part in parts {
                switch part {
                case .everything: return .everything
                case .nothing: continue
                default: kept.append(part)
                }
            }
            return kept.count > 1 ? .any(kept) : kept.first ?? .nothing
        }

        var document: BSONDocument {
            switch self {
            case .everything: [:]
            case .nothing: ["_id": ["$in": []]]
            case .token(let token): ["w": .text(token)]
            case .tokens(let tokens): ["w": ["$in": .array(tokens.map { .text($0) })]]
            case .tokenRange(let lower, let upper):
                ["w": ["$elemMatch": ["$gte": .text(lower), "$lt": .text(upper)]]]
            case .text(let text, let fields):
                [
                    "$expr": [
                        "$or": .array(
                            fields.map { ["$gte": [["$indexOfBytes": [$0, .literal(.text(text))]], 0]] })
                    ]
                ]
            case .compared(let document): document
            case .all(let parts): ["$and": .documents(parts.map(\.document))]
            case .any(let parts): ["$or": .documents(parts.map(\.document))]
            case .not(let inner): ["$nor": .documents([inner.document])]
            }
        }
    }

    private func condition(_ condition: SearchCondition) throws(MongoError) -> Condition {
        switch condition {
        case .words(let term): return try words(term)
        case .filter(let term): return term.kind == .every ? .everything : .token(term.text)
        case .not(let inner):
            switch try self.condition(inner) {
            case .everything: return .nothing
            case .nothing: return .everything
            case let inner: return .not(inner)
            }
        case .all(let conditions):
            var parts: [Condition] = []
            for part in conditions { parts.append(try self.condition(part)) }
            return .conjunction(parts)
        case .any(let conditions):
            var parts: [Condition] = []
            for part in conditions { parts.append(try self.condition(part)) }
            return .disjunction(parts)
        }
    }

    private func words(_ term: WordTerm) throws(MongoError) -> Condition {
        let phrase = try phrase(term.phrase, of: term)
        guard let whole = term.whole else { return phrase }
        return .disjunction([phrase, try self.phrase([whole], of: term)])
    }

    private func phrase(_ words: [[UInt8]], of term: WordTerm) throws(MongoError) -> Condition {
        let (field, texts): (UInt8, [BSONValue]) =
            switch term.field {
            case .any: (AssetProjection.anywhere, ["$s.n", "$s.t", "$s.x"])
            case .name: (AssetProjection.inName, ["$s.n"])
            case .tags: (AssetProjection.inTags, ["$s.t"])
            }
        var parts: [Condition] = []
        for (place, word) in words.enumerated() {
            if term.isPrefix, place == words.count - 1 {
                parts.append(try prefix(word, field))
            } else {
                parts.append(.token(AssetProjection.token(field, word)))
            }
        }
        if words.count > 1 {
            parts.append(.text(Relevance.spaced(words, endsOpen: term.isPrefix), in: texts))
        }
        return .conjunction(parts)
    }

    /// By the words that begin so, as long as there are few.
    private func prefix(_ prefix: [UInt8], _ field: UInt8) throws(MongoError) -> Condition {
        // No word has this character, and none above it is.
        let end = prefix + Array("\u{10FFFF}".utf8)
        let query = MongoDatabase.Query(
            ["_id": ["$gte": .text(prefix), "$lt": .text(end)]], sort: ["_id": 1], limit: Self.expandedWordsMax + 1)
        let words = try database.find(query, in: MongoSchema.words).documents.compactMap { $0["_id"]?.text }
        if words.isEmpty { return .nothing }
        if words.count <= Self.expandedWordsMax {
            return .tokens(words.map { AssetProjection.token(field, $0) })
        }
        return .tokenRange(AssetProjection.token(field, prefix), AssetProjection.token(field, end))
    }

    private static func condition(_ clause: RangeClause) -> Condition {
        let range = clause.range
        guard range.lower <= range.upper else { return clause.isNegated ? .everything : .nothing }
        func between(_ name: StaticString) -> BSONDocument {
            var document = BSONDocument()
            document.append(name, ["$gte": .int64(range.lower), "$lte": .int64(range.upper)])
            return document
        }
        let document: BSONDocument =
            switch clause.field {
            case .created: ["_id": ids(range)]
            case .size: between("s.z")
            case .updated: between("s.u")
            case .duration: between("s.d")
            case .width: between("s.w")
            case .height: between("s.h")
            }
        return clause.isNegated ? .not(.compared(document)) : .compared(document)
    }

    /// Ids begin with the time at which they were made.
    private static func ids(_ range: NumericRange) -> BSONValue {
        guard range.upper >= 0 else { return ["$in": []] }
        func bytes(_ moment: Int64, _ rest: UInt8) -> BSONValue {
            let moment = UInt64(min(max(0, moment), (1 << 48) - 1))
            return .binary(
                (0..<6).map { UInt8(truncatingIfNeeded: moment >> UInt64(40 - 8 * $0)) }
                    + [UInt8](repeating: rest, count: 10))
        }
        return ["$gte": bytes(range.lower, 0), "$lte": bytes(range.upper, 0xFF)]
    }

    // MARK: What the index is walked by

    /// Conditions that need not be compared again where the index is walked by `first`.
    private func by(_ first: Condition, _ others: [Condition]) -> BSONDocument {
        var document = BSONDocument()
        document.append("customer_id", customer)
        document.append(contentsOf: first.document)
        var compared: [BSONDocument] = []
        for other in others {
            // A choice that has no index at all, so that the server does not weigh walking by it.
            if case .compared(let range) = other {
                compared.append(range)
            } else {
                compared.append(["$or": [.document(other.document), ["none": true]]])
            }
        }
        if !compared.isEmpty { document.append("$and", .documents(compared)) }
        return document
    }

    private func by(_ parts: [Condition]) throws(MongoError) -> BSONDocument {
        var choices: [(cover: Condition, part: Int?)] = []
        for (place, part) in parts.enumerated() {
            switch part {
            case .token, .tokens, .tokenRange: choices.append((part, place))
            default: choices += Self.covers(of: part).map { ($0, nil) }
            }
        }
        let chosen = try fewest(choices.map(\.cover))
        guard let chosen else { return by(.token(FilterTerm.every.text), parts) }
        var others = parts
        if let part = choices[chosen].part { others.remove(at: part) }
        return by(choices[chosen].cover, others)
    }

    /// Conditions on `w`, each of which holds wherever the condition does.
    private static func covers(of condition: Condition) -> [Condition] {
        switch condition {
        case .token, .tokens, .tokenRange: return [condition]
        case .all(let parts): return parts.flatMap { covers(of: $0) }
        case .any(let parts):
            var tokens: [[UInt8]] = []
            for part in parts {
                // The longest words are the rarest, by and large.
                let covers = covers(of: part).compactMap(\.listed)
                let best = covers.min { ($0.count, -($0.first?.count ?? 0)) < ($1.count, -($1.first?.count ?? 0)) }
                guard let best else { return [] }
                tokens += best
            }
            return tokens.count <= expandedWordsMax ? [.tokens(tokens)] : []
        default: return []
        }
    }

    /// The index of the choice that the fewest assets fulfil, as far as short counts tell.
    private func fewest(_ choices: [Condition]) throws(MongoError) -> Int? {
        let listed = choices.indices.filter { choices[$0].listed != nil }
        guard let first = listed.first else { return choices.indices.first }
        var left = listed
        for limit in [200, 5_000] where left.count > 1 {
            var counts: [(count: Int64, place: Int)] = []
            for place in left {
                var filter = BSONDocument()
                filter.append("customer_id", customer)
                filter.append(contentsOf: choices[place].document)
                let count = try database.count(
                    filter, hint: hint, limit: limit, maxTime_ms: Self.maxTime_ms, in: MongoSchema.assets)
                counts.append((count, place))
            }
            if let least = counts.min(by: { $0.count < $1.count }), least.count < limit { return least.place }
            left = counts.map(\.place)
        }
        // All are frequent: words rather than what divides the assets into a few kinds.
        return left.first { choices[$0].isOfWords } ?? first
    }
}

extension MongoSearchFilter.Condition {
    /// The tokens that it asks for one of; nil where it asks for something else.
    fileprivate var listed: [[UInt8]]? {
        switch self {
        case .token(let token): [token]
        case .tokens(let tokens): tokens
        default: nil
        }
    }

    fileprivate var isOfWords: Bool { listed?.first?.first.map { $0 <= AssetProjection.inTags } ?? false }
}
