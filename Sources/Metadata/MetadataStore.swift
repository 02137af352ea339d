public import Bytes

/// What is known of buckets, versions, uploads and users.
///
/// Every write is atomic, durable when it returns, and decides its conditions in the commit itself. Reads see every write
/// that returned before they began. Safe for concurrent use from the pool's threads.
public protocol MetadataStore: Sendable {
    // Buckets
    func bucket(named name: BucketName) async throws(MetadataError) -> Bucket?
    /// In order of name, those after `after`.
    func buckets(after: BucketName?, prefix: [UInt8], limit: Int) async throws(MetadataError) -> [Bucket]
    /// Throws `bucketExists`.
    func createBucket(named name: BucketName, owner: String, at now: Timestamp) async throws(MetadataError) -> Bucket
    /// Removes a bucket that has no versions or delete markers, else `bucketNotEmpty`. Its uploads in progress are aborted.
    func deleteBucket(_ id: BucketID) async throws(MetadataError)
    func setVersioning(_ state: VersioningState, of bucket: BucketID) async throws(MetadataError)
    /// Replaces the bucket's document of a kind, or removes it where it is nil. When this returns, every gateway goes by it. Throws
    /// `noSuchBucket`.
    func configure(
        _ bucket: BucketID, _ kind: BucketConfiguration.Kind, with document: [UInt8]?
    ) async throws(MetadataError)

    // Versions
    /// The latest version (which may be a delete marker) where `version` is nil, else the named one.
    func version(of key: ObjectKey, in bucket: BucketID, version: VersionID?) async throws(MetadataError)
        -> ObjectVersion?
    func listObjects(_ query: ListQuery) async throws(MetadataError) -> ListPage
    func listVersions(_ query: ListVersionsQuery) async throws(MetadataError) -> ListVersionsPage
    /// Publishes a new latest version as the bucket's versioning state says; an unversioned or suspended bucket's `null`
    /// version is replaced and its blobs become garbage.
    func publish(_ new: NewVersion) async throws(MetadataError) -> ObjectVersion
    func delete(_ request: DeleteRequest) async throws(MetadataError) -> DeleteResult
    /// Each by itself, in no promised order; one result for each, in the order of the requests. Cheaper than one after another.
    func delete(_ requests: [DeleteRequest]) async -> [Result<DeleteResult, MetadataError>]
    /// Replaces the tags of a version. Throws `noSuchKey` or `noSuchVersion`; a delete marker counts as `noSuchKey`.
    /// Returns the version's id. `event` is nil where nobody waits for it.
    func setTags(_ tags: [Tag], of key: ObjectKey, in bucket: BucketID, version: VersionID?, event: EventDraft?)
        async throws(MetadataError) -> VersionID

    // Multipart uploads
    func createUpload(_ upload: Upload) async throws(MetadataError)
    func upload(_ id: UploadID, of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) -> Upload?
    func listUploads(_ query: ListUploadsQuery) async throws(MetadataError) -> ListUploadsPage
    /// Replaces a part of the same number, whose blob becomes garbage. `blob` is the one that the part names. Throws
    /// `noSuchUpload`.
    func putPart(
        _ part: UploadedPart, blob: NewBlob?, of upload: UploadID, key: ObjectKey, in bucket: BucketID
    ) async throws(MetadataError)
    /// In order of number, those after `after`.
    func parts(of upload: UploadID, after: Int, limit: Int) async throws(MetadataError) -> [UploadedPart]
    /// Publishes the parts as one version; removes the upload; parts that the request leaves out become garbage.
    /// A Complete repeated within 48 hours of its success returns the first result, without `content` where that version is
    /// gone.
    func completeUpload(_ request: CompleteRequest) async throws(MetadataError) -> ObjectVersion
    /// Throws `noSuchUpload`. The parts' blobs become garbage.
    func abortUpload(_ id: UploadID, of key: ObjectKey, in bucket: BucketID) async throws(MetadataError)

    // Users
    func user(accessKey: [UInt8]) async throws(MetadataError) -> User?
    /// In order of name.
    func users() async throws(MetadataError) -> [User]
    /// Throws `userExists` or `accessKeyExists`.
    func addUser(_ user: User) async throws(MetadataError)
    /// Replaces the user of the same name. Throws `noSuchUser` or `accessKeyExists`.
    func updateUser(_ user: User) async throws(MetadataError)

