/// Makes one spelling of many: lower case, without diacritics, and the same for composed and decomposed text.
///
/// The letters of the Latin, Greek and Cyrillic scripts lose their marks by table (Unicode 15, canonical decomposition, and
/// the usual replacement where there is none: ß is ss, ø is o). Marks of other scripts stay unless they are points that
/// readers leave out (Hebrew, Arabic). Digits of all scripts become ASCII digits, full-width letters ASCII letters.
enum Folding {
    /// What a scalar is to the tokenizer.
    enum Kind: Equatable {
        case lower, upper, digit
        /// Stands inside a word and leaves no trace.
        case dropped
        /// A letter of a script that is written without spaces: a word of its own.
        case single
        case separator
    }

    static func kind(of scalar: Unicode.Scalar) -> Kind {
        switch scalar.value {
        case 0x30...0x39: return .digit
        case 0x61...0x7A: return .lower
        case 0x41...0x5A: return .upper
        case 0x27, 0x2019, 0xAD, 0x200B...0x200D, 0x2060, 0xFE00...0xFE0F, 0xFEFF: return .dropped
        case 0x00..<0xAA: return .separator
        case 0x300...0x36F, 0x591...0x5BD, 0x5BF, 0x5C1...0x5C2, 0x5C4...0x5C5, 0x5C7, 0x610...0x61A, 0x640,
            0x64B...0x65F, 0x670, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF, 0x20D0...0x20FF, 0xFE20...0xFE2F, 0x3099...0x309A:
            return .dropped
        // Thai, Lao, Myanmar, Khmer, kana, CJK ideographs, Hangul.
        case 0xE01...0xE3A, 0xE40...0xE4E, 0xE81...0xECD, 0x1000...0x1049, 0x1780...0x17D3, 0x3005...0x3007,
            0x3041...0x3096, 0x309D...0x309F, 0x30A1...0x30FA, 0x30FC...0x30FF, 0x31F0...0x31FF, 0x3400...0x4DBF,
            0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFF66...0xFF9F, 0x1B000...0x1B16F, 0x20000...0x3FFFF:
            return .single
        // Conjoining jamo are composed first; those left over have no partner.
        case 0x1100...0x11FF: return .single
        default: break
        }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .decimalNumber: return .digit
        case .uppercaseLetter, .titlecaseLetter: return .upper
        case .lowercaseLetter, .modifierLetter, .otherLetter, .nonspacingMark, .spacingMark, .letterNumber,
            .otherNumber:
            return .lower
        default: return .separator
        }
    }

    /// Appends the UTF-8 of the scalar's folded form.
    static func append(_ scalar: Unicode.Scalar, to out: inout [UInt8]) {
        let value = scalar.value
        if value < 0x80 {
            let byte = UInt8(truncatingIfNeeded: value)
            out.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
            return
        }
        if let plain = plain(value) {
            UTF8.append(plain, to: &out)
            return
        }
        if let letters = expansions[value] {
            out += letters.utf8
            return
        }
        if scalar.properties.numericType == .decimal, let number = scalar.properties.numericValue, number >= 0,
            number < 10
        {
            out.append(0x30 + UInt8(number))
            return
        }
        // A lower-case form may have marks again: İ becomes i and a dot above.
        for lower in scalar.properties.lowercaseMapping.unicodeScalars where kind(of: lower) != .dropped {
            UTF8.append(plain(lower.value) ?? lower, to: &out)
        }
    }

    /// Of text that is compared as a whole: tags, folders.
    static func folded(_ text: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        for scalar in Composition.scalars(of: text) {
            // Apostrophes count here.
            if kind(of: scalar) == .dropped, scalar.value > 0x7F, scalar.value != 0x2019 { continue }
            append(scalar, to: &out)
        }
        return out
    }

    /// The letter without its marks; nil where the tables say nothing of it.
    private static func plain(_ value: UInt32) -> Unicode.Scalar? {
        switch value {
        case 0xC0..<0x250: entry(latin, value - 0xC0)
        case 0x386..<0x3D0: entry(greek, value - 0x386)
        case 0x400..<0x500: cyrillic[value].flatMap { Unicode.Scalar($0) }
        case 0x1E00..<0x1F00: entry(latinAdditional, value - 0x1E00)
        case 0x1F00..<0x2000: entry(greekExtended, value - 0x1F00)
        // Full-width forms of ASCII.
        case 0xFF21...0xFF3A: Unicode.Scalar(value - 0xFF21 + 0x61)
        case 0xFF41...0xFF5A: Unicode.Scalar(value - 0xFF41 + 0x61)
        case 0xFF10...0xFF19: Unicode.Scalar(value - 0xFF10 + 0x30)
        default: nil
        }
    }

    private static func entry(_ table: [UInt32], _ place: UInt32) -> Unicode.Scalar? {
        let place = Int(place)
        guard place < table.count, table[place] != dot else { return nil }
        return Unicode.Scalar(table[place])
    }

    private static let dot: UInt32 = 0x2E

    private static func table(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }

    private static let expansions: [UInt32: String] = [
        0xDF: "ss", 0x1E9E: "ss", 0xC6: "ae", 0xE6: "ae", 0x152: "oe", 0x153: "oe", 0xDE: "th", 0xFE: "th",
        0x132: "ij", 0x133: "ij", 0x1E2: "ae", 0x1E3: "ae", 0x1FC: "ae", 0x1FD: "ae", 0xFB00: "ff", 0xFB01: "fi",
        0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl",
    ]

    /// From U+00C0 on, a letter for each scalar; a dot where there is nothing to take away.
    private static let latin = table(
        "aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.yaaaaaaccccccccddddeeeeeeeeeegggggggg"
            + "hhhhiiiiiiiiii..jjkkkllllllllllnnnnnnnnnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzsb......."
            + "........................oo.............uu............................aaiioouuuuuuuuuu.aaaa....ggkkoo"
            + "oo..j...gg..nnaa....aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy...............b............")
    private static let latinAdditional = table(
        "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssss"
            + "ssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy......aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeee"
            + "iiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......")
    private static let greek = table("α.εηι.ο.υωι.........................ιυαεηιυ.................σ.......ιυουω.")
    private static let greekExtended = table(
        "ααααααααααααααααεεεεεε..εεεεεε..ηηηηηηηηηηηηηηηηιιιιιιιιιιιιιιιιοοοοοο..οοοοοο..υυυυυυ"
            + "υυ.υ.υ.υ.υωωωωωωωωωωωωωωωωααεεηηιιοουυωω..ααααααααααααααααηηηηηηηηηηηηηηηηωωωωωωωωωωωω"
            + "ωωωωααααα.ααααααα.....ηηη.ηηεεηηη...ιιιι..ιιιιιι....υυυυρρυυυυυυρ.....ωωω.ωωοοωωω...")
    /// Each letter and what it becomes.
    private static let cyrillic: [UInt32: UInt32] = {
        let pairs = table(
            "ЀеЁеЃгЇіЌкЍиЎуЙийиѐеёеѓгїіќкѝиўуѶѵѷѵӁжӂжӐаӑаӒаӓаӖеӗеӚәӛәӜжӝжӞзӟзӢиӣиӤиӥиӦоӧоӪөӫөӬэӭэӮуӯуӰуӱуӲуӳуӴчӵчӸыӹы")
        var plain: [UInt32: UInt32] = [:]
        for place in stride(from: 0, to: pairs.count - 1, by: 2) { plain[pairs[place]] = pairs[place + 1] }
        return plain
    }()
}

extension UTF8 {
    static func append(_ scalar: Unicode.Scalar, to out: inout [UInt8]) {
        if scalar.value < 0x80 {
            out.append(UInt8(truncatingIfNeeded: scalar.value))
        } else {
            out.append(contentsOf: scalar.utf8)
        }
    }
}
