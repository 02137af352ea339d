import Bytes

/// Reads JSON (RFC 8259) where a document decides about rights: members keep their order, one named twice is refused, since readers
/// differ in which of the two counts, and a fault says at which byte it stands.
public struct JSONReader {
    /// Why a text was refused.
    public struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
        /// The place in the text, from 0.
        public let offset: Int
        /// What is wrong there, in words.
        public let reason: String

        public var description: String { "\(reason) at byte \(offset)" }
    }

    private let text: [UInt8]
    private let depthMax: Int
    private var place = 0

    private init(_ text: [UInt8], depthMax: Int) {
        self.text = text
        self.depthMax = depthMax
    }

    /// The one value that `text` holds. Objects and lists stand in one another at most `depthMax` deep.
    public static func read(_ text: [UInt8], depthMax: Int) throws(Fault) -> JSONValue {
        var reader = JSONReader(text, depthMax: depthMax)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        if reader.place < text.count { throw reader.fault("unexpected text behind the document") }
        return value
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(Fault) -> JSONValue {
        skipSpace()
        guard let byte = peek else { throw fault("unexpected end") }
        switch byte {
        case 0x7B: return try object(depth: depth + 1)
        case 0x5B: return try array(depth: depth + 1)
        case Ascii.quote: return .string(try string())
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6E: return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(Fault) -> JSONValue {
        if depth > depthMax { throw fault("nested too deep") }
        place += 1
        var members: [JSONValue.Member] = []
        var names = Set<String>()
        skipSpace()
        if take(0x7D) { return .object([]) }
        while true {
            skipSpace()
            let start = place
            guard peek == Ascii.quote else { throw fault("expected the name of a member") }
            let name = try string()
            guard names.insert(name).inserted else { throw Fault(offset: start, reason: "a member named twice") }
            skipSpace()
            guard take(Ascii.colon) else { throw fault("expected a colon") }
            members.append(JSONValue.Member(name, try value(depth: depth)))
            skipSpace()
            if take(0x7D) { return .object(members) }
            guard take(Ascii.comma) else { throw fault("expected a comma or a closing brace") }
        }
    }

    private mutating func array(depth: Int) throws(Fault) -> JSONValue {
        if depth > depthMax { throw fault("nested too deep") }
        place += 1
        var values: [JSONValue] = []
        skipSpace()
        if take(0x5D) { return .array([]) }
        while true {
            values.append(try value(depth: depth))
            skipSpace()
            if take(0x5D) { return .array(values) }
            guard take(Ascii.comma) else { throw fault("expected a comma or a closing bracket") }
        }
    }

    private mutating func word(_ name: StaticString, _ value: JSONValue) throws(Fault) -> JSONValue {
        guard Ascii.hasPrefix(text[place...], name) else { throw fault("expected a value") }
        place += name.utf8CodeUnitCount
        return value
    }

    private mutating func number() throws(Fault) -> JSONValue {
        let start = place
        _ = take(Ascii.dash)
        guard let first = peek, Ascii.isDigit(first) else { throw fault("expected a value") }
        skipDigits()
        if first == Ascii.zero, place > start + 1 + (text[start] == Ascii.dash ? 1 : 0) {
            throw Fault(offset: start, reason: "a number with a leading zero")
        }
        var isWhole = true
        if take(Ascii.dot) {
            isWhole = false
            guard let digit = peek, Ascii.isDigit(digit) else { throw fault("expected a digit") }
            skipDigits()
        }
        if let e = peek, e | 0x20 == 0x65 {
            isWhole = false
            place += 1
            if peek == Ascii.plus || peek == Ascii.dash { place += 1 }
            guard let digit = peek, Ascii.isDigit(digit) else { throw fault("expected a digit") }
            skipDigits()
        }
        let digits = String(decoding: text[start..<place], as: UTF8.self)
        if isWhole, let number = Int64(digits) { return .integer(number) }
        guard let number = Double(digits), number.isFinite else {
            throw Fault(offset: start, reason: "a number too large")
        }
        return .number(number)
    }

    private mutating func string() throws(Fault) -> String {
        let start = place
        place += 1
        var out: [UInt8] = []
        while let byte = peek {
            place += 1
            switch byte {
            case Ascii.quote:
                guard let valid = String(validating: out, as: UTF8.self) else {
                    throw Fault(offset: start, reason: "a text that is not UTF-8")
                }
                return valid
            case 0x5C: try escape(to: &out)
            case 0..<0x20: throw Fault(offset: place - 1, reason: "a control character in a text")
            default: out.append(byte)
            }
        }
        throw Fault(offset: start, reason: "a text without end")
    }

    private mutating func escape(to out: inout [UInt8]) throws(Fault) {
        let start = place - 1
        guard let byte = peek else { throw fault("unexpected end") }
        place += 1
        switch byte {
        case Ascii.quote, 0x5C, Ascii.slash: out.append(byte)
        case 0x62: out.append(0x08)
        case 0x66: out.append(0x0C)
        case 0x6E: out.append(Ascii.lineFeed)
        case 0x72: out.append(Ascii.carriageReturn)
        case 0x74: out.append(Ascii.tab)
        case 0x75:
            var code = try hexadecimal()
            if (0xD800...0xDBFF).contains(code), take(0x5C) {
                guard take(0x75) else { throw Fault(offset: start, reason: "half a surrogate pair") }
                let low = try hexadecimal()
                guard (0xDC00...0xDFFF).contains(low) else {
                    throw Fault(offset: start, reason: "half a surrogate pair")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code), let bytes = UTF8.encode(scalar) else {
                throw Fault(offset: start, reason: "half a surrogate pair")
            }
            out.append(contentsOf: bytes)
        default: throw Fault(offset: start, reason: "an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Fault) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Hex.value(of: byte) else { throw fault("expected four hex digits") }
            code = code << 4 | UInt32(digit)
            place += 1
        }
        return code
    }

    // MARK: Bytes

    private var peek: UInt8? { place < text.count ? text[place] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        place += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek,
            byte == Ascii.space || byte == Ascii.tab || byte == Ascii.lineFeed || byte == Ascii.carriageReturn
        {
            place += 1
        }
    }

    private mutating func skipDigits() {
        while let byte = peek, Ascii.isDigit(byte) { place += 1 }
    }

    private func fault(_ reason: String) -> Fault { Fault(offset: place, reason: reason) }
}
