import Bytes

/// Builds the canonical request of signature version 4, as S3 wants it: one buffer, no intermediate strings.
struct CanonicalRequest {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(1024) }

    mutating func appendLine(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
        bytes.append(Ascii.lineFeed)
    }

    /// The path as on the wire, its characters encoded once and alike: nothing is normalised, so `//`, `.` and `..` stay, and
    /// `%2F` stays different from `/` (S3-TRAPS 12).
    mutating func appendPath(_ path: ArraySlice<UInt8>) throws(SignatureError) {
        if path.isEmpty { bytes.append(Ascii.slash) }
        guard Self.appendNormalised(path, inQuery: false, to: &bytes) else { throw .malformedTarget }
        bytes.append(Ascii.lineFeed)
    }

    /// The parameters, each encoded once and alike, sorted by name and then by value. `X-Amz-Signature` is left out of a
    /// presigned URL, as it cannot sign itself.
    mutating func appendQuery(_ query: ArraySlice<UInt8>, isPresigned: Bool) throws(SignatureError) {
        if query.isEmpty { return bytes.append(Ascii.lineFeed) }
        var text: [UInt8] = []
        text.reserveCapacity(query.count &+ 64)
        var pairs: [(name: Range<Int>, value: Range<Int>)] = []
        for pair in Ascii.split(query, at: Ascii.ampersand) where !pair.isEmpty {
            let equals = pair.firstIndex(of: Ascii.equals) ?? pair.endIndex
            let start = text.count
            guard Self.appendNormalised(pair[..<equals], inQuery: true, to: &text) else { throw .malformedTarget }
            let middle = text.count
            if isPresigned, Ascii.equalIgnoringCase(text[start...], "x-amz-signature".utf8) {
                text.removeSubrange(start...)
                continue
            }
            guard Self.appendNormalised(pair[equals...].dropFirst(), inQuery: true, to: &text) else {
                throw .malformedTarget
            }
            pairs.append((start..<middle, middle..<text.count))
        }
        pairs.sort { a, b in
            switch Self.compare(text[a.name], text[b.name]) {
            case 0: Self.compare(text[a.value], text[b.value]) < 0
            case let order: order < 0
            }
        }
        for (index, pair) in pairs.enumerated() {
            if index > 0 { bytes.append(Ascii.ampersand) }
            bytes.append(contentsOf: text[pair.name])
            bytes.append(Ascii.equals)
            bytes.append(contentsOf: text[pair.value])
        }
        bytes.append(Ascii.lineFeed)
    }

    /// Begins a header line: `name:`.
    mutating func beginHeader(_ name: some Sequence<UInt8>) {
        bytes.append(contentsOf: name)
        bytes.append(Ascii.colon)
    }

    /// A value, without outer white space and with each inner run of it as one space; a further one of the same name is
    /// separated by a comma.
    mutating func appendHeaderValue(_ value: ArraySlice<UInt8>, isFirst: Bool) {
        if !isFirst { bytes.append(Ascii.comma) }
        if Ascii.place(of: Ascii.space, in: value, from: value.startIndex) == value.endIndex,
            Ascii.place(of: Ascii.tab, in: value, from: value.startIndex) == value.endIndex
        {
            bytes.append(contentsOf: value)
            return
        }
        var pendingSpace = false
        var isEmpty = true
        for byte in value {
            if byte == Ascii.space || byte == Ascii.tab {
                pendingSpace = !isEmpty
            } else {
                if pendingSpace { bytes.append(Ascii.space) }
                bytes.append(byte)
                (pendingSpace, isEmpty) = (false, false)
            }
        }
    }

    mutating func endHeader() { bytes.append(Ascii.lineFeed) }

    /// The last two lines.
    mutating func finish(signedHeaders: some Sequence<UInt8>, payloadHash: some Sequence<UInt8>) {
        bytes.append(Ascii.lineFeed)
        appendLine(signedHeaders)
        bytes.append(contentsOf: payloadHash)
    }

    /// Decodes `%XX` (and in a query `+`, which is a space there), and encodes all but the unreserved characters. A literal
    /// `/` stays in a path. False when a `%` lacks its digits.
    static func appendNormalised(_ text: ArraySlice<UInt8>, inQuery: Bool, to out: inout [UInt8]) -> Bool {
        let isPlain = text.allSatisfy { PercentEncoding.isUnreserved($0) || ($0 == Ascii.slash && !inQuery) }
        if isPlain {
            out.append(contentsOf: text)
            return true
        }
        var index = text.startIndex
        while index < text.endIndex {
            var byte = text[index]
            index += 1
            if byte == Ascii.percent {
                guard text.endIndex - index >= 2, let high = Hex.value(of: text[index]),
                    let low = Hex.value(of: text[index + 1])
                else { return false }
                byte = high << 4 | low
                index += 2
            } else if byte == Ascii.slash, !inQuery {
                out.append(byte)
                continue
            } else if byte == Ascii.plus, inQuery {
                byte = Ascii.space
            }
            if PercentEncoding.isUnreserved(byte) {
                out.append(byte)
            } else {
                out.append(Ascii.percent)
                out.append(upperDigit(byte >> 4))
                out.append(upperDigit(byte & 15))
            }
        }
        return true
    }

    private static func upperDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble &+ 0x30 : nibble &+ 0x37 }

    private static func compare(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Int {
        for (x, y) in zip(a, b) where x != y { return x < y ? -1 : 1 }
        return a.count - b.count
    }
}
