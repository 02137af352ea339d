import Bytes

/// One header line (RFC 9112 section 5).
enum FieldLine {
    /// The places of name and value in `bytes`; `line` is without its line end.
    static func parse(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(DecodeError) -> RequestHead.Field {
        var place = line.lowerBound
        if let first = line.first, bytes[first] == Ascii.space || bytes[first] == Ascii.tab { throw .folded }
        while place < line.upperBound, HeaderBlock.isTokenCharacter(bytes[place]) { place += 1 }
        let name = line.lowerBound..<place
        guard !name.isEmpty, place < line.upperBound, bytes[place] == Ascii.colon else { throw .badFieldLine }
        var start = place + 1
        var end = line.upperBound
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        for place in start..<end {
            let byte = bytes[place]
            if byte < Ascii.space && byte != Ascii.tab || byte == 0x7F { throw .badFieldLine }
        }
        return RequestHead.Field(name: name, value: start..<end)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == Ascii.space || byte == Ascii.tab }
}

/// What the fields say about the body and the connection (RFC 9112 sections 3.2, 6 and 9.3, RFC 9110 section 10.1.1).
struct FieldMeaning {
    private(set) var framing = RequestHead.BodyFraming.none
    private(set) var expectsContinue = false
    private(set) var keepsAlive: Bool

    private var hosts = 0
    private var lengths = 0
    private var codings: [Coding] = []
    private var closes = false

    private enum Coding { case chunked, other }

    init(_ bytes: Span<UInt8>, _ fields: [RequestHead.Field], _ request: RequestLine) throws(DecodeError) {
        keepsAlive = request.minorVersion >= 1
        for field in fields {
            let name = bytes.extracting(field.name)
            let value = bytes.extracting(field.value)
            switch name.count {
            case 4 where equalLowered(name, "host"): try readHost(value, request, bytes)
            case 6 where equalLowered(name, "expect"): try readExpectation(value)
            case 10 where equalLowered(name, "connection"): readConnection(value)
            case 14 where equalLowered(name, "content-length"): try readLength(value)
            case 17 where equalLowered(name, "transfer-encoding"): try readCodings(value)
            default: break
            }
        }
        guard hosts == 1 || (hosts == 0 && request.minorVersion == 0) else { throw .badHost }
        if closes { keepsAlive = false }
        try decideFraming(minorVersion: request.minorVersion)
        if framing == .none || request.minorVersion == 0 { expectsContinue = false }
    }

    private mutating func decideFraming(minorVersion: Int) throws(DecodeError) {
        if codings.isEmpty { return }
        if lengths > 0 { throw .lengthAndCoding }
        // HTTP/1.0 knows no transfer codings; a sender of both is faulty or hostile (RFC 9112 section 6.1).
        guard minorVersion >= 1 else { throw .badTransferEncoding }
        let chunked = codings.count { $0 == .chunked }
        if chunked > 1 || (chunked == 1 && codings.last != .chunked) { throw .badTransferEncoding }
        if codings.count > 1 || chunked == 0 { throw .unknownCoding }
        framing = .chunked
    }

    private mutating func readHost(
        _ value: Span<UInt8>, _ request: RequestLine, _ bytes: Span<UInt8>
    ) throws(DecodeError) {
        hosts += 1
        guard hosts == 1, !value.isEmpty else { throw .badHost }
        for index in 0..<value.count {
            guard isHostCharacter(value[index]) else { throw .badHost }
        }
        guard let authority = request.authority else { return }
        // The authority of an absolute target outranks Host; where they differ, a proxy and we might disagree.
        let named = bytes.extracting(authority)
        guard named.count == value.count else { throw .badHost }
        for index in 0..<value.count {
            guard Ascii.lowered(value[index]) == Ascii.lowered(named[index]) else { throw .badHost }
        }
    }

    private func isHostCharacter(_ c: UInt8) -> Bool {
        switch c {
        case Ascii.colon, 0x5B, 0x5D, Ascii.percent, 0x21, 0x24, 0x26...0x2B, Ascii.semicolon, Ascii.equals: true
        default: PercentEncoding.isUnreserved(c)
        }
    }

    private mutating func readExpectation(_ value: Span<UInt8>) throws(DecodeError) {
        // An empty value asks for nothing.
        if value.isEmpty { return }
        guard equalLowered(value, "100-continue") else { throw .unknownExpectation }
        expectsContinue = true
    }

    private mutating func readConnection(_ value: Span<UInt8>) {
        var rest = ListReader()
        while let option = rest.next(value) {
            let text = value.extracting(option)
            if equalLowered(text, "close") { closes = true }
            if equalLowered(text, "keep-alive") { keepsAlive = true }
        }
    }

    private mutating func readLength(_ value: Span<UInt8>) throws(DecodeError) {
        lengths += 1
        guard lengths == 1, !value.isEmpty, value.count <= 19 else { throw .badContentLength }
        var length: UInt64 = 0
        for index in 0..<value.count {
            guard Ascii.isDigit(value[index]) else { throw .badContentLength }
            // At most 19 digits: below 2^64.
            length = length * 10 + UInt64(value[index] - Ascii.zero)
        }
        framing = length == 0 ? .none : .length(length)
    }

    private mutating func readCodings(_ value: Span<UInt8>) throws(DecodeError) {
        var rest = ListReader()
        let before = codings.count
        while let coding = rest.next(value) {
            codings.append(equalLowered(value.extracting(coding), "chunked") ? .chunked : .other)
        }
        if codings.count == before { throw .badTransferEncoding }
    }
}

/// Walks the elements of a comma-separated list (RFC 9110 section 5.6.1); empty elements are skipped.
private struct ListReader {
    private var place = 0

    mutating func next(_ value: Span<UInt8>) -> Range<Int>? {
        while place < value.count {
            var end = place
            while end < value.count, value[end] != Ascii.comma { end += 1 }
            var start = place
            place = end + 1
            while start < end, FieldLine.isBlank(value[start]) { start += 1 }
            while end > start, FieldLine.isBlank(value[end - 1]) { end -= 1 }
            if start < end { return start..<end }
        }
        return nil
    }
}
