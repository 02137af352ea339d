import SQLite
import Search

/// Writes conditions in FTS5's language (sqlite.org/fts5.html, section 3). Only words that `Tokenizer` made and words of
/// filters get in, each between quotes; both consist of letters and digits, and are bound as a parameter.
struct SearchExpression {
    private let connection: Connection
    private var terms: FilterWords
    /// Characters from which on a prefix is asked for by the words that begin so; `words` has indexes of shorter ones.
    private static let expandedLengthMin = 5
    /// Where there are more words, their documents are few each.
    private static let expandedWordsMax = 64

    init(_ connection: Connection) {
        self.connection = connection
        terms = FilterWords(connection)
    }

    /// What a condition comes to, given the terms that there are.
    private enum Part {
        case everything
        case nothing
        case some([UInt8])
    }

    /// Nil where nothing can match. Ranges are narrowed down only with `coveringRanges`; without, what is found is compared.
    mutating func text(
        of request: SearchRequest, coveringRanges: Bool
    ) throws(SQLiteError) -> [UInt8]? {
        var parts: [Part] = []
        if let condition = request.query.condition { parts.append(try part(of: condition)) }
        if let customer = request.customer { parts.append(try filter(FilterTerm(.customer, customer))) }
        for clause in request.query.ranges where coveringRanges && clause.field != .created {
            // What nothing holds for is found out when it is compared.
            var alternatives: [Part] = []
            for term in NumericBuckets.cover(clause) { alternatives.append(try filter(term)) }
            parts.append(Self.any(alternatives))
        }
        switch Self.all(parts) {
        case .nothing: return nil
        case .some(let text): return text
        case .everything:
            if case .some(let text) = try everything() { return text }
            return nil
        }
    }

    /// The term that every document has; a file without documents has it not.
    private mutating func everything() throws(SQLiteError) -> Part { try filter(.every) }

    private mutating func part(of condition: SearchCondition) throws(SQLiteError) -> Part {
        switch condition {
        case .words(let term): return try words(term)
        case .filter(let term): return term.kind == .every ? .everything : try filter(term)
        case .not(let inner):
            switch try part(of: inner) {
            case .everything: return .nothing
            case .nothing: return .everything
            case .some(let text):
                guard case .some(let all) = try everything() else { return .nothing }
                return .some(Self.open + all + Array(" NOT ".utf8) + text + Self.close)
            }
        case .all(let conditions):
            var positive: [Part] = []
            var negative: [Part] = []
            for condition in conditions {
                // `a NOT b` is found by a alone, and needs no look at everything.
                if case .not(let inner) = condition {
                    negative.append(try part(of: inner))
                } else {
                    positive.append(try part(of: condition))
                }
            }
            return try without(Self.any(negative), from: Self.all(positive))
        case .any(let conditions):
            var parts: [Part] = []
            for condition in conditions { parts.append(try part(of: condition)) }
            return Self.any(parts)
        }
    }

    private mutating func without(_ negative: Part, from positive: Part) throws(SQLiteError) -> Part {
        switch (positive, negative) {
        case (_, .nothing): return positive
        case (.nothing, _), (_, .everything): return .nothing
        case (.some(let text), .some(let excluded)):
            return .some(Self.open + text + Array(" NOT ".utf8) + excluded + Self.close)
        case (.everything, .some(let excluded)):
            guard case .some(let all) = try everything() else { return .nothing }
            return .some(Self.open + all + Array(" NOT ".utf8) + excluded + Self.close)
        }
    }

    private mutating func filter(_ term: FilterTerm) throws(SQLiteError) -> Part {
        guard let number = try terms.number(of: term), let word = FilterWords.word(of: number) else { return .nothing }
        return .some(Self.quoted([word]))
    }

    private func words(_ term: WordTerm) throws(SQLiteError) -> Part {
        var parts = [try self.phrase(term.phrase, isPrefix: term.isPrefix)]
        if let whole = term.whole { parts.append(try phrase([whole], isPrefix: term.isPrefix)) }
        guard case .some(let text) = Self.any(parts) else { return .nothing }
        switch term.field {
        case .any: return .some(text)
        case .name: return .some(Array("{name} : ".utf8) + Self.open + text + Self.close)
        case .tags: return .some(Array("{tags} : ".utf8) + Self.open + text + Self.close)
        }
    }

    private func phrase(_ words: [[UInt8]], isPrefix: Bool) throws(SQLiteError) -> Part {
        guard isPrefix else { return .some(Self.quoted(words)) }
        if words.count == 1, let known = try vocabulary(beginningWith: words[0]) {
            return Self.any(known.map { .some(Self.quoted([$0])) })
        }
        return .some(Self.quoted(words) + [0x2A])
    }

    /// Nil where the prefix is short, or there are too many words.
    private func vocabulary(beginningWith prefix: [UInt8]) throws(SQLiteError) -> [[UInt8]]? {
        guard prefix.count(where: { $0 & 0xC0 != 0x80 }) >= Self.expandedLengthMin else { return nil }
        return try connection.with(
            "SELECT word FROM vocabulary WHERE word >= ?1 AND word < ?2 ORDER BY word LIMIT ?3"
        ) { (row) throws(SQLiteError) in
            row.bind(prefix, at: 1)
            // No word has this byte.
            row.bind(prefix + [0xFF], at: 2)
            row.bind(Int64(Self.expandedWordsMax + 1), at: 3)
            var found: [[UInt8]] = []
            while try row.step() { found.append(row.bytes(0)) }
            return found.count > Self.expandedWordsMax ? nil : found
        }
    }

    private static let open: [UInt8] = [0x28]
    private static let close: [UInt8] = [0x29]

    /// Words hold no quotes: they are letters and digits.
    private static func quoted(_ words: [[UInt8]]) -> [UInt8] {
        [0x22] + words.map { $0.filter { $0 != 0x22 } }.joined(separator: [0x20]) + [0x22]
    }

    private static func all(_ parts: [Part]) -> Part {
        var texts: [[UInt8]] = []
        for part in parts {
            switch part {
            case .everything: continue
            case .nothing: return .nothing
            case .some(let text): texts.append(text)
            }
        }
        return joined(texts, " AND ") ?? .everything
    }

    private static func any(_ parts: [Part]) -> Part {
        var texts: [[UInt8]] = []
        for part in parts {
            switch part {
            case .everything: return .everything
            case .nothing: continue
            case .some(let text): texts.append(text)
            }
        }
        return joined(texts, " OR ") ?? .nothing
    }

    private static func joined(_ texts: [[UInt8]], _ word: String) -> Part? {
        guard let first = texts.first else { return nil }
        return .some(texts.count == 1 ? first : open + texts.joined(separator: Array(word.utf8)) + close)
    }
}
