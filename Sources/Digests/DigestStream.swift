/// The digests to compute in one pass.
public struct DigestSet: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public init(_ algorithm: DigestAlgorithm) { rawValue = 1 << (algorithm.rawValue - 1) }

    public static let md5 = DigestSet(.md5)
    public static let sha1 = DigestSet(.sha1)
    public static let sha256 = DigestSet(.sha256)
    public static let crc32 = DigestSet(.crc32)
    public static let crc32c = DigestSet(.crc32c)
    public static let crc64nvme = DigestSet(.crc64nvme)
}

/// The finished values, one for each algorithm that was asked for; big-endian bytes for the CRCs.
public struct DigestValues: Sendable, Equatable {
    private var values: [DigestAlgorithm: [UInt8]] = [:]
    public init() {}
    public subscript(algorithm: DigestAlgorithm) -> [UInt8]? {
        get { values[algorithm] }
        set { values[algorithm] = newValue }
    }
}

/// Computes several digests over one stream of bytes; each byte is passed once, in pieces that stay in the cache.
/// Owned by one task at a time.
public final class DigestStream {
    public init(_ set: DigestSet) {}
    public func update(_ bytes: Span<UInt8>) {}
    /// Ends the stream. Further updates are ignored.
    public func finish() -> DigestValues { DigestValues() }
}
