import Bytes
import Search

/// A query that is read keeps its limits, is made of words that need no quoting in any index, and reads the same twice. One that is
/// not says where, within the text.
func fuzzSearch(_ input: [UInt8]) {
    do throws(SearchQueryError) {
        let query = try SearchQuery.parse(input)
        require(input.count <= SearchQuery.lengthMax, "length")
        require((try? SearchQuery.parse(input)) == query, "read otherwise the second time")
        requireLimits(of: query)
        for term in query.rankedWords { requireWords(of: term) }
    } catch {
        require(!error.expected.isEmpty, "an error that says nothing")
        require((1...input.count + 1).contains(error.position), "position \(error.position) of \(input.count) bytes")
    }
}

private func requireLimits(of query: SearchQuery) {
    var count = query.ranges.count
    for clause in query.ranges {
        let terms = NumericBuckets.cover(clause)
        require(terms.count <= 4_096 && terms.allSatisfy { $0.kind == .bucket }, "\(terms.count) terms of a range")
    }
    var level = query.condition.map { [$0] } ?? []
    var depth = 0
    while !level.isEmpty {
        depth += 1
        // Each parenthesis is one of alternatives, one of conditions, and a negation at most.
        require(depth <= 3 * (SearchQuery.depthMax + 1) + 1, "depth")
        var next: [SearchCondition] = []
        for condition in level {
            switch condition {
            case .words(let term):
                count += 1
                requireWords(of: term)
            case .filter: count += 1
            case .not(let inner): next.append(inner)
            case .all(let parts), .any(let parts):
                require(parts.count >= 2, "a group of \(parts.count)")
                next += parts
            }
        }
        level = next
    }
    require(count <= SearchQuery.termCountMax, "\(count) terms")
}

private func requireWords(of term: WordTerm) {
    require(!term.phrase.isEmpty, "a phrase of no words")
    for word in term.phrase + (term.whole.map { [$0] } ?? []) {
        require(!word.isEmpty, "an empty word")
        require(String(validating: word, as: UTF8.self) != nil, "a word that is not text")
        for byte in word where byte < 0x80 {
            require(Ascii.isLower(byte) || Ascii.isDigit(byte), "byte \(byte) in a word")
        }
    }
}
