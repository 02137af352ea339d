public import Bytes
public import Digests

/// One stored version of a key: an object, or a delete marker.
public struct ObjectVersion: Sendable, Equatable {
    public var key: ObjectKey
    public var versionID: VersionID
    public var isLatest: Bool
    public var isDeleteMarker: Bool
    /// When the version was committed, by the store's clock. Display only; the order of versions is `sequence`.
    public var modified: Timestamp
    /// Ascending per key in the order of commits.
    public var sequence: Int64
    /// The name of the user who wrote it.
    public var owner: String
    /// In bytes; 0 for a delete marker.
    public var size: UInt64
    public var etag: ETag
    public var attributes: ObjectAttributes
    public var checksum: Checksum?
    public var tags: [Tag]
    /// Empty for a delete marker.
    public var content: Content
    /// What was known of the one blob of `content` when the version was read. Nil for other content, and from a store that
    /// does not say: `MetadataStore.blob` tells. The blob may have moved since.
    public var blob: StoredBlob?

    public init(
        key: ObjectKey, versionID: VersionID, isLatest: Bool, isDeleteMarker: Bool, modified: Timestamp,
        sequence: Int64, owner: String, size: UInt64, etag: ETag, attributes: ObjectAttributes, checksum: Checksum?,
        tags: [Tag], content: Content, blob: StoredBlob? = nil
    ) {
        self.key = key
        self.versionID = versionID
        self.isLatest = isLatest
        self.isDeleteMarker = isDeleteMarker
        self.modified = modified
        self.sequence = sequence
        self.owner = owner
        self.size = size
        self.etag = etag
        self.attributes = attributes
        self.checksum = checksum
        self.tags = tags
        self.content = content
        self.blob = blob
    }
}

/// Names one stored run of bytes. Ascending, never reused.
public struct BlobID: Hashable, Comparable, Sendable {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static func < (a: BlobID, b: BlobID) -> Bool { a.value < b.value }
}

/// Where a version's bytes are.
public enum Content: Sendable, Equatable {
    /// No bytes: a delete marker, or an empty object.
    case empty
    /// One blob, owned by this version alone.
    case blob(BlobID)
    /// The parts of a completed multipart upload, in order, each blob owned by this version alone.
    case parts([StoredPart])

    public var blobs: [BlobID] {
        switch self {
        case .empty: []
        case .blob(let id): [id]
        case .parts(let parts): parts.compactMap(\.blob)
        }
    }
}

/// A part of a completed multipart object.
public struct StoredPart: Sendable, Equatable {
    /// 1...10000, as uploaded.
    public var number: Int
    /// Nil for a part of no bytes.
    public var blob: BlobID?
    /// In bytes.
    public var size: UInt64
    /// The part's own checksum, where one was asked for.
    public var checksum: [UInt8]?

    public init(number: Int, blob: BlobID?, size: UInt64, checksum: [UInt8]?) {
        self.number = number
        self.blob = blob
        self.size = size
        self.checksum = checksum
    }
}

/// MD5 of the content, or, for a multipart object, MD5 of the parts' MD5s with the count of parts.
public struct ETag: Sendable, Hashable {
    /// 16 bytes.
    public var md5: [UInt8]
    /// Nil for an object stored in one request.
    public var partCount: Int?

    public init(md5: [UInt8], partCount: Int? = nil) {
        self.md5 = md5
        self.partCount = partCount
    }

    /// Without quotes: `9bb58f26192e4ba00f01e2e7b136bbd8`, or `...-5`.
    public var unquoted: [UInt8] {
        guard let partCount else { return Hex.encode(md5) }
        return Hex.encode(md5) + [Ascii.dash] + Ascii.decimal(of: UInt64(max(0, partCount)))
    }
}

/// An additional checksum of the content (userguide/checking-object-integrity).
public struct Checksum: Sendable, Hashable {
    public enum Kind: UInt8, Sendable {
        /// Over all bytes of the object.
        case fullObject = 0
        /// Over the checksums of the parts; written with a `-N` suffix.
        case composite = 1
    }

    public var algorithm: DigestAlgorithm
    public var kind: Kind
    public var value: [UInt8]
    /// The count of parts of a composite checksum.
    public var partCount: Int?

    public init(algorithm: DigestAlgorithm, kind: Kind, value: [UInt8], partCount: Int? = nil) {
        self.algorithm = algorithm
        self.kind = kind
        self.value = value
        self.partCount = partCount
    }
}

/// What a client said about an object beside its bytes; returned as it was given.
public struct ObjectAttributes: Sendable, Equatable {
    public var contentType: [UInt8]?
    public var cacheControl: [UInt8]?
    public var contentDisposition: [UInt8]?
    public var contentEncoding: [UInt8]?
    public var contentLanguage: [UInt8]?
    /// As sent; not checked to be a date.
    public var expires: [UInt8]?
    public var websiteRedirect: [UInt8]?
    /// As `x-amz-storage-class` said; nil for STANDARD.
    public var storageClass: [UInt8]?
    /// `x-amz-meta-` fields, names lower case without the prefix, in the order sent. At most 2 KiB in all.
    public var userMetadata: [UserMetadata] = []

    public init() {}
}

public struct UserMetadata: Sendable, Equatable {
    public var name: [UInt8]
    public var value: [UInt8]

    public init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// A tag of an object: key 1...128 characters, value 0...256; at most 10, keys distinct.
public struct Tag: Sendable, Hashable {
    public var key: [UInt8]
    public var value: [UInt8]

    public init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }
    /// Of one object.
    public static let countMax = 10
}

extension [Tag] {
    /// `new` in place of those of the same keys.
    public func laidOver(by new: [Tag]) -> [Tag] {
        filter { old in !new.contains { $0.key == old.key } } + new
    }
}
