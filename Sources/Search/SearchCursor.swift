import Bytes

/// Where the next page of an answer begins: behind one asset, in one order. What is written meanwhile moves nothing: an asset
/// that comes later in the order appears, and none appears twice while its own place stays.
public struct SearchCursor: Sendable, Equatable {
    public var sort: SearchSort
    /// Of the query and the filters beside it; a cursor serves no other.
    public var digest: UInt64
    /// The last asset of the page before.
    public var last: SortPlace

    private static let version: UInt8 = 1
    /// Bytes of the words of a name that are kept: further ones decide nothing.
    public static let textLengthMax = 128

    public init(sort: SearchSort, digest: UInt64, last: SortPlace) {
        self.sort = sort
        self.digest = digest
        self.last = last
    }

    /// Base 64 with the URL alphabet, without padding.
    public var text: [UInt8] {
        var bytes: [UInt8] = [Self.version, sort.key.rawValue, sort.isDescending ? 1 : 0]
        for number in [digest, UInt64(bitPattern: last.number)] {
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
        }
        bytes += last.id
        bytes += last.text
        return Base64URL.encode(bytes)
    }

    /// Nil for text that no page ended with.
    public init?(_ text: [UInt8]) {
        guard text.count <= 512, let bytes = Base64URL.decode(text), bytes.count >= 35, bytes[0] == Self.version,
            let key = SearchSort.Key(rawValue: bytes[1]), bytes[2] <= 1
        else { return nil }
        func number(_ start: Int) -> UInt64 {
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) }
        }
        sort = SearchSort(key, isDescending: bytes[2] == 1)
        digest = number(3)
        last = SortPlace(
            number: Int64(bitPattern: number(11)), text: [UInt8](bytes[35...]), id: [UInt8](bytes[19..<35]))
    }

    /// FNV-1a, 64 bits: tells queries apart by accident, not against malice; a forged cursor shows nothing that the query does
    /// not.
    public static func digest(of parts: [[UInt8]]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in parts {
            for byte in part + [0] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return hash
    }
}

/// RFC 4648 section 5, without padding.
private enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        Base64.encode(bytes).compactMap { byte in
            switch byte {
            case 0x2B: 0x2D
            case 0x2F: 0x5F
            case 0x3D: nil
            default: byte
            }
        }
    }

    static func decode(_ text: [UInt8]) -> [UInt8]? {
        if text.contains(where: { $0 == 0x2B || $0 == 0x2F || $0 == 0x3D }) { return nil }
        let standard = text.map { byte -> UInt8 in
            switch byte {
            case 0x2D: 0x2B
            case 0x5F: 0x2F
            default: byte
            }
        }
        return Base64.decode(standard + [UInt8](repeating: 0x3D, count: (4 - standard.count % 4) % 4))
    }
}
