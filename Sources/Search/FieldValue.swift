import Bytes

/// The fields that a query may name.
enum QueryField: String, CaseIterable {
    case tag, type, folder, name, mime, size, created, updated, duration, width, height
}

/// Reads what stands behind the colon of a field.
struct FieldValue {
    let parser: QueryParser

    enum Read {
        case condition(SearchCondition)
        case range(NumericField, NumericRange)
    }

    static let types = ["audio", "image", "video", "document"]

    func read(_ field: QueryField, _ value: QueryParser.Value) throws(SearchQueryError) -> Read {
        switch field {
        case .tag: .condition(try tag(value))
        case .type:
            .condition(.filter(FilterTerm(.type, try choice(value, of: Self.types))))
        case .folder: .condition(.filter(FilterTerm(.folder, FilterTerm.folder(value.bytes))))
        case .name:
            if let term = try words(value, in: .name) {
                .condition(.words(term))
            } else {
                throw parser.error(at: value.start, "a name with a letter or a digit")
            }
        case .mime: .condition(.filter(FilterTerm(.mime, try mime(value))))
        case .size: try range(.size, value) { RangeEnd.size($0) }
        case .created: try range(.created, value) { RangeEnd.date($0) }
        case .updated: try range(.updated, value) { RangeEnd.date($0) }
        case .duration: try range(.duration, value) { RangeEnd.duration($0) }
        case .width: try range(.width, value) { RangeEnd.pixels($0) }
        case .height: try range(.height, value) { RangeEnd.pixels($0) }
        }
    }

    /// Nil for text without a letter or digit.
    func words(_ value: QueryParser.Value, in field: WordTerm.Field) throws(SearchQueryError) -> WordTerm? {
        var bytes = value.bytes[...]
        var isPrefix = false
        if !value.isQuoted {
            if bytes.last == Ascii.asterisk {
                isPrefix = true
                bytes = bytes.dropLast()
            }
            if let inner = bytes.firstIndex(of: Ascii.asterisk) {
                throw parser.error(at: value.start + inner, "a * only at the end of a word")
            }
        }
        let runs = Tokenizer.runs(of: bytes, countMax: SearchQuery.termCountMax + 1)
        let phrase = runs.flatMap(\.parts)
        if phrase.count > SearchQuery.termCountMax {
            throw parser.error(at: value.start, "at most \(SearchQuery.termCountMax) words in a phrase")
        }
        guard let last = phrase.last else { return nil }
        let whole = runs.count == 1 ? runs.first?.whole : nil
        if isPrefix, last.count(where: { $0 & 0xC0 != 0x80 }) < SearchQuery.prefixLengthMin, last[0] < 0x80 {
            // The last part of a mixed run may be short: the whole is long enough.
            guard phrase.count > 1 else {
                throw parser.error(
                    at: value.start, "at least \(SearchQuery.prefixLengthMin) letters or digits before the *")
            }
        }
        return WordTerm(field: field, phrase: phrase, whole: whole, isPrefix: isPrefix)
    }

    private func tag(_ value: QueryParser.Value) throws(SearchQueryError) -> SearchCondition {
        if !value.isQuoted, value.bytes.last == Ascii.asterisk, let term = try words(value, in: .tags) {
            return .words(term)
        }
        let folded = Folding.folded(value.bytes)
        if folded.isEmpty { throw parser.error(at: value.start, "a tag") }
        return .filter(FilterTerm(.tag, folded))
    }

    private func choice(_ value: QueryParser.Value, of choices: [String]) throws(SearchQueryError) -> [UInt8] {
        let lowered = Ascii.lowered(value.bytes)
        guard choices.contains(where: { $0.utf8.elementsEqual(lowered) }) else {
            let list = choices.dropLast().joined(separator: ", ") + " or " + (choices.last ?? "")
            throw parser.error(at: value.start, list)
        }
        return lowered
    }

    private func mime(_ value: QueryParser.Value) throws(SearchQueryError) -> [UInt8] {
        let lowered = Ascii.lowered(value.bytes)
        let parts = Ascii.split(lowered[...], at: Ascii.slash)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), parts[0].first != Ascii.asterisk else {
            throw parser.error(at: value.start, "a content type such as image/png or image/*")
        }
        return lowered
    }

    private func range(
        _ field: NumericField, _ value: QueryParser.Value, _ read: (ArraySlice<UInt8>) -> NumericRange?
    ) throws(SearchQueryError) -> Read {
        let example = RangeEnd.example(of: field)
        func end(_ slice: ArraySlice<UInt8>) throws(SearchQueryError) -> NumericRange {
            guard let range = read(slice) else { throw parser.error(at: value.start + slice.startIndex, example) }
            return range
        }
        let bytes = value.bytes[...]
        switch RangeForm(bytes) {
        case .exactly(let slice): return .range(field, try end(slice))
        case .above(let slice):
            let limit = try end(slice).upper
            return .range(field, limit == .max ? NumericRange(.max, .min) : NumericRange(limit + 1, .max))
        case .atLeast(let slice): return .range(field, NumericRange(try end(slice).lower, .max))
        case .below(let slice):
            let limit = try end(slice).lower
            return .range(field, limit == .min ? NumericRange(.max, .min) : NumericRange(.min, limit - 1))
        case .atMost(let slice): return .range(field, NumericRange(.min, try end(slice).upper))
        case .between(let first, let second):
            if first.isEmpty, second.isEmpty { throw parser.error(at: value.start, example) }
            let lower = first.isEmpty ? Int64.min : try end(first).lower
            let upper = second.isEmpty ? Int64.max : try end(second).upper
            if lower > upper {
                throw parser.error(at: value.start + second.startIndex, "an end that is not before the beginning")
            }
            return .range(field, NumericRange(lower, upper))
        }
    }
}

/// How a range is written.
private enum RangeForm {
    case exactly(ArraySlice<UInt8>)
    case above(ArraySlice<UInt8>), atLeast(ArraySlice<UInt8>), below(ArraySlice<UInt8>), atMost(ArraySlice<UInt8>)
    case between(ArraySlice<UInt8>, ArraySlice<UInt8>)

    init(_ text: ArraySlice<UInt8>) {
        if Ascii.hasPrefix(text, ">=") {
            self = .atLeast(text.dropFirst(2))
        } else if Ascii.hasPrefix(text, "<=") {
            self = .atMost(text.dropFirst(2))
        } else if text.first == 0x3E {
            self = .above(text.dropFirst())
        } else if text.first == 0x3C {
            self = .below(text.dropFirst())
        } else if let dots = text.indices.dropLast().first(where: { text[$0] == Ascii.dot && text[$0 + 1] == Ascii.dot }
        ) {
            self = .between(text[..<dots], text[(dots + 2)...])
        } else {
            self = .exactly(text)
        }
    }
}

extension FilterTerm {
    /// A folder as it is compared: folded, without slashes at its ends or doubled ones.
    public static func folder(_ path: some Collection<UInt8>) -> [UInt8] {
        let parts = Folding.folded(path).split(separator: Ascii.slash)
        return [UInt8](parts.joined(separator: [Ascii.slash]))
    }

    /// A tag as it is compared.
    public static func tag(_ text: some Collection<UInt8>) -> [UInt8] { Folding.folded(text) }
}
