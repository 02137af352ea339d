public import Files
import Metadata

/// A run of bytes in an open file; offset and length in bytes.
public struct BlobSlice: Sendable {
    public var file: any DiskFile
    public var offset: UInt64
    public var length: UInt64

    public init(file: any DiskFile, offset: UInt64, length: UInt64) {
        self.file = file
        self.offset = offset
        self.length = length
    }
}
