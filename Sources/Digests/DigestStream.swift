/// Computes several digests over one stream of bytes; each byte is passed once, in pieces that stay in the cache.
/// Owned by one task at a time.
public final class DigestStream {
    /// The bytes that go through every algorithm before the next ones are touched: half of a usual first-level cache.
    private static let pieceLength = 16_384

    private let set: DigestSet
    private var md5: EVPDigest?
    private var sha1: EVPDigest?
    private var sha256: EVPDigest?
    private var crc32: CRC32?
    private var crc32c: CRC32C?
    private var crc64nvme: CRC64NVME?

    public init(_ set: DigestSet) {
        self.set = set
        begin()
    }

    public func update(_ bytes: Span<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            let piece = rest.extracting(first: Self.pieceLength)
            rest = rest.extracting(droppingFirst: Self.pieceLength)
            md5?.update(piece)
            sha1?.update(piece)
            sha256?.update(piece)
            crc32?.update(piece)
            crc32c?.update(piece)
            crc64nvme?.update(piece)
        }
    }

    /// Ends the stream. Further updates are ignored, and a second call returns no values.
    public func finish() -> DigestValues {
        var values = DigestValues()
        values[.md5] = md5?.finish()
        values[.sha1] = sha1?.finish()
        values[.sha256] = sha256?.finish()
        values[.crc32] = crc32?.bytes
        values[.crc32c] = crc32c?.bytes
        values[.crc64nvme] = crc64nvme?.bytes
        (md5, sha1, sha256, crc32, crc32c, crc64nvme) = (nil, nil, nil, nil, nil, nil)
        return values
    }

    /// Drops what was taken in, and begins a new stream of the same digests.
    public func restart() { begin() }

    private func begin() {
        md5 = set.contains(.md5) ? md5.restarted(.md5) : nil
        sha1 = set.contains(.sha1) ? sha1.restarted(.sha1) : nil
        sha256 = set.contains(.sha256) ? sha256.restarted(.sha256) : nil
        crc32 = set.contains(.crc32) ? CRC32() : nil
        crc32c = set.contains(.crc32c) ? CRC32C() : nil
        crc64nvme = set.contains(.crc64nvme) ? CRC64NVME() : nil
    }
}

extension EVPDigest? {
    fileprivate func restarted(_ function: HashFunction) -> EVPDigest {
        guard let self else { return EVPDigest(function) }
        self.restart()
        return self
    }
}
