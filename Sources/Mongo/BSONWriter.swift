/// The kinds of values that this program writes or reads, by their byte (bsonspec.org).
enum BSONKind {
    static let double: UInt8 = 0x01
    static let text: UInt8 = 0x02
    static let document: UInt8 = 0x03
    static let array: UInt8 = 0x04
    static let binary: UInt8 = 0x05
    static let bool: UInt8 = 0x08
    static let date: UInt8 = 0x09
    static let null: UInt8 = 0x0A
    static let int32: UInt8 = 0x10
    static let timestamp: UInt8 = 0x11
    static let int64: UInt8 = 0x12

    /// As deep as a server takes documents.
    static let depthMax = 100
}

/// Writes documents. Numbers are little-endian, a length counts its own four bytes.
struct BSONWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ document: BSONDocument, depth: Int) throws(MongoError) {
        let start = try begin(depth)
        for (name, value) in document.fields {
            // SAFETY: the buffer is copied within the closure.
            try write(value, depth) { out in name.withUTF8Buffer { unsafe out.append(contentsOf: $0) } }
        }
        try end(start)
    }

    private mutating func write(_ values: [BSONValue], depth: Int) throws(MongoError) {
        let start = try begin(depth)
        for (index, value) in values.enumerated() {
            try write(value, depth) { $0.append(contentsOf: String(index).utf8) }
        }
        try end(start)
    }

    private mutating func begin(_ depth: Int) throws(MongoError) -> Int {
        guard depth < BSONKind.depthMax else { throw .invalidDocument("it nests too deep") }
        let start = bytes.count
        append(UInt32(0))
        return start
    }

    private mutating func end(_ start: Int) throws(MongoError) {
        bytes.append(0)
        guard let length = UInt32(exactly: bytes.count - start), length <= UInt32(Int32.max) else {
            throw .documentTooLarge
        }
        for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index))) }
    }

    private mutating func write(
        _ value: BSONValue, _ depth: Int, name: (inout [UInt8]) -> Void
    ) throws(MongoError) {
        func head(_ kind: UInt8, _ out: inout [UInt8]) {
            out.append(kind)
            name(&out)
            out.append(0)
        }
        switch value {
        case .double(let number):
            head(BSONKind.double, &bytes)
            append(number.bitPattern)
        case .text(let text):
            head(BSONKind.text, &bytes)
            append(try Self.length(text.count + 1))
            bytes.append(contentsOf: text)
            bytes.append(0)
        case .document(let document):
            head(BSONKind.document, &bytes)
            try write(document, depth: depth + 1)
        case .raw(let view):
            head(BSONKind.document, &bytes)
            bytes.append(contentsOf: view.encodedSlice)
        case .array(let values):
            head(BSONKind.array, &bytes)
            try write(values, depth: depth + 1)
        case .binary(let data):
            head(BSONKind.binary, &bytes)
            append(try Self.length(data.count))
            bytes.append(0)
            bytes.append(contentsOf: data)
        case .bool(let flag):
            head(BSONKind.bool, &bytes)
            bytes.append(flag ? 1 : 0)
        case .date(let milliseconds):
            head(BSONKind.date, &bytes)
            append(UInt64(bitPattern: milliseconds))
        case .null: head(BSONKind.null, &bytes)
        case .int32(let number):
            head(BSONKind.int32, &bytes)
            append(UInt32(bitPattern: number))
        case .int64(let number):
            head(BSONKind.int64, &bytes)
            append(UInt64(bitPattern: number))
        case .timestamp(let time):
            head(BSONKind.timestamp, &bytes)
            append(time)
        }
    }

    private static func length(_ count: Int) throws(MongoError) -> UInt32 {
        guard let length = Int32(exactly: count) else { throw .documentTooLarge }
        return UInt32(bitPattern: length)
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        for index in 0..<(number.bitWidth / 8) { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }
}
