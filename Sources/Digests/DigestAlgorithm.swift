/// The digests that S3 names. The raw values are stored; they never change meaning.
public enum DigestAlgorithm: UInt8, Sendable, CaseIterable, Hashable {
    case md5 = 1, sha1 = 2, sha256 = 3, crc32 = 4, crc32c = 5, crc64nvme = 6

    /// The length of a value in bytes.
    public var length: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        case .crc32, .crc32c: 4
        case .crc64nvme: 8
        }
    }
}
