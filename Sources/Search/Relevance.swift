/// How well an asset fits the words of a query. A word in the name is worth more than one in a tag, and that more than one
/// elsewhere; a name that is the words asked for, or begins with them, comes before others.
public struct Relevance: Sendable {
    private struct Term: Sendable {
        /// Each alternative is found as it stands: words with a space before, between and (unless they may go on) after.
        var alternatives: [[UInt8]]
        var mayBeName: Bool
        var mayBeTag: Bool
    }

    private let terms: [Term]

    public init(_ query: SearchQuery) {
        terms = query.rankedWords.map { term in
            var alternatives = [term.phrase]
            if let whole = term.whole { alternatives.append([whole]) }
            return Term(
                alternatives: alternatives.map { words in
                    Self.spaced(words, endsOpen: term.isPrefix)
                }, mayBeName: term.field != .tags, mayBeTag: term.field != .name)
        }
    }

    /// No word is asked for: every score is 0.
    public var isEmpty: Bool { terms.isEmpty }

    private static let isName: Int64 = 96
    private static let beginsName: Int64 = 72
    private static let inName: Int64 = 64
    private static let inTag: Int64 = 4
    private static let elsewhere: Int64 = 1

    /// The words of a field, as `score` takes them: a space before each and one at the end.
    public static func spaced(_ words: [[UInt8]], endsOpen: Bool = false) -> [UInt8] {
        var out: [UInt8] = []
        for word in words {
            out.append(0x20)
            out += word
        }
        if !endsOpen { out.append(0x20) }
        return out
    }

    /// Stands between words that are no neighbours: a character from Unicode's private area, which no text has.
    public static let gap: [UInt8] = [0xEE, 0x80, 0x80]

    /// The words of the fields, and the wholes of their runs, each apart from the others, as `score` takes them.
    public static func text(of fields: [FieldWords]) -> [UInt8] {
        var words: [[UInt8]] = []
        for field in fields where !field.parts.isEmpty {
            if !words.isEmpty { words.append(gap) }
            words += field.parts
        }
        for whole in fields.flatMap(\.wholes) { words += [gap, whole] }
        return spaced(words)
    }

    /// 0 or more. Both fields as `spaced` gives them.
    public func score(name: Span<UInt8>, tags: Span<UInt8>) -> Int64 {
        var score: Int64 = 0
        for term in terms {
            var best = Self.elsewhere
            for words in term.alternatives {
                if term.mayBeName, let place = Self.find(words, in: name) {
                    best = max(
                        best, place > 0 ? Self.inName : words.count == name.count ? Self.isName : Self.beginsName)
                } else if term.mayBeTag, best < Self.inTag, Self.find(words, in: tags) != nil {
                    best = Self.inTag
                }
            }
            score += best
        }
        return score
    }

    private static func find(_ words: [UInt8], in field: Span<UInt8>) -> Int? {
        guard words.count <= field.count, words.count > 1 else { return nil }
        let second = words[1]
        var place = 0
        while place <= field.count - words.count {
            // The first byte is a space, which says little.
            if field[place + 1] == second, field[place] == 0x20 {
                var index = 2
                while index < words.count, field[place + index] == words[index] { index += 1 }
                if index == words.count { return place }
            }
            place += 1
        }
        return nil
    }
}
