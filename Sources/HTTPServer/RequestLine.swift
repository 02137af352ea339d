import Bytes

/// The first line of a request (RFC 9112 section 3): places in the head's bytes.
struct RequestLine: Sendable {
    var method = 0..<0
    var known = RequestHead.Method.other
    var path = 0..<0
    var query: Range<Int>?
    /// Of a target in absolute form.
    var authority: Range<Int>?
    var minorVersion = 1

    private static let methodBytesMax = 32

    init() {}

    init(_ bytes: Span<UInt8>, _ line: Range<Int>, targetBytesMax: Int) throws(DecodeError) {
        var place = line.lowerBound
        while place < line.upperBound, HeaderBlock.isTokenCharacter(bytes[place]) { place += 1 }
        method = line.lowerBound..<place
        guard !method.isEmpty, method.count <= Self.methodBytesMax, place < line.upperBound,
            bytes[place] == Ascii.space
        else { throw .badRequestLine }
        let target = (place + 1)..<Self.targetEnd(bytes, (place + 1)..<line.upperBound)
        guard target.upperBound < line.upperBound else { throw .badRequestLine }
        minorVersion = try Self.version(bytes, (target.upperBound + 1)..<line.upperBound)
        guard !target.isEmpty else { throw .badRequestLine }
        if target.count > targetBytesMax { throw .targetTooLong }
        known = Self.method(bytes, method)
        try setTarget(bytes, target)
    }

    private static func targetEnd(_ bytes: Span<UInt8>, _ rest: Range<Int>) -> Int {
        var place = rest.lowerBound
        while place < rest.upperBound, bytes[place] != Ascii.space { place += 1 }
        return place
    }

    /// The minor version, where versions above 1.1 count as 1.1 (RFC 9110 section 2.5).
    private static func version(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(DecodeError) -> Int {
        let text = bytes.extracting(range)
        guard text.count == 8, equal(text.extracting(0..<5), "HTTP/"), Ascii.isDigit(text[5]), text[6] == Ascii.dot,
            Ascii.isDigit(text[7])
        else { throw .badRequestLine }
        guard text[5] == Ascii.zero + 1 else { throw .unsupportedVersion }
        return text[7] == Ascii.zero ? 0 : 1
    }

    private static func method(_ bytes: Span<UInt8>, _ range: Range<Int>) -> RequestHead.Method {
        let text = bytes.extracting(range)
        switch text.count {
        case 3: return equal(text, "GET") ? .get : equal(text, "PUT") ? .put : .other
        case 4: return equal(text, "HEAD") ? .head : equal(text, "POST") ? .post : .other
        case 5: return equal(text, "PATCH") ? .patch : .other
        case 6: return equal(text, "DELETE") ? .delete : .other
        case 7: return equal(text, "OPTIONS") ? .options : .other
        default: return .other
        }
    }

    /// Origin form, absolute form with its authority set aside, or `*` for OPTIONS.
    private mutating func setTarget(_ bytes: Span<UInt8>, _ target: Range<Int>) throws(DecodeError) {
        for place in target {
            let byte = bytes[place]
            // Bytes above 0x7F are let through: clients send keys as raw UTF-8, and the signature covers them as sent.
            if byte <= Ascii.space || byte == 0x7F || byte == 0x23 { throw .badTarget }
        }
        var start = target.lowerBound
        if bytes[start] == Ascii.asterisk {
            guard target.count == 1, known == .options else { throw .badTarget }
            path = target
            return
        }
        if bytes[start] != Ascii.slash {
            let text = bytes.extracting(target)
            let scheme = prefixLength(text, "http://") ?? prefixLength(text, "https://")
            guard let scheme else { throw .badTarget }
            var end = start + scheme
            while end < target.upperBound, bytes[end] != Ascii.slash, bytes[end] != Ascii.question { end += 1 }
            authority = (start + scheme)..<end
            start = end
            if end == target.upperBound || bytes[end] == Ascii.question {
                // The path of `http://host?query` is `/`: the first slash of the scheme's two stands for it.
                let slash = target.lowerBound + scheme - 2
                path = slash..<(slash + 1)
                query = end < target.upperBound ? (end + 1)..<target.upperBound : nil
                return
            }
        }
        var question = start
        while question < target.upperBound, bytes[question] != Ascii.question { question += 1 }
        path = start..<question
        query = question < target.upperBound ? (question + 1)..<target.upperBound : nil
    }
}

/// Exact comparison with a literal.
func equal(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    for index in 0..<bytes.count {
        // SAFETY: the lengths are equal.
        if unsafe bytes[index] != text.utf8Start[index] { return false }
    }
    return true
}

/// Comparison without regard to ASCII case; `text` is lower case.
func equalLowered(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    for index in 0..<bytes.count {
        // SAFETY: the lengths are equal.
        if unsafe Ascii.lowered(bytes[index]) != text.utf8Start[index] { return false }
    }
    return true
}

/// The length of `text` (lower case) when `bytes` start with it in any case.
private func prefixLength(_ bytes: Span<UInt8>, _ text: StaticString) -> Int? {
    let length = text.utf8CodeUnitCount
    return bytes.count >= length && equalLowered(bytes.extracting(0..<length), text) ? length : nil
}
