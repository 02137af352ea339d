public import Metadata

/// What a blob is written for. It is kept beside the bytes, to say what they were where the metadata is lost; nothing else
/// reads it, and a copy that shares its source's file keeps the source's.
public struct BlobLabel: Sendable, Equatable {
    public var bucket: BucketName
    public var key: ObjectKey
    /// Nil for an object of one request.
    public var upload: UploadID?
    /// 1...10000 within `upload`, else 0.
    public var partNumber: Int
    public var contentType: [UInt8]?

    public init(
        bucket: BucketName, key: ObjectKey, upload: UploadID? = nil, partNumber: Int = 0, contentType: [UInt8]? = nil
    ) {
        self.bucket = bucket
        self.key = key
        self.upload = upload
        self.partNumber = partNumber
        self.contentType = contentType
    }
}
