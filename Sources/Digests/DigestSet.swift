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
