import SQLite
import Search

/// Writes conditions in FTS5's language (sqlite.org/fts5.html, section 3). Only words that `Tokenizer` made and words of
/// filters get in, each between quotes; both consist of letters and digits, and are bound as a parameter.
struct SearchExpression {
    private var terms: FilterWords

    init(_ connection: Connection) { terms = FilterWords(connection) }

    /// What a condition comes to, given the terms that there are.
    private enum Part {
        case everything
        case nothing
        case some([UInt8])
    }

    /// Nil where nothing can match.
    mutating func text(of request: SearchRequest) throws(SQLiteError) -> [UInt8]? {
        var parts: [Part] = []
        if let condition = request.query.condition { parts.append(try part(of: condition)) }
        if let customer = request.customer { parts.append(try filter(FilterTerm(.customer, customer))) }
        for clause in request.query.ranges where clause.field != .created {
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
        case .words(let term): return .some(Self.words(term))
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

    private static func words(_ term: WordTerm) -> [UInt8] {
        let star: [UInt8] = term.isPrefix ? [0x2A] : []
        var text = quoted(term.phrase) + star
        if let whole = term.whole { text = open + text + Array(" OR ".utf8) + quoted([whole]) + star + close }
        switch term.field {
        case .any: return text
        case .name: return Array("{name} : ".utf8) + open + text + close
        case .tags: return Array("{tags} : ".utf8) + open + text + close
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
