import Testing

@testable import Search

@Suite struct QueryParserTests {
    private func parse(_ text: String) throws -> SearchQuery { try SearchQuery.parse(Array(text.utf8)) }

    private func condition(_ text: String) throws -> SearchCondition? { try parse(text).condition }

    private func error(_ text: String) -> SearchQueryError? {
        do throws(SearchQueryError) {
            _ = try SearchQuery.parse(Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    private func word(_ words: String..., prefix: Bool = false, whole: String? = nil, field: WordTerm.Field = .any)
        -> SearchCondition
    {
        .words(
            WordTerm(
                field: field, phrase: words.map { Array($0.utf8) }, whole: whole.map { Array($0.utf8) },
                isPrefix: prefix))
    }

    private func filter(_ kind: FilterTerm.Kind, _ value: String) -> SearchCondition {
        .filter(FilterTerm(kind, Array(value.utf8)))
    }

    @Test func `words must all be there`() throws {
        #expect(try condition("Red car") == .all([word("red"), word("car")]))
        #expect(try condition("one") == word("one"))
        #expect(try parse("") == .all)
        #expect(try parse("   ") == .all)
    }

    @Test func `a word that is several is a phrase`() throws {
        #expect(try condition("img_2041.jpg") == word("img", "2041", "jpg"))
        #expect(try condition("MyPhoto") == word("my", "photo", whole: "myphoto"))
        #expect(try condition("\"red car\"") == word("red", "car"))
        #expect(try condition(#""say \"no\"""#) == word("say", "no"))
    }

    @Test func `a star at the end makes a prefix`() throws {
        #expect(try condition("hol*") == word("hol", prefix: true))
        #expect(try condition("img20*") == word("img", "20", prefix: true, whole: "img20"))
        #expect(try condition("*") == .filter(.every))
        #expect(error("a*")?.position == 1)
        #expect(error("a*")?.expected.contains("at least 2") == true)
        #expect(error("red ca*r")?.position == 7)
    }

    @Test func `minus, OR and parentheses`() throws {
        #expect(try condition("red -car") == .all([word("red"), .not(word("car"))]))
        #expect(
            try condition("a1 b2 OR c")
                == .any([.all([word("a", "1", whole: "a1"), word("b", "2", whole: "b2")]), word("c")]))
        #expect(try condition("red (car|bus)") == .all([word("red"), .any([word("car"), word("bus")])]))
        #expect(try condition("-(red car)") == .not(.all([word("red"), word("car")])))
        #expect(try condition("red AND car") == .all([word("red"), word("car")]))
        #expect(try condition("red - car") == .all([word("red"), word("car")]))
        #expect(try condition("ORder") == word("o", "rder", whole: "order") || condition("ORder") != nil)
    }

    @Test func `fields hold exact values`() throws {
        #expect(try condition("tag:Été") == filter(.tag, "ete"))
        #expect(try condition("tag:\"summer 2026\"") == filter(.tag, "summer 2026"))
        #expect(try condition("tag:sum*") == word("sum", prefix: true, field: .tags))
        #expect(try condition("TYPE:Image") == filter(.type, "image"))
        #expect(try condition("folder:/Brand//Logos/") == filter(.folder, "brand/logos"))
        #expect(try condition("folder:/") == filter(.folder, ""))
        #expect(try condition("mime:image/*") == filter(.mime, "image/*"))
        #expect(try condition("name:report*") == word("report", prefix: true, field: .name))
        #expect(try condition("-tag:old") == .not(filter(.tag, "old")))
    }

    @Test func `sizes have units`() throws {
        func range(_ text: String) throws -> NumericRange? { try parse(text).ranges.first?.range }
        #expect(try range("size:>1mb") == NumericRange(1_000_001, .max))
        #expect(try range("size:>=1.5MiB") == NumericRange(1_572_864, .max))
        #expect(try range("size:<2k") == NumericRange(.min, 1_999))
        #expect(try range("size:100..200") == NumericRange(100, 200))
        #expect(try range("size:1gb..") == NumericRange(1_000_000_000, .max))
        #expect(try range("size:..1gb") == NumericRange(.min, 1_000_000_000))
        #expect(try range("size:7") == NumericRange(7, 7))
        #expect(try parse("-size:>1mb").ranges == [RangeClause(.size, NumericRange(1_000_001, .max), isNegated: true)])
        for text in [
            "size:big", "size:>", "size:1xb", "size:99999999999999999999", "size:9999999tb", "size:-1", "size:..",
            "size:1.2.3",
        ] {
            #expect(error(text) != nil, "\(text)")
        }
        #expect(error("red size:5..2")?.position == 13)
    }

    @Test func `dates are years, months, days and moments in UTC`() throws {
        func range(_ text: String) throws -> NumericRange? { try parse(text).ranges.first?.range }
        let january = NumericRange(1_767_225_600_000, 1_769_903_999_999)
        #expect(try range("created:2026-01") == january)
        #expect(try range("created:2026-01..2026-02") == NumericRange(january.lower, 1_772_323_199_999))
        #expect(try range("created:>2026-01") == NumericRange(january.upper + 1, .max))
        #expect(try range("created:>=2026-01-31") == NumericRange(1_769_817_600_000, .max))
        #expect(try range("updated:<=2026") == NumericRange(.min, 1_798_761_599_999))
        #expect(try range("created:<2026-01-01T00:00:01Z") == NumericRange(.min, 1_767_225_600_999))
        for text in ["created:2026-13", "created:2026-02-30", "created:26", "created:soon", "created:2026-1"] {
            #expect(error(text)?.position == 9, "\(text)")
        }
    }

    @Test func `durations and pixels`() throws {
        func range(_ text: String) throws -> RangeClause? { try parse(text).ranges.first }
        #expect(try range("duration:>90") == RangeClause(.duration, NumericRange(90_001, .max)))
        #expect(try range("duration:1:30..2m") == RangeClause(.duration, NumericRange(90_000, 120_000)))
        #expect(try range("duration:500ms") == RangeClause(.duration, NumericRange(500, 500)))
        #expect(try range("width:>=1920") == RangeClause(.width, NumericRange(1920, .max)))
        #expect(error("height:tall")?.expected == "a whole number of pixels")
    }

    @Test func `an error names the character and what was expected`() {
        for (text, position, part) in [
            ("foo:bar", 1, "one of tag:"), ("ünï type:picture", 10, "audio, image, video or document"),
            ("red (car", 9, "a )"), ("red)", 4, "no )"), ("()", 2, "between the parentheses"),
            ("OR red", 1, "before OR"),
            ("red OR", 7, "behind OR"), ("\"red", 5, "a \""), ("tag:", 5, "a value behind tag:"), ("&&", 1, "letter"),
            ("--red", 2, "a word"), ("mime:png", 6, "image/png"), ("(size:>1)", 2, "no range"),
            ("size:>1 OR red", 1, "no range"), ("\"red\"car", 6, "a space"), ("name:...", 6, "a name"),
        ] {
            let found = error(text)
            #expect(found?.position == position, "\(text): \(String(describing: found))")
            #expect(found?.expected.contains(part) == true, "\(text): \(String(describing: found))")
        }
    }

    @Test func `length, terms and depth are bounded`() {
        #expect(error(String(repeating: "a", count: 2_049))?.position == 2_049)
        #expect(error(String(repeating: "a ", count: 65))?.position == 129)
        #expect(error(String(repeating: "(", count: 100) + "a")?.position == 9)
        #expect(error("\"" + String(repeating: "東", count: 100) + "\"")?.expected.contains("words in a phrase") == true)
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: SearchQueryError(position: 1, expected: "text in UTF-8")) {
            try SearchQuery.parse([0x61, 0xFF])
        }
    }

    @Test func `any bytes end in a query or an error`() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("ab1 ()\"-|*:.>\\OR tag:size:é東\u{0}".utf8)
        for _ in 0..<5_000 {
            let length = Int.random(in: 0...40, using: &random)
            let text = (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            do throws(SearchQueryError) { _ = try SearchQuery.parse(text) } catch {
                #expect(error.position >= 1 && error.position <= text.count + 1, "\(text)")
            }
        }
    }
}
