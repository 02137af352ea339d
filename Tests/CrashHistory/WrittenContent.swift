/// The bytes of one write: a function of the key and the write's number, so that bytes which come back prove which write they
/// are of, and any range of them can be compared.
public struct WrittenContent: Sendable, Hashable {
    public let key: String
    public let id: EntryID
    public let size: Int

    public init(key: String, id: EntryID, size: Int) {
        self.key = key
        self.id = id
        self.size = size
    }

    public var bytes: [UInt8] { bytes(in: 0..<size) }

    public func bytes(in range: Range<Int>) -> [UInt8] {
        let range = range.clamped(to: 0..<size)
        let seed = self.seed
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count + 16)
        var place = range.lowerBound / 8
        while place * 8 < range.upperBound {
            var word = Self.mixed(seed &+ UInt64(place) &* 0x9E37_79B9_7F4A_7C15)
            for _ in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
            place += 1
        }
        let skipped = range.lowerBound % 8
        return [UInt8](bytes[skipped..<min(bytes.count, skipped + range.count)])
    }

    /// Says how bytes that are not this content differ from it; nil where they are it.
    public func difference(_ found: [UInt8], in range: Range<Int>? = nil) -> String? {
        let range = range ?? 0..<size
        let wanted = bytes(in: range)
        if found == wanted { return nil }
        guard found.count == wanted.count else { return "\(found.count) bytes instead of \(wanted.count)" }
        let wrong = wanted.indices.filter { wanted[$0] != found[$0] }
        let zeros = wrong.count(where: { found[$0] == 0 })
        return
            "\(wrong.count) of \(wanted.count) bytes are wrong, the first at \(range.lowerBound + (wrong.first ?? 0)), "
            + "\(zeros) of them zero"
    }

    private var seed: UInt64 {
        var seed: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Self.mixed(seed ^ UInt64(truncatingIfNeeded: id))
    }

    /// The finaliser of SplitMix64.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
