public import Files
import Metadata

/// A run of bytes in an open blob; offset and length in bytes.
public struct BlobSlice: Sendable {
    public var file: OpenFile
    public var offset: UInt64
    public var length: UInt64

    public init(file: OpenFile, offset: UInt64, length: UInt64) {
        self.file = file
        self.offset = offset
        self.length = length
    }
}

/// Which bytes of which blob make up a range of a version.
struct BlobExtent: Equatable {
    var blob: BlobID
    var offset: UInt64
    /// At least 1.
    var length: UInt64
    /// The size that the blob must have.
    var blobSize: UInt64

    /// In the order of the bytes; the whole version when `range` is nil. Throws `invalidRange` for one that is not inside,
    /// and `damaged` for a row that contradicts itself.
    static func extents(of version: ObjectVersion, range: Range<UInt64>?) throws(BucketsError) -> [BlobExtent] {
        let range = range ?? 0..<version.size
        guard range.upperBound <= version.size else { throw .invalidRange }
        var extents: [BlobExtent] = []
        var start: UInt64 = 0
        for (blob, size) in blobs(of: version) {
            let (end, overflow) = start.addingReportingOverflow(size)
            guard !overflow, end <= version.size, blob != nil || size == 0 else {
                throw .damaged("the parts of \(version.key.text) do not make up its size")
            }
            let (from, to) = (max(start, range.lowerBound), min(end, range.upperBound))
            if let blob, from < to {
                extents.append(BlobExtent(blob: blob, offset: from - start, length: to - from, blobSize: size))
            }
            start = end
        }
        guard start == version.size else { throw .damaged("the parts of \(version.key.text) do not make up its size") }
        return extents
    }

    private static func blobs(of version: ObjectVersion) -> [(BlobID?, UInt64)] {
        switch version.content {
        case .empty: []
        case .blob(let id): [(id, version.size)]
        case .parts(let parts): parts.map { ($0.blob, $0.size) }
        }
    }
}
