import Metadata

/// Which bytes of which blob make up a range of a version.
struct BlobExtent: Equatable {
    var blob: BlobID
    var offset: UInt64
    /// At least 1.
    var length: UInt64
    /// The size that the blob must have.
    var blobSize: UInt64

    /// In the order of the bytes; the whole version when `range` is nil. Takes memory for what lies in the range only.
    /// Throws `invalidRange` for one that is not inside, and `damaged` for a row that contradicts itself.
    static func extents(of version: ObjectVersion, range: Range<UInt64>?) throws(BucketsError) -> [BlobExtent] {
        let range = range ?? 0..<version.size
        guard range.upperBound <= version.size else { throw .invalidRange }
        var extents: [BlobExtent] = []
        var start: UInt64 = 0
        func add(_ blob: BlobID?, _ size: UInt64) throws(BucketsError) {
            let (end, overflow) = start.addingReportingOverflow(size)
            guard !overflow, end <= version.size, blob != nil || size == 0 else { throw contradiction(in: version) }
            let (from, to) = (max(start, range.lowerBound), min(end, range.upperBound))
            if let blob, from < to {
                extents.append(BlobExtent(blob: blob, offset: from - start, length: to - from, blobSize: size))
            }
            start = end
        }
        switch version.content {
        case .empty: break
        case .blob(let id): try add(id, version.size)
        case .parts(let parts): for part in parts { try add(part.blob, part.size) }
        }
        guard start == version.size else { throw contradiction(in: version) }
        return extents
    }

    private static func contradiction(in version: ObjectVersion) -> BucketsError {
        .damaged("the parts of \(version.key.text) do not make up its size")
    }
}
