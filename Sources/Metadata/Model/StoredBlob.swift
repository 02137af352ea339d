/// Where the bytes of a blob lie.
public enum BlobLocation: Sendable, Hashable {
    /// In a file of their own, named by the blob's id.
    case file
    /// In the log, within the record that committed them: the number of the segment, and bytes from its start.
    case segment(UInt64, offset: UInt64)
    /// In the metadata store itself, which gives them by `bytes(of:)`.
    case metadata
}

/// What is known of a blob that a committed change names.
public struct StoredBlob: Sendable, Hashable {
    public var id: BlobID
    /// In bytes.
    public var size: UInt64
    /// CRC-32C of the bytes in a segment or in the metadata store; of a file, that of the table of check values in its trailer. Nil for files without
    /// a trailer, as the first format wrote them.
    public var crc32c: UInt32?
    public var location: BlobLocation

    public init(id: BlobID, size: UInt64, crc32c: UInt32?, location: BlobLocation) {
        self.id = id
        self.size = size
        self.crc32c = crc32c
        self.location = location
    }
}

/// A blob that no committed change names yet.
public struct NewBlob: Sendable, Equatable {
    public var id: BlobID
    /// In bytes.
    public var size: UInt64
    /// As in `StoredBlob`.
    public var crc32c: UInt32?
    /// The bytes, where the commit itself makes them durable. Nil where they are in a file whose content is durable already;
    /// the commit makes its name durable.
    public var bytes: [UInt8]?

    public init(id: BlobID, size: UInt64, crc32c: UInt32?, bytes: [UInt8]?) {
        self.id = id
        self.size = size
        self.crc32c = crc32c
        self.bytes = bytes
    }
}
