/// A value of a document that is being written (bsonspec.org).
///
/// Text and bytes that came from outside are values here and nothing else. Where a value stands in a pipeline it goes through
/// `literal`, since the server takes text that begins with a dollar sign for a path there.
public indirect enum BSONValue: Sendable {
    case double(Double)
    /// UTF-8; NULs may be in it.
    case text([UInt8])
    case document(BSONDocument)
    /// A document that was read, as it is.
    case raw(BSONView)
    case array([BSONValue])
    case binary([UInt8])
    case bool(Bool)
    /// Milliseconds since 1970-01-01T00:00:00Z.
    case date(Int64)
    case null
    case int32(Int32)
    case int64(Int64)
    /// Seconds since 1970 in the high half, a count in the low half.
    case timestamp(UInt64)

    public static func text(_ text: String) -> BSONValue { .text([UInt8](text.utf8)) }

    /// The value itself wherever the server expects an expression.
    public static func literal(_ value: BSONValue) -> BSONValue { .document(["$literal": value]) }

    public static func documents(_ documents: [BSONDocument]) -> BSONValue { .array(documents.map { .document($0) }) }
}

/// Fields in the order in which they are written. Their names are literals of the program: no text from outside can become a
/// field name or an operator.
public struct BSONDocument: Sendable, ExpressibleByDictionaryLiteral {
    public private(set) var fields: [(name: StaticString, value: BSONValue)]

    public init() { fields = [] }

    public init(dictionaryLiteral elements: (StaticString, BSONValue)...) {
        fields = elements.map { (name: $0.0, value: $0.1) }
    }

    public mutating func append(_ name: StaticString, _ value: BSONValue) { fields.append((name, value)) }

    /// Appends only where there is a value.
    public mutating func append(_ name: StaticString, _ value: BSONValue?) {
        if let value { fields.append((name, value)) }
    }

    public mutating func append(contentsOf other: BSONDocument) { fields += other.fields }

    /// The document's bytes. Throws where it nests deeper than 100 or is longer than a length can say.
    public func encoded() throws(MongoError) -> [UInt8] {
        var writer = BSONWriter()
        try writer.write(self, depth: 0)
        return writer.bytes
    }
}

extension BSONValue: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (StaticString, BSONValue)...) {
        var document = BSONDocument()
        for (name, value) in elements { document.append(name, value) }
        self = .document(document)
    }
}

extension BSONValue: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: BSONValue...) { self = .array(elements) }
}

/// Only literals of the program: text from outside says `.text`.
extension BSONValue: ExpressibleByStringLiteral {
    public init(stringLiteral value: StaticString) { self = .text(value.bytes) }
}

extension BSONValue: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int32) { self = .int32(value) }
}

extension BSONValue: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension BSONValue: ExpressibleByNilLiteral {
    public init(nilLiteral: ()) { self = .null }
}

extension StaticString {
    var bytes: [UInt8] {
        // SAFETY: the buffer is copied within the closure.
        withUTF8Buffer { unsafe [UInt8]($0) }
    }

    /// Whether this is the text of `bytes[range]`.
    func equals(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        // SAFETY: the buffer is compared within the closure.
        withUTF8Buffer { name in
            guard name.count == range.count else { return false }
            for index in 0..<range.count where unsafe name[index] != bytes[range.lowerBound + index] { return false }
            return true
        }
    }
}
