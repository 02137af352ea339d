/// A page of latest, undeleted objects in byte order of keys.
public struct ListQuery: Sendable {
    public var bucket: BucketID
    public var prefix: [UInt8]
    /// Any number of bytes; nil or empty for none. Keys that contain it after the prefix are rolled up into common
    /// prefixes, which end with it.
    public var delimiter: [UInt8]?
    /// Entries come strictly after this. Where it names a common prefix that the delimiter makes (it begins with the query's
    /// prefix and ends with the delimiter), keys under that prefix are passed over too.
    public var after: [UInt8]?
    /// Keys and common prefixes together, 0...1000. 0 gives an empty page that is not truncated.
    public var limit: Int

    public init(bucket: BucketID, prefix: [UInt8], delimiter: [UInt8]?, after: [UInt8]?, limit: Int) {
        self.bucket = bucket
        self.prefix = prefix
        self.delimiter = delimiter
        self.after = after
        self.limit = limit
    }
}

public struct ListPage: Sendable {
    /// Without `content`, tags, and `attributes` but the storage class, which no listing shows.
    public var objects: [ObjectVersion]
    public var commonPrefixes: [[UInt8]]
    public var isTruncated: Bool
    /// The last key or common prefix of the page, whichever is later; `after` of the next page. Nil on an empty page.
    public var last: [UInt8]?

    public init(objects: [ObjectVersion], commonPrefixes: [[UInt8]], isTruncated: Bool, last: [UInt8]?) {
        self.objects = objects
        self.commonPrefixes = commonPrefixes
        self.isTruncated = isTruncated
        self.last = last
    }
}

/// A page of all versions and delete markers, by key in byte order, newest first within a key.
public struct ListVersionsQuery: Sendable {
    public var bucket: BucketID
    public var prefix: [UInt8]
    public var delimiter: [UInt8]?
    /// With `versionMarker`: entries after that version of this key. Without: entries of keys after this (or after the common
    /// prefix that it names).
    public var keyMarker: [UInt8]?
    public var versionMarker: VersionID?
    /// 0...1000.
    public var limit: Int

    public init(
        bucket: BucketID, prefix: [UInt8], delimiter: [UInt8]?, keyMarker: [UInt8]?, versionMarker: VersionID?,
        limit: Int
    ) {
        self.bucket = bucket
        self.prefix = prefix
        self.delimiter = delimiter
        self.keyMarker = keyMarker
        self.versionMarker = versionMarker
        self.limit = limit
    }
}

public struct ListVersionsPage: Sendable {
    /// Without `content`.
    public var versions: [ObjectVersion]
    public var commonPrefixes: [[UInt8]]
    public var isTruncated: Bool
    /// Where the next page begins; nil unless truncated.
    public var nextKeyMarker: [UInt8]?
    /// Nil where the page ended with a common prefix.
    public var nextVersionMarker: VersionID?

    public init(
        versions: [ObjectVersion], commonPrefixes: [[UInt8]], isTruncated: Bool, nextKeyMarker: [UInt8]?,
        nextVersionMarker: VersionID?
    ) {
        self.versions = versions
        self.commonPrefixes = commonPrefixes
        self.isTruncated = isTruncated
        self.nextKeyMarker = nextKeyMarker
        self.nextVersionMarker = nextVersionMarker
    }
}

/// A page of uploads in progress, by key in byte order, then by the time they were begun.
public struct ListUploadsQuery: Sendable {
    public var bucket: BucketID
    public var prefix: [UInt8]
    public var delimiter: [UInt8]?
    public var keyMarker: [UInt8]?
    /// Only with `keyMarker`: uploads of that key after this one.
    public var uploadMarker: UploadID?
    /// 0...1000.
    public var limit: Int

    public init(
        bucket: BucketID, prefix: [UInt8], delimiter: [UInt8]?, keyMarker: [UInt8]?, uploadMarker: UploadID?,
        limit: Int
    ) {
        self.bucket = bucket
        self.prefix = prefix
        self.delimiter = delimiter
        self.keyMarker = keyMarker
        self.uploadMarker = uploadMarker
        self.limit = limit
    }
}

public struct ListUploadsPage: Sendable {
    public var uploads: [Upload]
    public var commonPrefixes: [[UInt8]]
    public var isTruncated: Bool
    public var nextKeyMarker: [UInt8]?
    public var nextUploadMarker: UploadID?

    public init(
        uploads: [Upload], commonPrefixes: [[UInt8]], isTruncated: Bool, nextKeyMarker: [UInt8]?,
        nextUploadMarker: UploadID?
    ) {
        self.uploads = uploads
        self.commonPrefixes = commonPrefixes
        self.isTruncated = isTruncated
        self.nextKeyMarker = nextKeyMarker
        self.nextUploadMarker = nextUploadMarker
    }
}
