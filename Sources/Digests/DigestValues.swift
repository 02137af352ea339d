/// The finished values, one for each algorithm that was asked for; big-endian bytes for the CRCs.
public struct DigestValues: Sendable, Equatable {
    private var md5: [UInt8]?
    private var sha1: [UInt8]?
    private var sha256: [UInt8]?
    private var crc32: [UInt8]?
    private var crc32c: [UInt8]?
    private var crc64nvme: [UInt8]?

    public init() {}

    public subscript(algorithm: DigestAlgorithm) -> [UInt8]? {
        get {
            switch algorithm {
            case .md5: md5
            case .sha1: sha1
            case .sha256: sha256
            case .crc32: crc32
            case .crc32c: crc32c
            case .crc64nvme: crc64nvme
            }
        }
        set {
            switch algorithm {
            case .md5: md5 = newValue
            case .sha1: sha1 = newValue
            case .sha256: sha256 = newValue
            case .crc32: crc32 = newValue
            case .crc32c: crc32c = newValue
            case .crc64nvme: crc64nvme = newValue
            }
        }
    }
}
