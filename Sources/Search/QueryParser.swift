import Bytes

/// Reads a query from left to right with a stack of open parentheses.
struct QueryParser {
    let text: [UInt8]
    private(set) var place = 0
    private var groups: [Group] = []
    private var ranges: [RangeClause] = []
    private var termCount = 0
    private var firstRange: Int?
    /// Where something stood that had no letter or digit.
    private var firstEmpty: Int?

    /// What stands between two parentheses, as far as it was read.
    private struct Group {
        var start: Int
        var isNegated: Bool
        var alternatives: [[SearchCondition]] = []
        var current: [SearchCondition] = []
        /// Anything stood behind the last OR, even what says nothing.
        var hasContent = false
        var lastOr: Int?
    }

    init(_ text: [UInt8]) throws(SearchQueryError) {
        self.text = text
        if text.count > SearchQuery.lengthMax {
            throw SearchQueryError(
                position: SearchQuery.lengthMax + 1, expected: "at most \(SearchQuery.lengthMax) bytes")
        }
        if String(validating: text, as: UTF8.self) == nil { throw error(at: 0, "text in UTF-8") }
    }

    func error(at place: Int, _ expected: String) -> SearchQueryError {
        // Bytes that continue a character are not counted.
        let position = text.prefix(max(0, place)).count { $0 & 0xC0 != 0x80 } + 1
        return SearchQueryError(position: position, expected: expected)
    }

    mutating func parse() throws(SearchQueryError) -> SearchQuery {
        groups = [Group(start: 0, isNegated: false)]
        while true {
            skipSpace()
            guard place < text.count else { break }
            try next()
        }
        if groups.count > 1 { throw error(at: text.count, "a ) for the ( before") }
        guard let root = groups.popLast() else { return .all }
        let isAlternative = root.lastOr != nil
        if isAlternative, let firstRange { throw error(at: firstRange, "no range in a query with OR") }
        let condition = try close(root, at: text.count)
        if condition == nil, ranges.isEmpty, let firstEmpty {
            throw error(at: firstEmpty, "a word with a letter or a digit")
        }
        return SearchQuery(condition: condition, ranges: ranges)
    }

    private mutating func next() throws(SearchQueryError) {
        switch text[place] {
        case 0x28:
            try open(isNegated: false, at: place)
            place += 1
        case 0x29:
            guard groups.count > 1, let group = groups.popLast() else { throw error(at: place, "no ) without a (") }
            let condition = try close(group, at: place)
            place += 1
            note()
            if let condition { add(group.isNegated ? .not(condition) : condition) }
        case 0x7C: try or(length: 1)
        case Ascii.dash where place + 1 < text.count && !isEnd(text[place + 1]) && text[place + 1] != Ascii.dash:
            let start = place
            place += 1
            if text[place] == 0x28 {
                try open(isNegated: true, at: start)
                place += 1
            } else {
                try term(isNegated: true)
            }
        case Ascii.dash where place + 1 < text.count && text[place + 1] == Ascii.dash:
            throw error(at: place + 1, "a word behind the -")
        // A dash between words, as in a name that was pasted.
        case Ascii.dash: place += 1
        default:
            if word("OR") {
                try or(length: 2)
            } else if word("AND") {
                place += 3
            } else {
                try term(isNegated: false)
            }
        }
    }

    // MARK: Groups

    private mutating func open(isNegated: Bool, at start: Int) throws(SearchQueryError) {
        if groups.count > SearchQuery.depthMax {
            throw error(at: start, "at most \(SearchQuery.depthMax) parentheses within each other")
        }
        groups.append(Group(start: start, isNegated: isNegated))
    }

    private mutating func or(length: Int) throws(SearchQueryError) {
        let last = groups.count - 1
        guard groups[last].hasContent else { throw error(at: place, "a word before OR") }
        groups[last].alternatives.append(groups[last].current)
        groups[last].current = []
        groups[last].hasContent = false
        groups[last].lastOr = place
        place += length
    }

    /// Nil for a group that says nothing.
    private func close(_ group: Group, at end: Int) throws(SearchQueryError) -> SearchCondition? {
        if !group.hasContent, group.lastOr != nil || groups.count > 0 {
            throw error(at: end, group.lastOr == nil ? "a word between the parentheses" : "a word behind OR")
        }
        let alternatives = (group.alternatives + [group.current]).compactMap { parts -> SearchCondition? in
            parts.count > 1 ? .all(parts) : parts.first
        }
        // An alternative that says nothing is no alternative.
        return alternatives.count > 1 ? .any(alternatives) : alternatives.first
    }

