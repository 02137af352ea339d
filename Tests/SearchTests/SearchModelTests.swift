import Testing

@testable import Search

@Suite struct NumericBucketsTests {
    @Test func `a range's cover has a term of every number in it`() {
        var random = SystemRandomNumberGenerator()
        for field in NumericField.allCases {
            for _ in 0..<400 {
                let bits = Int64.random(in: 1...44, using: &random)
                let a = Int64.random(in: 0..<(1 << bits), using: &random)
                let b = Int64.random(in: 0..<(1 << bits), using: &random)
                let range = NumericRange(min(a, b), Bool.random() ? .max : max(a, b))
                let cover = Set(NumericBuckets.cover(range, field))
                #expect(cover.count <= 80)
                for _ in 0..<20 {
                    let value = Int64.random(in: 0..<(1 << bits), using: &random)
                    let terms = NumericBuckets.terms(of: value, field)
                    if range.contains(value) {
                        #expect(!cover.isDisjoint(with: terms), "\(value) in \(range) \(field)")
                    }
                }
            }
        }
    }

    @Test func `a cover reaches little over the ends of its range`() {
        let cover = Set(NumericBuckets.cover(NumericRange(1_000_000, 2_000_000), .size))
        for value in [700_000, 2_700_000, 10, 1 << 40] as [Int64] {
            #expect(cover.isDisjoint(with: NumericBuckets.terms(of: value, .size)), "\(value)")
        }
    }

    @Test func `buckets ascend with their numbers`() {
        var last: Int64 = 0
        for value in (0..<5_000).map({ Int64($0) }) + (12...62).map({ Int64(1) << $0 }) + [.max] {
            let bucket = NumericBuckets.bucket(of: value, .size)
            #expect(bucket >= last && bucket <= 255)
            last = bucket
        }
    }

    @Test func `what has no number is found by the negated range only`() {
        let clause = RangeClause(.duration, NumericRange(1_000, .max), isNegated: true)
        #expect(!Set(NumericBuckets.cover(clause)).isDisjoint(with: NumericBuckets.terms(of: nil, .duration)))
        #expect(!Set(NumericBuckets.cover(clause)).isDisjoint(with: NumericBuckets.terms(of: 10, .duration)))
        #expect(clause.holds(for: nil) && clause.holds(for: 10) && !clause.holds(for: 1_000))
    }

    @Test func `an empty range has no cover`() {
        #expect(NumericBuckets.cover(NumericRange(.max, .min), .size).isEmpty)
    }
}

@Suite struct SearchTermsTests {
    private func document(folder: String = "", tags: [String] = [], mime: String = "image/png") -> SearchDocument {
        SearchDocument(
            id: [UInt8](repeating: 1, count: 16), customer: Array("acme".utf8), type: Array("image".utf8),
            name: Array("Photo1.png".utf8), texts: [Array("A title".utf8)], tags: tags.map { Array($0.utf8) },
            folder: Array(folder.utf8), mime: Array(mime.utf8), size: 5, created: 0, updated: 0)
    }

    private func values(_ kind: FilterTerm.Kind, _ document: SearchDocument) -> [String] {
        SearchTerms(of: document).filters.filter { $0.kind == kind }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    @Test func `an asset is found by its folder and those above`() {
        #expect(values(.folder, document(folder: "Brand/Logos/2026")) == ["brand", "brand/logos", "brand/logos/2026"])
        #expect(values(.folder, document()) == [""])
    }

    @Test func `a pair is found by its key too`() {
        #expect(values(.tag, document(tags: ["Color=Red", "sale", "color"])) == ["color=red", "color", "sale"])
    }

    @Test func `a content type is found without its parameters and by its group`() {
        #expect(values(.mime, document(mime: "Text/Plain; charset=utf-8")) == ["text/plain", "text/*"])
        #expect(values(.mime, document(mime: "")) == [])
    }

    @Test func `every term has a text of its own`() {
        let filters = SearchTerms(of: document(folder: "a/b", tags: ["a", "a/b"])).filters
        #expect(Set(filters.map(\.text)).count == filters.count)
    }
}

@Suite struct RelevanceTests {
    private func score(_ query: String, name: String, tags: String = "") throws -> Int64 {
        let relevance = Relevance(try SearchQuery.parse(Array(query.utf8)))
        func field(_ text: String) -> [UInt8] {
            let words = FieldWords(Array(text.utf8), countMax: 100)
            return Relevance.spaced(words.parts + words.wholes)
        }
        return relevance.score(name: field(name).span, tags: field(tags).span)
    }

    @Test func `the name counts more than tags, and tags more than the rest`() throws {
        let exact = try score("holiday", name: "holiday")
        let start = try score("holiday", name: "holiday beach")
        let inside = try score("holiday", name: "beach holiday")
        let tag = try score("holiday", name: "beach", tags: "holiday")
        let rest = try score("holiday", name: "beach")
        #expect(exact > start && start > inside && inside > tag && tag > rest && rest > 0)
    }

    @Test func `only whole words count, unless the query says prefix`() throws {
        #expect(try score("holi", name: "holiday") == score("holi", name: "beach"))
        #expect(try score("holi*", name: "holiday") > score("holi*", name: "beach"))
        #expect(try score("-beach", name: "beach") == 0)
    }

    @Test func `a phrase counts as one`() throws {
        #expect(try score("\"red car\"", name: "a red car") > score("\"red car\"", name: "a car red"))
    }
}

@Suite struct SearchCursorTests {
    @Test func `a cursor reads back, and altered text does not crash`() {
        for key in SearchSort.Key.allCases {
            let cursor = SearchCursor(
                sort: SearchSort(key, isDescending: key == .size), digest: 0xDEAD_BEEF_0000_0001,
                last: SortPlace(number: -5, text: Array("a b".utf8), id: Array(0..<16)))
            #expect(SearchCursor(cursor.text) == cursor)
            for place in cursor.text.indices {
                var altered = cursor.text
                altered[place] ^= 1
                _ = SearchCursor(altered)
            }
            #expect(SearchCursor(cursor.text.dropLast(12)) == nil)
        }
        #expect(SearchCursor([]) == nil && SearchCursor(Array("!".utf8)) == nil)
    }

    @Test func `places are ordered by value, then newest first`() {
        func place(_ number: Int64, _ id: UInt8) -> SortPlace {
            SortPlace(number: number, id: [UInt8](repeating: id, count: 16))
        }
        let ascending = SearchSort(.size, isDescending: false)
        let descending = SearchSort(.size, isDescending: true)
        #expect(place(1, 1).comes(before: place(2, 1), in: ascending))
        #expect(place(2, 1).comes(before: place(1, 1), in: descending))
        #expect(place(1, 2).comes(before: place(1, 1), in: ascending))
        #expect(place(1, 2).comes(before: place(1, 1), in: descending))
        #expect(!place(1, 1).comes(before: place(1, 1), in: ascending))
    }

    @Test func `an order is written as a word with a minus for the other way`() {
        #expect(SearchSort("-size".utf8) == SearchSort(.size, isDescending: true))
        #expect(SearchSort("name".utf8) == SearchSort(.name, isDescending: false))
        #expect(SearchSort("relevance".utf8) == .relevance)
        #expect(SearchSort("-relevance".utf8) == nil && SearchSort("".utf8) == nil)
    }
}
