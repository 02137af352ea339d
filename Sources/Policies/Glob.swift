import Bytes

/// A text with wildcards: `*` is any text, also none, `?` one character. A literal part is looked for in time linear in the text; a
/// part with `?` takes at most the text's length times its own, which is bounded by `partWithQuestionMax`.
struct Glob: Sendable, Equatable {
    /// One byte of a pattern, or what stands for many.
    enum Piece: Sendable, Equatable {
        case byte(UInt8), one, many
    }

    /// What stands between two stars.
    private struct Part: Sendable, Equatable {
        var bytes: [UInt8] = []
        /// The places of `?` in `bytes`, whose values there mean nothing; empty for a literal.
        var ones: [Bool] = []
        /// Of a literal between two stars: how much of it the first bytes end with, so that the search never goes back in the text
        /// (Knuth, Morris, Pratt).
        var resume: [Int] = []

        func isOne(_ place: Int) -> Bool { !ones.isEmpty && ones[place] }

        mutating func append(_ byte: UInt8, isOne: Bool) {
            if isOne, ones.isEmpty { ones = [Bool](repeating: false, count: bytes.count) }
            bytes.append(byte)
            if isOne || !ones.isEmpty { ones.append(isOne) }
        }

        mutating func makeResume() {
            resume = [Int](repeating: 0, count: bytes.count)
            var matched = 0
            for place in bytes.indices.dropFirst() {
                while matched > 0, bytes[place] != bytes[matched] { matched = resume[matched - 1] }
                if bytes[place] == bytes[matched] { matched += 1 }
                resume[place] = matched
            }
        }
    }

    /// A longer part with `?` is refused by the parser.
    static let partWithQuestionMax = 256

    /// At least one; a star stands between each two.
    private let parts: [Part]

    init(_ pieces: some Sequence<Piece>) {
        var parts = [Part()]
        for piece in pieces {
            switch piece {
            case .byte(let byte): parts[parts.count - 1].append(byte, isOne: false)
            case .one: parts[parts.count - 1].append(0, isOne: true)
            case .many: parts.append(Part())
            }
        }
        // Stars side by side are one.
        parts = parts.enumerated().filter { place, part in
            place == 0 || place == parts.count - 1 || !part.bytes.isEmpty
        }.map(\.element)
        if parts.count > 2 {
            for place in 1..<(parts.count - 1) where parts[place].ones.isEmpty { parts[place].makeResume() }
        }
        self.parts = parts
    }

    init(wildcards text: [UInt8]) { self.init(text.map(Self.piece)) }
    init(literal text: [UInt8]) { self.init(text.map(Piece.byte)) }

    static func piece(_ byte: UInt8) -> Piece {
        switch byte {
        case Ascii.asterisk: .many
        case Ascii.question: .one
        default: .byte(byte)
        }
    }

    var hasWildcards: Bool { parts.count > 1 || parts.contains { !$0.ones.isEmpty } }
    var isBounded: Bool { parts.allSatisfy { $0.ones.isEmpty || $0.bytes.count <= Self.partWithQuestionMax } }
    /// What every match begins with, up to the first wildcard.
    var literalPrefix: [UInt8] {
        guard let first = parts.first else { return [] }
        return Array(first.bytes.prefix(first.ones.firstIndex(of: true) ?? first.bytes.count))
    }

    func matches(_ text: [UInt8]) -> Bool { matches(text[...]) }

    func matches(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = parts.first, let last = parts.last else { return false }
        guard let start = Self.end(of: first, in: text, at: text.startIndex) else { return false }
        if parts.count == 1 { return start == text.endIndex }
        guard let end = Self.start(of: last, in: text), end >= start else { return false }
        var place = start
        for part in parts[1..<(parts.count - 1)] {
            guard let next = Self.end(ofFirst: part, in: text[place..<end]) else { return false }
            place = next
        }
        return true
    }

    /// Behind `part`, where it stands at `place`.
    private static func end(of part: Part, in text: ArraySlice<UInt8>, at place: Int) -> Int? {
        var place = place
        for index in part.bytes.indices {
            guard place < text.endIndex else { return nil }
            if part.isOne(index) {
                place += 1
                while place < text.endIndex, isContinuation(text[place]) { place += 1 }
            } else {
                guard text[place] == part.bytes[index] else { return nil }
                place += 1
            }
        }
        return place
    }

    /// Where `part` begins, if `text` ends with it.
    private static func start(of part: Part, in text: ArraySlice<UInt8>) -> Int? {
        var place = text.endIndex
        for index in part.bytes.indices.reversed() {
            guard place > text.startIndex else { return nil }
            place -= 1
            if part.isOne(index) {
                while place > text.startIndex, isContinuation(text[place]) { place -= 1 }
            } else if text[place] != part.bytes[index] {
                return nil
            }
        }
        return place
    }

    /// Behind the first place where `part` stands.
    private static func end(ofFirst part: Part, in text: ArraySlice<UInt8>) -> Int? {
        guard part.ones.isEmpty else {
            for place in text.indices {
                if let end = end(of: part, in: text, at: place) { return end }
            }
            return nil
        }
        var matched = 0
        for place in text.indices {
            while matched > 0, text[place] != part.bytes[matched] { matched = part.resume[matched - 1] }
            if text[place] == part.bytes[matched] { matched += 1 }
            if matched == part.bytes.count { return place + 1 }
        }
        return nil
    }

    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