    private mutating func note() { groups[groups.count - 1].hasContent = true }

    private mutating func add(_ condition: SearchCondition) { groups[groups.count - 1].current.append(condition) }

    // MARK: Terms

    private mutating func term(isNegated: Bool) throws(SearchQueryError) {
        let start = place
        termCount += 1
        if termCount > SearchQuery.termCountMax { throw error(at: start, "at most \(SearchQuery.termCountMax) terms") }
        let condition: SearchCondition?
        if let field = try fieldName() {
            let value = try value(of: field.rawValue)
            switch try FieldValue(parser: self).read(field, value) {
            case .condition(let read): condition = read
            case .range(let numeric, let range):
                if groups.count > 1 { throw error(at: start, "no range within parentheses") }
                firstRange = firstRange ?? start
                ranges.append(RangeClause(numeric, range, isNegated: isNegated))
                note()
                return
            }
        } else {
            condition = try words()
        }
        note()
        guard let condition else {
            firstEmpty = firstEmpty ?? start
            return
        }
        add(isNegated ? .not(condition) : condition)
    }

    /// A word, a prefix or a phrase; nil for what has no letter and no digit.
    private mutating func words() throws(SearchQueryError) -> SearchCondition? {
        let value = try value(of: nil)
        if value.bytes.elementsEqual([Ascii.asterisk]), !value.isQuoted { return .filter(.every) }
        return try FieldValue(parser: self).words(value, in: .any).map { .words($0) }
    }

    /// The name before a colon, passed over with it; nil where no field is named.
    private mutating func fieldName() throws(SearchQueryError) -> QueryField? {
        var end = place
        while end < text.count, Ascii.isLetter(text[end]) { end += 1 }
        guard end > place, end < text.count, text[end] == Ascii.colon else { return nil }
        let name = Ascii.lowered(text[place..<end])
        guard let field = QueryField.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name) }) else {
            let known = QueryField.allCases.map { "\($0.rawValue):" }.joined(separator: ", ")
            throw error(at: place, "one of \(known), or quotes around text with a colon")
        }
        place = end + 1
        return field
    }

    /// A value as it was written: up to a space or parenthesis, or what stands in quotes.
    struct Value {
        var bytes: [UInt8]
        var start: Int
        var isQuoted: Bool
    }

    private mutating func value(of field: String?) throws(SearchQueryError) -> Value {
        let start = place
        if place < text.count, text[place] == Ascii.quote { return try quoted() }
        while place < text.count, !isEnd(text[place]), text[place] != 0x28, text[place] != Ascii.quote,
            text[place] != 0x7C
        { place += 1 }
        if place == start {
            throw error(at: start, field.map { "a value behind \($0):" } ?? "a word")
        }
        return Value(bytes: [UInt8](text[start..<place]), start: start, isQuoted: false)
    }

    /// A backslash before a quote or a backslash stands for that character.
    private mutating func quoted() throws(SearchQueryError) -> Value {
        let start = place
        var bytes: [UInt8] = []
        place += 1
        while place < text.count, text[place] != Ascii.quote {
            let isEscape = text[place] == 0x5C && place + 1 < text.count
            if isEscape, text[place + 1] == Ascii.quote || text[place + 1] == 0x5C { place += 1 }
            bytes.append(text[place])
            place += 1
        }
        guard place < text.count else {
            throw error(at: text.count, "a \" for the one at \(error(at: start, "").position)")
        }
        place += 1
        if place < text.count, !isEnd(text[place]), text[place] != 0x28 {
            throw error(at: place, "a space behind the \"")
        }
        return Value(bytes: bytes, start: start + 1, isQuoted: true)
    }

    // MARK: Characters

    private mutating func skipSpace() {
        while place < text.count, isSpace(text[place]) { place += 1 }
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte <= Ascii.space }

    private func isEnd(_ byte: UInt8) -> Bool { isSpace(byte) || byte == 0x29 }

    /// Whether this word, in capitals, stands alone here.
    private func word(_ name: StaticString) -> Bool {
        guard Ascii.hasPrefix(text[place...], name) else { return false }
        let end = place + name.utf8CodeUnitCount
        return end == text.count || isEnd(text[end]) || text[end] == 0x28
    }
}
