/// A document that was read: a range of bytes, whose fields are looked up when they are asked for. What a lookup costs grows with
/// the number of fields before it.
///
/// The whole document, inner ones too, was checked when the outermost view was made, so that lookups only answer.
public struct BSONView: Sendable {
    private let bytes: [UInt8]
    /// With the length at its beginning and the zero at its end.
    private let range: Range<Int>

    fileprivate init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    /// Throws `invalidDocument` unless `bytes` are one document with nothing behind it.
    public init(_ bytes: [UInt8]) throws(MongoError) {
        try Self.check(bytes)
        self.init(bytes: bytes, range: 0..<bytes.count)
    }

    public var encoded: [UInt8] { [UInt8](encodedSlice) }

    public var encodedCount: Int { range.count }

    var encodedSlice: ArraySlice<UInt8> { bytes[range] }

    /// One value of a document.
    public struct Value: Sendable {
        fileprivate let bytes: [UInt8]
        fileprivate let kind: UInt8
        fileprivate let range: Range<Int>
    }

    public subscript(_ name: StaticString) -> Value? {
        var position = range.lowerBound + 4
        while position < range.upperBound - 1 {
            guard let field = try? Self.field(bytes, at: position, end: range.upperBound - 1) else { return nil }
            if name.equals(bytes, field.name) { return Value(bytes: bytes, kind: field.kind, range: field.value) }
            position = field.value.upperBound
        }
        return nil
    }

    /// The values in the order in which they stand; the elements where this is an array.
    public var values: [Value] {
        var values: [Value] = []
        var position = range.lowerBound + 4
        while position < range.upperBound - 1 {
            guard let field = try? Self.field(bytes, at: position, end: range.upperBound - 1) else { break }
            values.append(Value(bytes: bytes, kind: field.kind, range: field.value))
            position = field.value.upperBound
        }
        return values
    }

    private struct Field {
        var kind: UInt8
        var name: Range<Int>
        var value: Range<Int>
    }

    /// Every element lies within its document, to every depth; without recursion, since the depth comes from outside.
    private static func check(_ bytes: [UInt8]) throws(MongoError) {
        var open: [Int] = []
        var (position, end) = (0, 0)
        func enter(_ start: Int, limit: Int) throws(MongoError) {
            guard open.count < BSONKind.depthMax else { throw .invalidDocument("it nests too deep") }
            guard limit - start >= 5, let length = length(bytes, at: start), length >= 5, length <= limit - start,
                bytes[start + length - 1] == 0
            else { throw .invalidDocument("its length is not that of its bytes") }
            open.append(end)
            (position, end) = (start + 4, start + length - 1)
        }
        try enter(0, limit: bytes.count)
        guard end == bytes.count - 1 else { throw .invalidDocument("its length is not that of its bytes") }
        while !open.isEmpty {
            if position == end {
                position = end + 1
                end = open.removeLast()
                continue
            }
            let field = try field(bytes, at: position, end: end)
            if field.kind == BSONKind.document || field.kind == BSONKind.array {
                try enter(field.value.lowerBound, limit: field.value.upperBound)
            } else {
                position = field.value.upperBound
            }
        }
    }

    private static func field(_ bytes: [UInt8], at start: Int, end: Int) throws(MongoError) -> Field {
        let kind = bytes[start]
        let nameEnd = try terminator(bytes, from: start + 1, end: end)
        let value = nameEnd + 1
        let count: Int
        switch kind {
        case BSONKind.null, 0x06, 0xFF, 0x7F: count = 0
        case BSONKind.bool: count = 1
        case BSONKind.int32: count = 4
        case BSONKind.double, BSONKind.date, BSONKind.timestamp, BSONKind.int64: count = 8
        case 0x07: count = 12
        case 0x13: count = 16
        case BSONKind.text, 0x0D, 0x0E:
            guard let length = length(bytes, at: value), length >= 1 else { throw cut }
            count = 4 + length
            guard count <= end - value, bytes[value + count - 1] == 0 else { throw cut }
        case BSONKind.document, BSONKind.array:
            guard let length = length(bytes, at: value), length >= 5 else { throw cut }
            count = length
        case BSONKind.binary:
            guard let length = length(bytes, at: value) else { throw cut }
            count = 5 + length
        case 0x0B:
            let pattern = try terminator(bytes, from: value, end: end)
            count = try terminator(bytes, from: pattern + 1, end: end) + 1 - value
        default: throw .invalidDocument("a value of an unknown kind")
        }
        guard count <= end - value else { throw cut }
        return Field(kind: kind, name: (start + 1)..<nameEnd, value: value..<(value + count))
    }

    private static func terminator(_ bytes: [UInt8], from start: Int, end: Int) throws(MongoError) -> Int {
        var position = start
        while position < end {
            if bytes[position] == 0 { return position }
            position += 1
        }
        throw cut
    }

    /// Nil for a negative one, or where fewer than four bytes are left.
    private static func length(_ bytes: [UInt8], at start: Int) -> Int? {
        guard start + 4 <= bytes.count else { return nil }
        let length = Int32(truncatingIfNeeded: BSONView.number(bytes, start..<(start + 4)))
        return length < 0 ? nil : Int(length)
    }

    fileprivate static func number(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64 {
        var number: UInt64 = 0
        for index in range.reversed() { number = number << 8 | UInt64(bytes[index]) }
        return number
    }

    private static var cut: MongoError { .invalidDocument("an element goes beyond its end") }
}

extension BSONView.Value {
    /// Also of a double that is a whole number, as the server's arithmetic may make.
    public var integer: Int64? {
        switch kind {
        case BSONKind.int64: Int64(bitPattern: BSONView.number(bytes, range))
        case BSONKind.int32: Int64(Int32(truncatingIfNeeded: BSONView.number(bytes, range)))
        case BSONKind.double: Int64(exactly: Double(bitPattern: BSONView.number(bytes, range)))
        default: nil
        }
    }

    public var isTrue: Bool { kind == BSONKind.bool && bytes[range.lowerBound] != 0 }

    /// The bytes of a text, UTF-8 or not.
    public var text: [UInt8]? {
        kind == BSONKind.text ? [UInt8](bytes[(range.lowerBound + 4)..<(range.upperBound - 1)]) : nil
    }

    public var binary: [UInt8]? {
        kind == BSONKind.binary ? [UInt8](bytes[(range.lowerBound + 5)..<range.upperBound]) : nil
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var date: Int64? {
        kind == BSONKind.date ? Int64(bitPattern: BSONView.number(bytes, range)) : nil
    }

    public var timestamp: UInt64? { kind == BSONKind.timestamp ? BSONView.number(bytes, range) : nil }

    public var document: BSONView? {
        kind == BSONKind.document ? BSONView(bytes: bytes, range: range) : nil
    }

    /// The elements of an array.
    public var array: [BSONView.Value]? {
        kind == BSONKind.array ? BSONView(bytes: bytes, range: range).values : nil
    }
}
