public import Metadata

/// One event, as a target gets it.
public struct TargetMessage: Sendable {
    /// The same for each delivery of the event, so that receivers can drop doubles.
    public var id: String
    /// `s3:ObjectCreated:Put`.
    public var event: String
    /// What messages are kept in order by.
    public var key: ObjectKey?
    public var bucket: BucketName?
    /// JSON.
    public var body: [UInt8]

    public init(id: String, event: String, key: ObjectKey?, bucket: BucketName?, body: [UInt8]) {
        (self.id, self.event, self.key, self.bucket, self.body) = (id, event, key, bucket, body)
    }
}