    // Assets
    /// With its versions. Nil for one that is not there, or was removed for good; one that is deleted is there.
    func asset(_ id: AssetID) async throws(MetadataError) -> AssetDocument?
    /// In the order of the ids, without versions. Those that are not there are left out.
    func assets(_ ids: [AssetID]) async throws(MetadataError) -> [AssetDocument]
    /// The asset that an object is.
    func asset(of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) -> Asset?
    /// Replaces all of them. Throws `noSuchKey` where the asset is not there, and `superseded` where they are others than `former`;
    /// nil for any.
    @discardableResult
    func setAssetDetails(
        _ details: AssetDetails, of id: AssetID, ifNow former: AssetDetails?
    ) async throws(MetadataError) -> Asset
    /// Whether the objects of a bucket are assets. Those that are there already become assets with their next version, or by
    /// `makeAssets`; those that were stay so until they are removed.
    func setAssets(_ hasAssets: Bool, of bucket: BucketID) async throws(MetadataError)
    /// Makes assets of objects that have none, made when their latest versions were. Returns how many became some; what has one
    /// already, is deleted, or lies in a bucket without assets, is passed over. At most 1,000 keys.
    @discardableResult
    func makeAssets(of keys: [ObjectKey], in bucket: BucketID) async throws(MetadataError) -> Int

    // Blobs
    /// Where a blob lies now; nil for one that no committed change names, or that was removed.
    func blob(_ id: BlobID) async throws(MetadataError) -> StoredBlob?
    /// In order of id, those after `after`.
    func blobs(after: BlobID, limit: Int) async throws(MetadataError) -> [StoredBlob]
    /// The bytes of a blob that lies in the store itself (`BlobLocation.metadata`); nil for one that is not there, or not any more.
    func bytes(of blob: BlobID) async throws(MetadataError) -> [UInt8]?
    /// Blobs that lie in the store itself and that nothing names, nor ever will: what published them died before it did.
    func strayBlobs() async throws(MetadataError) -> [BlobID]
    /// Moves a stray blob to where nothing reads it. False where it was not there.
    func setAside(stray blob: BlobID) async throws(MetadataError) -> Bool
    /// Blobs in files that nothing names any more, oldest first. They stay listed until `forgetGarbage`. What lies in a
    /// segment or in the store itself is not listed: it goes with the segment, or by itself.
    func garbage(limit: Int) async throws(MetadataError) -> [BlobID]
    /// Called after the blobs' files are gone.
    func forgetGarbage(_ blobs: [BlobID]) async throws(MetadataError)
    /// How long the list of garbage is. Blocks for the disk.
    func garbageCount() throws(MetadataError) -> UInt64

    /// Gives blobs whose bytes in the log are damaged or gone a new place, where another copy of them is whole. Returns those.
    func heal(_ blobs: [StoredBlob]) async throws(MetadataError) -> Set<BlobID>
    /// The versions that name these blobs, at most `countMax` of each; for reports.
    func versions(naming blobs: Set<BlobID>, countMax: Int) async throws(MetadataError) -> [BlobID: [VersionName]]

    /// Pages of the store's own files that are not what was written; none where it has no files here. `pace` is told of the bytes
    /// read, and ends the walk by false.
    func damagedPages(pace: @Sendable (Int) async -> Bool) async throws(MetadataError) -> [DamagedPage]
}

extension MetadataStore {
    public func setTags(
        _ tags: [Tag], of key: ObjectKey, in bucket: BucketID, version: VersionID?
    ) async throws(MetadataError) -> VersionID {
        try await setTags(tags, of: key, in: bucket, version: version, event: nil)
    }

    @discardableResult
    public func setAssetDetails(_ details: AssetDetails, of id: AssetID) async throws(MetadataError) -> Asset {
        try await setAssetDetails(details, of: id, ifNow: nil)
    }

    // A store with a log keeps no blobs elsewhere.
    public func bytes(of blob: BlobID) async throws(MetadataError) -> [UInt8]? { nil }
    public func strayBlobs() async throws(MetadataError) -> [BlobID] { [] }
    public func setAside(stray blob: BlobID) async throws(MetadataError) -> Bool { false }
}

/// A version about to be published. The store gives the version id, sequence and date.
public struct NewVersion: Sendable {
    public var bucket: BucketID
    public var key: ObjectKey
    public var owner: String
    public var size: UInt64
    public var etag: ETag
    public var attributes: ObjectAttributes
    public var checksum: Checksum?
    public var tags: [Tag]
    public var content: Content
    /// The one blob of `content`.
    public var blob: NewBlob?
    public var conditions: WriteConditions
    /// Nil where nobody waits for it.
    public var event: EventDraft?

