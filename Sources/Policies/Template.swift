import Bytes

/// A text of a policy in which variables may stand: `home/${aws:username}/*`.
struct Template: Sendable, Equatable {
    enum Piece: Sendable, Equatable {
        /// As written; `*` and `?` may be wildcards in it.
        case text([UInt8])
        /// `${*}`, `${?}` or `${$}`: the character itself.
        case character(UInt8)
        case variable(ConditionKey, otherwise: [UInt8]?)
    }

    let pieces: [Piece]
    /// Where nothing is to be filled in: with wildcards and without.
    private let fixedGlob: Glob?
    private let fixedText: [UInt8]?

    /// Nil for `${` without an end or without a name in it. Where `hasVariables` is false, as in policies of 2008, all is text.
    init?(_ text: [UInt8], hasVariables: Bool) {
        var pieces: [Piece] = []
        var plain: [UInt8] = []
        var rest = text[...]
        while let byte = rest.first {
            guard hasVariables, byte == 0x24, rest.dropFirst().first == 0x7B else {
                plain.append(byte)
                rest = rest.dropFirst()
                continue
            }
            guard let end = rest.firstIndex(of: 0x7D),
                let piece = Self.piece(rest[(rest.startIndex + 2)..<end])
            else { return nil }
            if !plain.isEmpty { pieces.append(.text(plain)) }
            plain = []
            pieces.append(piece)
            rest = rest[(end + 1)...]
        }
        if !plain.isEmpty { pieces.append(.text(plain)) }
        self.pieces = pieces
        let isFixed = !pieces.contains { if case .variable = $0 { true } else { false } }
        fixedGlob = isFixed ? Self.glob(of: pieces, in: Facts()) : nil
        fixedText = isFixed ? Self.text(of: pieces, in: Facts()) : nil
    }

    /// What stands between the braces: a name, or `name, 'default'`.
    private static func piece(_ inside: ArraySlice<UInt8>) -> Piece? {
        if inside.count == 1, let byte = inside.first, byte == Ascii.asterisk || byte == Ascii.question || byte == 0x24
        {
            return .character(byte)
        }
        let comma = inside.firstIndex(of: Ascii.comma) ?? inside.endIndex
        let name = Ascii.trimmed(inside[..<comma])
        guard name.contains(Ascii.colon), !name.contains(0x24), !name.contains(0x7B) else { return nil }
        guard comma < inside.endIndex else { return .variable(ConditionKey(name), otherwise: nil) }
        let value = Ascii.trimmed(inside[(comma + 1)...])
        guard value.count >= 2, value.first == 0x27, value.last == 0x27 else { return nil }
        return .variable(ConditionKey(name), otherwise: Array(value.dropFirst().dropLast()))
    }

    /// Whether it is the same for every request, and no wildcard is in it.
    var isConstant: Bool { isFixed && fixedGlob?.hasWildcards == false }
    var isFixed: Bool { fixedText != nil }
    var isBounded: Bool { Self.glob(of: pieces, in: nil)?.isBounded ?? false }
    var variables: [ConditionKey] {
        pieces.compactMap { if case .variable(let key, _) = $0 { key } else { nil } }
    }
    /// What every match begins with, as far as that is known beforehand.
    var literalPrefix: [UInt8] {
        if let fixedGlob { return fixedGlob.literalPrefix }
        guard case .text(let text)? = pieces.first else { return [] }
        return Glob(wildcards: text).literalPrefix
    }

    /// With its wildcards; nil where a variable has no value. What a variable brings is literal, also a star.
    func glob(_ facts: Facts) -> Glob? { fixedGlob ?? Self.glob(of: pieces, in: facts) }

    /// The text itself, in which `*` is a star.
    func text(_ facts: Facts) -> [UInt8]? { fixedText ?? Self.text(of: pieces, in: facts) }

    /// Without facts variables are taken for nothing.
    private static func glob(of pieces: [Piece], in facts: Facts?) -> Glob? {
        var out: [Glob.Piece] = []
        for piece in pieces {
            switch piece {
            case .text(let text): out += text.map(Glob.piece)
            case .character(let byte): out.append(.byte(byte))
            case .variable(let key, let otherwise):
                guard let facts else { continue }
                guard let value = Self.value(of: key, otherwise, in: facts) else { return nil }
                out += value.map(Glob.Piece.byte)
            }
        }
        return Glob(out)
    }

    private static func text(of pieces: [Piece], in facts: Facts) -> [UInt8]? {
        var out: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .text(let text): out += text
            case .character(let byte): out.append(byte)
            case .variable(let key, let otherwise):
                guard let value = Self.value(of: key, otherwise, in: facts) else { return nil }
                out += value
            }
        }
        return out
    }

    /// A key with several values is none that a variable can have.
    private static func value(of key: ConditionKey, _ otherwise: [UInt8]?, in facts: Facts) -> [UInt8]? {
        if let values = facts[key], values.count == 1, let value = values.first { return value.bytes }
        return otherwise
    }
}
