import Bytes

/// A body of `multipart/form-data` (RFC 7578), whole in memory.
public struct MultipartBody: Sendable {
    public struct Part: Sendable, Equatable {
        public var name: String
        /// Set where the part is a file.
        public var fileName: String?
        public var contentType: String?
        public var content: ArraySlice<UInt8>
    }

    public struct Malformed: Error, Sendable, Equatable {
        public var reason: String
    }

    public private(set) var parts: [Part] = []

    static let partsMax = 200
    private static let headMax = 8 << 10

    /// The boundary that a content type names; nil where it is no `multipart/form-data` with one.
    public static func boundary(of contentType: [UInt8]) -> [UInt8]? {
        let pieces = contentType.split(separator: Ascii.semicolon, omittingEmptySubsequences: false)
        guard let first = pieces.first, Ascii.equalIgnoringCase(Ascii.trimmed(first), "multipart/form-data".utf8) else {
            return nil
        }
        for piece in pieces.dropFirst() {
            let trimmed = Ascii.trimmed(piece)
            guard Ascii.hasPrefixIgnoringCase(trimmed, "boundary=") else { continue }
            var value = trimmed.dropFirst(9)
            if value.first == Ascii.quote, value.last == Ascii.quote, value.count >= 2 {
                value = value.dropFirst().dropLast()
            }
            guard (1...70).contains(value.count), value.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
            return [UInt8](value)
        }
        return nil
    }

    /// Throws where the body does not end with the last boundary.
    public init(_ body: [UInt8], boundary: [UInt8]) throws(Malformed) {
        let dashes = Array("--".utf8) + boundary
        let delimiter = [Ascii.carriageReturn, Ascii.lineFeed] + dashes
        var place: Int
        if body.starts(with: dashes) {
            place = dashes.count
        } else {
            guard let found = Self.find(delimiter, in: body, from: 0) else { throw Malformed(reason: "no boundary") }
            place = found + delimiter.count
        }
        while true {
            let rest = body[place...]
            if rest.starts(with: "--".utf8) { return }
            guard let line = rest.firstIndex(of: Ascii.lineFeed), line - place <= 128 else {
                throw Malformed(reason: "a boundary without the end of its line")
            }
            guard let end = Self.find(delimiter, in: body, from: line - 1) else {
                throw Malformed(reason: "it is cut short")
            }
            // The delimiter's line feed may be the one that ends the boundary's line: a part without head and content.
            guard end > line else { throw Malformed(reason: "a part without a head") }
            guard parts.count < Self.partsMax else { throw Malformed(reason: "more than \(Self.partsMax) parts") }
            parts.append(try Self.part(body[(line + 1)..<end]))
            place = end + delimiter.count
        }
    }

    private static func find(_ wanted: [UInt8], in body: [UInt8], from start: Int) -> Int? {
        guard let first = wanted.first, body.count >= wanted.count else { return nil }
        var place = max(0, start)
        while place <= body.count - wanted.count {
            if body[place] == first, body[place..<(place + wanted.count)].elementsEqual(wanted) { return place }
            place += 1
        }
        return nil
    }

    private static func part(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> Part {
        var part = Part(name: "", fileName: nil, contentType: nil, content: bytes)
        var rest = bytes
        var isNamed = false
        while true {
            guard let end = rest.firstIndex(of: Ascii.lineFeed), end - bytes.startIndex <= headMax else {
                throw Malformed(reason: "the head of a part does not end")
            }
            var line = rest[rest.startIndex..<end]
            if line.last == Ascii.carriageReturn { line = line.dropLast() }
            rest = rest[(end + 1)...]
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: Ascii.colon) else {
                throw Malformed(reason: "a field without a colon")
            }
            let value = Ascii.trimmed(line[(colon + 1)...])
            if Ascii.equalIgnoringCase(line[..<colon], "content-type".utf8) {
                part.contentType = String(decoding: value, as: UTF8.self)
            } else if Ascii.equalIgnoringCase(line[..<colon], "content-disposition".utf8) {
                guard let name = parameter("name", of: value) else { throw Malformed(reason: "a part without a name") }
                (part.name, part.fileName, isNamed) = (name, parameter("filename", of: value), true)
            }
        }
        guard isNamed else { throw Malformed(reason: "a part without a name") }
        part.content = rest
        return part
    }

    /// The value of `name="..."` among the parameters of a field.
    private static func parameter(_ name: String, of value: ArraySlice<UInt8>) -> String? {
        var place = value.startIndex
        var isQuoted = false
        while place < value.endIndex {
            let c = value[place]
            if c == Ascii.quote { isQuoted.toggle() }
            if c == 0x5C, isQuoted { place += 1 }
            if c == Ascii.semicolon, !isQuoted {
                let rest = Ascii.trimmed(value[(place + 1)...])
                if Ascii.lowered(rest.prefix(name.utf8.count + 1)).elementsEqual("\(name)=".utf8) {
                    return text(rest.dropFirst(name.utf8.count + 1))
                }
            }
            place += 1
        }
        return nil
    }

    private static func text(_ value: ArraySlice<UInt8>) -> String {
        guard value.first == Ascii.quote else {
            return String(decoding: value.prefix { $0 != Ascii.semicolon && $0 != Ascii.space }, as: UTF8.self)
        }
        var out: [UInt8] = []
        var isEscaped = false
        for c in value.dropFirst() {
            if !isEscaped, c == Ascii.quote { break }
            isEscaped = !isEscaped && c == 0x5C
            if !isEscaped { out.append(c) }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
