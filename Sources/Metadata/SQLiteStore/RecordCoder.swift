/// Writes values in the store's compact binary form: numbers as LEB128, bytes after their length.
/// The same form serves rows and, later, the redo log; what is written once can be read for ever.
struct RecordWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ byte: UInt8) { bytes.append(byte) }

    mutating func put(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    mutating func put(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Two's complement, so that negative numbers take ten bytes: only dates before 1970 are negative.
    mutating func put(_ number: Int64) { put(UInt64(bitPattern: number)) }

    mutating func put(_ field: some Collection<UInt8>) {
        put(UInt64(field.count))
        bytes.append(contentsOf: field)
    }

    /// 0 for nil, else 1 and the value.
    mutating func put<Value>(_ value: Value?, _ write: (inout RecordWriter, Value) -> Void) {
        put(value != nil)
        if let value { write(&self, value) }
    }
}

/// Reads what `RecordWriter` wrote. Whatever the bytes are it ends in a value or `MetadataError.broken`.
struct RecordReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() throws(MetadataError) -> UInt8 {
        guard position < bytes.count else { throw Self.cut }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func flag() throws(MetadataError) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw .broken("record: a flag is neither 0 nor 1")
        }
    }

    mutating func number() throws(MetadataError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let next = try byte()
            if shift == 63, next > 1 { break }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
        }
        throw .broken("record: a number above 64 bits")
    }

    mutating func signed() throws(MetadataError) -> Int64 { Int64(bitPattern: try number()) }

    /// A number that counts or indexes something.
    mutating func count() throws(MetadataError) -> Int {
        guard let value = Int(exactly: try number()) else { throw .broken("record: a count above 63 bits") }
        return value
    }

    mutating func field() throws(MetadataError) -> [UInt8] {
        let length = try count()
        guard length <= bytes.count - position else { throw Self.cut }
        defer { position += length }
        return [UInt8](bytes[position..<position + length])
    }

    mutating func optional<Value>(
        _ read: (inout RecordReader) throws(MetadataError) -> Value
    ) throws(MetadataError) -> Value? {
        try flag() ? try read(&self) : nil
    }

    var isAtEnd: Bool { position == bytes.count }

    /// Refuses bytes after the last value.
    func end() throws(MetadataError) {
        if !isAtEnd { throw .broken("record: bytes after its end") }
    }

    private static var cut: MetadataError { .broken("record: cut short") }
}
