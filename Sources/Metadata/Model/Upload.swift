public import Bytes
public import Digests

/// Names a multipart upload: 32 lower-case hexadecimal digits, random.
public struct UploadID: Hashable, Sendable {
    public let utf8: [UInt8]

    /// Nil for text that no upload can have.
    public init?(_ text: some Collection<UInt8>) {
        guard text.count == 32, text.allSatisfy({ Hex.value(of: $0) != nil }) else { return nil }
        utf8 = [UInt8](text)
    }
}

/// A multipart upload that was begun and neither completed nor aborted.
public struct Upload: Sendable, Equatable {
    public var id: UploadID
    public var bucket: BucketID
    public var key: ObjectKey
    public var owner: String
    public var initiated: Timestamp
    public var attributes: ObjectAttributes
    public var tags: [Tag]
    /// What Complete will compute, when the client named one.
    public var checksumAlgorithm: DigestAlgorithm?
    public var checksumKind: Checksum.Kind?

    public init(
        id: UploadID, bucket: BucketID, key: ObjectKey, owner: String, initiated: Timestamp,
        attributes: ObjectAttributes, tags: [Tag], checksumAlgorithm: DigestAlgorithm?, checksumKind: Checksum.Kind?
    ) {
        self.id = id
        self.bucket = bucket
        self.key = key
        self.owner = owner
        self.initiated = initiated
        self.attributes = attributes
        self.tags = tags
        self.checksumAlgorithm = checksumAlgorithm
        self.checksumKind = checksumKind
    }
}

/// A part that was uploaded; a later upload of the same number replaces it.
public struct UploadedPart: Sendable, Equatable {
    /// 1...10000.
    public var number: Int
    /// In bytes.
    public var size: UInt64
    /// 16 bytes.
    public var md5: [UInt8]
    /// In the upload's algorithm, or in the one that this part's request named.
    public var checksum: PartChecksum?
    public var modified: Timestamp
    /// Nil for a part of no bytes.
    public var blob: BlobID?

    public init(
        number: Int, size: UInt64, md5: [UInt8], checksum: PartChecksum?, modified: Timestamp, blob: BlobID?
    ) {
        self.number = number
        self.size = size
        self.md5 = md5
        self.checksum = checksum
        self.modified = modified
        self.blob = blob
    }
}

public struct PartChecksum: Sendable, Hashable {
    public var algorithm: DigestAlgorithm
    public var value: [UInt8]

    public init(algorithm: DigestAlgorithm, value: [UInt8]) {
        self.algorithm = algorithm
        self.value = value
    }
}
