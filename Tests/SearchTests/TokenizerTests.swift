import Testing

@testable import Search

@Suite struct TokenizerTests {
    private func words(_ text: String) -> [String] {
        FieldWords(Array(text.utf8), countMax: 100).parts.map { String(decoding: $0, as: UTF8.self) }
    }

    private func wholes(_ text: String) -> [String] {
        FieldWords(Array(text.utf8), countMax: 100).wholes.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `words are separated by whatever is no letter or digit`() {
        #expect(words("IMG_2041-final.v2.JPG") == ["img", "2041", "final", "v", "2", "jpg"])
        #expect(words("  a\t b\u{0}c/d ") == ["a", "b", "c", "d"])
        #expect(words("&?!— …") == [])
    }

    @Test func `a run of several parts is split and kept whole`() {
        #expect(words("MyHolidayPhoto") == ["my", "holiday", "photo"])
        #expect(wholes("MyHolidayPhoto") == ["myholidayphoto"])
        #expect(words("parseHTTPServer2nd") == ["parse", "http", "server", "2", "nd"])
        #expect(wholes("parseHTTPServer2nd plain IMG_2041") == ["parsehttpserver2nd"])
        #expect(words("ÜberGröße") == ["uber", "grosse"])
    }

    @Test func `case and diacritics make no difference`() {
        #expect(words("Crème BRÛLÉE") == ["creme", "brulee"])
        #expect(words("Straße STRASSE ẞ") == ["strasse", "strasse", "ss"])
        #expect(words("Łódź Ærø Œuvre Þór") == ["lodz", "aero", "oeuvre", "thor"])
        #expect(words("Ἀθῆναι ΑΘΉΝΑΙ Σίσυφος") == ["αθηναι", "αθηναι", "σισυφοσ"])
        #expect(words("Ёлка елка Йод") == ["елка", "елка", "иод"])
        #expect(words("İstanbul") == ["istanbul"])
        #expect(words("ＡＢＣ１２") == ["abc", "12"])
        #expect(words("don't don’t") == ["dont", "dont"])
    }

    @Test func `composed and decomposed text is the same`() {
        for (composed, decomposed) in [
            ("Crème", "Cre\u{300}me"), ("Йод", "И\u{306}од"), ("ガギ", "カ\u{3099}キ\u{3099}"), ("ぱ", "は\u{309A}"),
            ("한글", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}"), ("Ñandú", "N\u{303}andu\u{301}"),
        ] {
            #expect(words(composed) == words(decomposed), "\(composed)")
            #expect(Folding.folded(Array(composed.utf8)) == Folding.folded(Array(decomposed.utf8)), "\(composed)")
        }
    }

    @Test func `scripts without spaces give a word for each letter`() {
        #expect(words("東京タワー2024") == ["東", "京", "タ", "ワ", "ー", "2024"])
        #expect(words("한글x") == ["한", "글", "x"])
    }

    @Test func `digits of every script are digits`() {
        #expect(words("٢٠٢٦ २०२६") == ["2026", "2026"])
    }

    @Test func `what is not UTF-8 separates and does no harm`() {
        let parts = FieldWords([0x61, 0xFF, 0x62, 0xC3], countMax: 10).parts
        #expect(parts == [[0x61], [0x62]])
    }

    @Test func `long words are cut between characters, and many words end`() {
        let long = FieldWords(Array(String(repeating: "ж", count: 300).utf8), countMax: 10)
        #expect(long.parts.count == 1 && long.parts[0].count == Tokenizer.wordLengthMax)
        #expect(String(validating: long.parts[0], as: UTF8.self) != nil)
        #expect(FieldWords(Array(String(repeating: "a ", count: 1000).utf8), countMax: 10).parts.count == 10)
    }

    @Test func `private characters never become words`() {
        #expect(words("a\u{E000}\u{F8FF}b") == ["a", "b"])
    }
}
