public import Bytes

/// Something that happened to an object and that somebody is to be told of, or that sets off hooks. It is part of the commit that
/// made it happen.
public struct ObjectEvent: Sendable, Equatable {
    /// Ascending in the order of commits.
    public var position: Int64
    /// When it was committed, by the store's clock.
    public var moment: Timestamp
    public var bucket: BucketID
    public var key: ObjectKey
    /// The version that was made, changed or removed; nil where a key without versions was removed.
    public var versionID: VersionID?
    /// That version's place among those of its key: what AWS calls the sequencer.
    public var sequence: Int64
    /// In bytes; 0 where no object is left.
    public var size: UInt64
    public var etag: ETag?
    public var draft: EventDraft

    public init(
        position: Int64, moment: Timestamp, bucket: BucketID, key: ObjectKey, versionID: VersionID?, sequence: Int64,
        size: UInt64, etag: ETag?, draft: EventDraft
    ) {
        self.position = position
        self.moment = moment
        self.bucket = bucket
        self.key = key
        self.versionID = versionID
        self.sequence = sequence
        self.size = size
        self.etag = etag
        self.draft = draft
    }
}

/// What is known of an event before its commit.
public struct EventDraft: Sendable, Equatable {
    public var name: EventName
    public var bucketName: BucketName
    /// The name of the user whose request it was; that of the object's owner where a hook made it.
    public var principal: String
    public var customer: String?
    /// As text.
    public var sourceAddress: [UInt8]
    /// Of the request that led to it; the run's id, as text, where it tells of the end of one.
    public var requestID: [UInt8]
    /// What led to it, where a hook did.
    public var origin: EventOrigin?
    /// The revision of the bucket's hooks that `hooks` were chosen from.
    public var revision: Int64
    /// The hooks that it sets off.
    public var hooks: [EventHook] = []
    /// Who is told of it without a hook: targets as `kind:name`, by the bucket's own bindings.
    public var bindings: [EventBinding] = []

    public init(
        name: EventName, bucketName: BucketName, principal: String, customer: String?, sourceAddress: [UInt8] = [],
        requestID: [UInt8] = [], origin: EventOrigin? = nil, revision: Int64
    ) {
        self.name = name
        self.bucketName = bucketName
        self.principal = principal
        self.customer = customer
        self.sourceAddress = sourceAddress
        self.requestID = requestID
        self.origin = origin
        self.revision = revision
    }
}

/// The hook that led to an event.
public struct EventOrigin: Sendable, Equatable {
    /// The bucket of the hook.
    public var bucket: BucketID
    public var hook: String
    /// How many hooks ran one after another; 1 for the first.
    public var depth: Int

    public init(bucket: BucketID, hook: String, depth: Int) {
        self.bucket = bucket
        self.hook = hook
        self.depth = depth
    }
}

/// A hook that an event sets off.
public struct EventHook: Sendable, Equatable {
    public var name: String
    /// It would run, but the chain of hooks that led here is too long: its jobs are made and fail at once, so that it is seen.
    public var isTooDeep: Bool

    public init(name: String, isTooDeep: Bool = false) {
        self.name = name
        self.isTooDeep = isTooDeep
    }
}

/// A target that the bucket's notification configuration binds events to.
public struct EventBinding: Sendable, Equatable {
    /// The configuration's Id.
    public var id: String
    /// As `kind:name`.
    public var target: String

    public init(id: String, target: String) {
        self.id = id
        self.target = target
    }
}
