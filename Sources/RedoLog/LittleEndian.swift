/// Fixed numbers of the file formats, little-endian.
extension [UInt8] {
    package mutating func append(littleEndian value: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

extension Span<UInt8> {
    /// The number at `offset`; nil where it does not lie within.
    package func littleEndian<Number: FixedWidthInteger & UnsignedInteger>(_ offset: Int, as: Number.Type) -> Number? {
        let length = Number.bitWidth / 8
        guard offset >= 0, offset <= count - length else { return nil }
        var value: Number = 0
        for index in 0..<length { value |= Number(truncatingIfNeeded: self[offset + index]) << (index * 8) }
        return value
    }
}