    public init(
        bucket: BucketID, key: ObjectKey, owner: String, size: UInt64, etag: ETag, attributes: ObjectAttributes,
        checksum: Checksum?, tags: [Tag], content: Content, blob: NewBlob? = nil,
        conditions: WriteConditions = WriteConditions(), event: EventDraft? = nil
    ) {
        self.bucket = bucket
        self.key = key
        self.owner = owner
        self.size = size
        self.etag = etag
        self.attributes = attributes
        self.checksum = checksum
        self.tags = tags
        self.content = content
        self.blob = blob
        self.conditions = conditions
        self.event = event
    }
}

/// What must hold for the current version for a write to happen, decided inside the commit. A delete marker counts as
/// no object. AWS: userguide/conditional-requests.
public struct WriteConditions: Sendable, Equatable {
    public enum Match: Sendable, Equatable {
        /// `*`: any object.
        case any
        /// One of these unquoted ETags.
        case etags([[UInt8]])
    }

    /// `If-Match`. Where no object exists the error is `noSuchKey`.
    public var ifMatch: Match?
    /// `If-None-Match`.
    public var ifNoneMatch: Match?
    /// `x-amz-if-match-last-modified-time`, compared in whole seconds.
    public var ifModifiedAt: Timestamp?
    /// `x-amz-if-match-size`, in bytes.
    public var ifSize: UInt64?

    public init() {}
    public var isEmpty: Bool { self == WriteConditions() }
}

public struct DeleteRequest: Sendable {
    public var bucket: BucketID
    public var key: ObjectKey
    /// Nil deletes as the versioning state says: unversioned removes; enabled adds a delete marker; suspended replaces the
    /// `null` version by a delete marker. A named version is removed for good.
    public var version: VersionID?
    public var owner: String
    public var conditions: WriteConditions
    /// Noted where the key loses its latest version that is no delete marker. Nil where nobody waits for it.
    public var event: EventDraft?
    /// The sequence of the latest version that `event` was made for, 0 for none. Another one is `superseded`.
    public var latestSequence: Int64?

    public init(
        bucket: BucketID, key: ObjectKey, version: VersionID?, owner: String,
        conditions: WriteConditions = WriteConditions(), event: EventDraft? = nil, latestSequence: Int64? = nil
    ) {
        self.bucket = bucket
        self.key = key
        self.version = version
        self.owner = owner
        self.conditions = conditions
        self.event = event
        self.latestSequence = latestSequence
    }
}

public struct DeleteResult: Sendable, Equatable {
    /// The version that was named, whether or not it was there; else the delete marker that was made; else nil.
    public var versionID: VersionID?
    /// A delete marker was made, or the removed version was one.
    public var isDeleteMarker: Bool

    public init(versionID: VersionID?, isDeleteMarker: Bool) {
        self.versionID = versionID
        self.isDeleteMarker = isDeleteMarker
    }
}

public struct CompleteRequest: Sendable {
    public struct Part: Sendable, Equatable {
        public var number: Int
        /// The MD5 of the part as the client saw it in its ETag, 16 bytes.
        public var md5: [UInt8]
        /// As the client sent it, in the upload's algorithm.
        public var checksum: [UInt8]?

        public init(number: Int, md5: [UInt8], checksum: [UInt8]?) {
            self.number = number
            self.md5 = md5
            self.checksum = checksum
        }
    }

    public var upload: UploadID
    public var bucket: BucketID
    public var key: ObjectKey
    /// Ascending by number.
    public var parts: [Part]
    /// The smallest size of a part but the last, in bytes.
    public var partSizeMin: UInt64
    /// The whole object's size as `x-amz-mp-object-size` said; another size is `invalidPart`.
    public var size: UInt64?
    /// The ETag and checksum over the parts, computed by the caller from `parts(of:)` rows that it read before; the commit
    /// verifies that the rows still are those (same MD5 per number), else `invalidPart`.
    public var etag: ETag
    public var checksum: Checksum?
    public var conditions: WriteConditions
    /// Nil where nobody waits for it.
    public var event: EventDraft?

    public init(
        upload: UploadID, bucket: BucketID, key: ObjectKey, parts: [Part], partSizeMin: UInt64, size: UInt64?,
        etag: ETag, checksum: Checksum?, conditions: WriteConditions, event: EventDraft? = nil
    ) {
        self.upload = upload
        self.bucket = bucket
        self.key = key
        self.parts = parts
        self.partSizeMin = partSizeMin
        self.size = size
        self.etag = etag
        self.checksum = checksum
        self.conditions = conditions
        self.event = event
    }
}
