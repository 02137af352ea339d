import CDigests

/// CRC-32 as in zip and Ethernet (ISO-HDLC).
public struct CRC32: Sendable, Equatable {
    public private(set) var value: UInt32

    /// Goes on from `value`, which is that of the bytes before.
    public init(_ value: UInt32 = 0) { self.value = value }

    public mutating func update(_ bytes: Span<UInt8>) {
        // SAFETY: the bytes are read during the call only.
        value = unsafe bytes.withUnsafeBufferPointer { unsafe cdigests_crc32(value, $0.baseAddress, $0.count) }
    }

    /// The value in the big-endian order in which S3 writes it.
    public var bytes: [UInt8] { bigEndian(value) }

    /// The value of A followed by B, from the values of both and the length of B in bytes.
    public static func combine(_ a: UInt32, _ b: UInt32, secondLength: UInt64) -> UInt32 {
        cdigests_crc32_combine(a, b, secondLength)
    }
}

/// CRC-32C (Castagnoli), as in iSCSI.
public struct CRC32C: Sendable, Equatable {
    public private(set) var value: UInt32

    /// Goes on from `value`, which is that of the bytes before.
    public init(_ value: UInt32 = 0) { self.value = value }

    public mutating func update(_ bytes: Span<UInt8>) {
        // SAFETY: the bytes are read during the call only.
        value = unsafe bytes.withUnsafeBufferPointer { unsafe cdigests_crc32c(value, $0.baseAddress, $0.count) }
    }

    /// The value in the big-endian order in which S3 writes it.
    public var bytes: [UInt8] { bigEndian(value) }

    public static func of(_ bytes: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes.span)
        return crc.value
    }

    /// The value of A followed by B, from the values of both and the length of B in bytes.
    public static func combine(_ a: UInt32, _ b: UInt32, secondLength: UInt64) -> UInt32 {
        cdigests_crc32c_combine(a, b, secondLength)
    }
}

/// CRC-64/NVME.
public struct CRC64NVME: Sendable, Equatable {
    public private(set) var value: UInt64

    /// Goes on from `value`, which is that of the bytes before.
    public init(_ value: UInt64 = 0) { self.value = value }

    public mutating func update(_ bytes: Span<UInt8>) {
        // SAFETY: the bytes are read during the call only.
        value = unsafe bytes.withUnsafeBufferPointer { unsafe cdigests_crc64nvme(value, $0.baseAddress, $0.count) }
    }

    /// The value in the big-endian order in which S3 writes it.
    public var bytes: [UInt8] { bigEndian(value) }

    /// The value of A followed by B, from the values of both and the length of B in bytes.
    public static func combine(_ a: UInt64, _ b: UInt64, secondLength: UInt64) -> UInt64 {
        cdigests_crc64nvme_combine(a, b, secondLength)
    }
}

extension DigestValues {
    /// The FULL_OBJECT checksum of two parts in a row, from their checksums and the second's length in bytes, without
    /// reading them again. Nil for an algorithm that cannot be combined, or a value of the wrong length.
    public static func combine(
        _ algorithm: DigestAlgorithm, _ first: [UInt8], _ second: [UInt8], secondLength: UInt64
    ) -> [UInt8]? {
        guard first.count == algorithm.length, second.count == algorithm.length else { return nil }
        let (a, b) = (number(first), number(second))
        switch algorithm {
        case .crc32:
            return bigEndian(
                CRC32.combine(
                    UInt32(truncatingIfNeeded: a), UInt32(truncatingIfNeeded: b), secondLength: secondLength))
        case .crc32c:
            return bigEndian(
                CRC32C.combine(
                    UInt32(truncatingIfNeeded: a), UInt32(truncatingIfNeeded: b), secondLength: secondLength))
        case .crc64nvme: return bigEndian(CRC64NVME.combine(a, b, secondLength: secondLength))
        case .md5, .sha1, .sha256: return nil
        }
    }

    private static func number(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}

private func bigEndian(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
    stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
}
