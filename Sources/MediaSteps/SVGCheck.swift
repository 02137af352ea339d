/// What an SVG is refused for before librsvg sees it. The sandbox and a loader without a base address keep it in anyway;
/// this says why.
enum SVGCheck {
    static func looksLikeSVG(_ head: [UInt8]) -> Bool {
        let text = lowered(head)
        guard text.drop(while: { $0 <= 0x20 || $0 >= 0x80 }).first == UInt8(ascii: "<") else { return false }
        return text.firstRange(of: Array("<svg".utf8)) != nil || text.firstRange(of: Array("<svg:svg".utf8)) != nil
    }

    /// Nil where nothing speaks against the drawing.
    static func refusal(_ bytes: [UInt8]) -> String? {
        let text = lowered(bytes)
        if has(text, "<!entity") { return "it declares entities" }
        if has(text, "<?xml-stylesheet") { return "it refers to a style sheet outside" }
        if has(text, "@import") { return "its style imports another" }
        for name in ["href", "src"] {
            for value in values(of: name, text) where !isInside(value) { return "it refers to something outside" }
        }
        var rest = text[...]
        while let found = rest.firstRange(of: Array("url(".utf8)) {
            rest = rest[found.upperBound...]
            let value = rest.prefix(64).drop { $0 <= 0x20 || $0 == UInt8(ascii: "'") || $0 == UInt8(ascii: "\"") }
            if !isInside(value) && !value.starts(with: Array("&quot;#".utf8)) {
                return "it refers to something outside"
            }
        }
        return nil
    }

    /// The beginnings of the values of an attribute.
    private static func values(of name: String, _ text: [UInt8]) -> [ArraySlice<UInt8>] {
        var found: [ArraySlice<UInt8>] = []
        var rest = text[...]
        while found.count < 10_000, let place = rest.firstRange(of: Array(name.utf8)) {
            // `data-src` and the like are other attributes, and words in text are none.
            let before = place.lowerBound > text.startIndex ? text[place.lowerBound - 1] : 0x20
            rest = rest[place.upperBound...]
            let sign = rest.prefix(16).drop { $0 <= 0x20 }
            guard before <= 0x20 || before == UInt8(ascii: ":"), sign.first == UInt8(ascii: "=") else { continue }
            let quote = rest[(sign.startIndex + 1)...].prefix(16).drop { $0 <= 0x20 }
            guard let mark = quote.first, mark == UInt8(ascii: "\"") || mark == UInt8(ascii: "'") else { continue }
            found.append(rest[(quote.startIndex + 1)...].prefix(64).drop { $0 <= 0x20 })
        }
        return found
    }

    /// A reference within the document, or a picture that it carries.
    private static func isInside(_ value: ArraySlice<UInt8>) -> Bool {
        value.isEmpty || value.first == UInt8(ascii: "#") || value.first == UInt8(ascii: "\"")
            || value.first == UInt8(ascii: "'") || value.starts(with: Array("data:".utf8))
    }

    private static func has(_ text: [UInt8], _ wanted: String) -> Bool {
        text.firstRange(of: Array(wanted.utf8)) != nil
    }

    private static func lowered(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
    }
}
