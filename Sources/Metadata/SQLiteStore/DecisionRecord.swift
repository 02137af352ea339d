import Bytes
import Digests

extension Records {
    /// The form of a decision's record. A later one reads all that came before.
    private static let decisionForm: UInt8 = 1

    /// The changes as they are numbered in a record. The numbers never change meaning.
    private enum ChangeTag: UInt8 {
        case bucket = 1, bucketRemoved, version, versionRemoved, latest, tags, upload, uploadRemoved, part, completed
        case completedForgotten, user, garbage, garbageForgotten, blobAdded, blobMoved
        /// A bucket of which it was said whether its objects are assets.
        case bucketWithAssets, asset, assetRemoved, assetChangesForgotten
        case event, eventsPlanned, jobGroup, job, historyForgotten, hooks
        case target, targetRemoved, targetMoved
        case bucketConfigured
    }

    /// The body of a record of the log: all of a decision but its payload. `moment` is the store's clock at the commit.
    static func encode(_ decision: Decision, at moment: Timestamp) -> [UInt8] {
        var out = RecordWriter()
        out.put(decisionForm)
        out.put(moment.milliseconds)
        out.put(decision.sequence)
        out.put(UInt64(decision.changes.count))
        for change in decision.changes { put(change, &out) }
        return out.bytes
    }

    /// A decision without its payload.
    static func decision(_ record: [UInt8]) throws(MetadataError) -> (Decision, at: Timestamp) {
        var reader = RecordReader(record)
        let form = try reader.byte()
        guard form == decisionForm else { throw .broken("log: a change of form \(form), which is not known") }
        let moment = Timestamp(milliseconds: try reader.signed())
        var decision = Decision(sequence: try reader.signed())
        for _ in 0..<(try reader.count()) { decision.changes.append(try change(&reader)) }
        try reader.end()
        return (decision, moment)
    }

    private static func put(_ change: RowChange, _ out: inout RecordWriter) {
        func tag(_ tag: ChangeTag) { out.put(tag.rawValue) }
        switch change {
        case .bucket(let bucket):
            tag(bucket.assets == nil ? .bucket : .bucketWithAssets)
            if let assets = bucket.assets { out.put(assets) }
            out.put(bucket.id.value)
            out.put(bucket.name.utf8)
            out.put(bucket.owner.utf8)
            out.put(bucket.created.milliseconds)
            out.put(bucket.versioning.rawValue)
        case .bucketConfigured(let id, let configuration):
            tag(.bucketConfigured)
            out.put(id.value)
            out.put(encode(configuration))
        case .bucketRemoved(let id):
            tag(.bucketRemoved)
            out.put(id.value)
        case .version(let bucket, let version):
            tag(.version)
            out.put(bucket.value)
            out.put(encode(version))
        case .versionRemoved(let bucket, let key, let sequence):
            tag(.versionRemoved)
            putPlace(bucket, key, sequence, &out)
        case .latest(let bucket, let key, let sequence, let isLatest):
            tag(.latest)
            putPlace(bucket, key, sequence, &out)
            out.put(isLatest)
        case .tags(let bucket, let key, let sequence, let tags):
            tag(.tags)
            putPlace(bucket, key, sequence, &out)
            out.put(encode(tags)) { $0.put($1) }
        case .upload(let upload):
            tag(.upload)
            put(upload, &out)
        case .uploadRemoved(let id):
            tag(.uploadRemoved)
            out.put(id.utf8)
        case .part(let upload, let part):
            tag(.part)
            out.put(upload.utf8)
            put(part, &out)
        case .completed(let id, let bucket, let version, let moment):
            tag(.completed)
            out.put(id.utf8)
            out.put(bucket.value)
            out.put(encode(version))
            out.put(moment.milliseconds)
        case .completedForgotten(let moment):
            tag(.completedForgotten)
            out.put(moment.milliseconds)
        case .user(let user):
            tag(.user)
            put(user, &out)
        case .garbage(let blobs, let position):
            tag(.garbage)
            out.put(position)
            put(blobs, &out)
        case .garbageForgotten(let blobs):
            tag(.garbageForgotten)
            put(blobs, &out)
        case .blobAdded(let id, let size, let crc32c, let isInLog):
            tag(.blobAdded)
            out.put(id.value)
            out.put(size)
            out.put(crc32c) { $0.put(UInt64($1)) }
            out.put(isInLog)
        case .asset(let asset, let change):
            tag(.asset)
            out.put(change)
            out.put(encode(asset))
        case .assetRemoved(let id, let change, let moment):
            tag(.assetRemoved)
            out.put(change)
            out.put(id.bytes)
            out.put(moment.milliseconds)
        case .assetChangesForgotten(let last):
            tag(.assetChangesForgotten)
            out.put(last)
        case .event(let event):
            tag(.event)
            out.put(encode(event))
        case .eventsPlanned(let last):
            tag(.eventsPlanned)
            out.put(last)
        case .jobGroup(let group):
            tag(.jobGroup)
            out.put(encode(group))
        case .job(let job):
            tag(.job)
            out.put(encode(job))
        case .historyForgotten(let events, let groups):
            tag(.historyForgotten)
            out.put(events)
            out.put(UInt64(groups.count))
            for group in groups { out.put(group.bytes) }
        case .hooks(let bucket, let revision, let document, let moment):
            tag(.hooks)
            out.put(bucket.value)
            out.put(revision)
            out.put(document)
            out.put(moment.milliseconds)
        case .target(let target):
            tag(.target)
            out.put(encode(target))
            out.put(target.position)
            out.put(target.droppedCount)
        case .targetRemoved(let name):
            tag(.targetRemoved)
            out.put(name.utf8)
        case .targetMoved(let name, let position, let droppedCount):
            tag(.targetMoved)
            out.put(name.utf8)
            out.put(position)
            out.put(droppedCount)
        case .blobMoved(let id, let former):
            tag(.blobMoved)
            out.put(id.value)
            if case .segment(let number, let offset) = former {
                out.put(number)
                out.put(offset)
            } else {
                out.put(UInt64(0))
                out.put(UInt64(0))
            }
        }
    }

    private static func change(_ reader: inout RecordReader) throws(MetadataError) -> RowChange {
        guard let tag = ChangeTag(rawValue: try reader.byte()) else { throw .broken("log: an unknown kind of change") }
        switch tag {
        case .bucket: return .bucket(try bucket(&reader, assets: nil))
        case .bucketWithAssets:
            let assets = try reader.flag()
            return .bucket(try bucket(&reader, assets: assets))
        case .asset:
            let change = try reader.signed()
            return .asset(try asset(try reader.field()), change: change)
        case .assetRemoved:
            let change = try reader.signed()
            let id = try assetID(try reader.field())
            return .assetRemoved(id, change: change, at: Timestamp(milliseconds: try reader.signed()))
        case .assetChangesForgotten: return .assetChangesForgotten(through: try reader.signed())
        case .event: return .event(try event(try reader.field()))
        case .eventsPlanned: return .eventsPlanned(through: try reader.signed())
        case .jobGroup: return .jobGroup(try jobGroup(try reader.field()))
        case .job: return .job(try job(try reader.field()))
        case .historyForgotten:
            let events = try reader.signed()
            var groups: [JobID] = []
            for _ in 0..<(try reader.count()) { groups.append(try jobID(&reader)) }
            return .historyForgotten(eventsThrough: events, groups: groups)
        case .hooks:
            let bucket = BucketID(try reader.signed())
            let revision = try reader.signed()
            let document = try reader.field()
            return .hooks(bucket, revision: revision, document, at: Timestamp(milliseconds: try reader.signed()))
        case .target:
            var target = try target(try reader.field())
            target.position = try reader.signed()
            target.droppedCount = try reader.signed()
            return .target(target)
        case .targetRemoved: return .targetRemoved(try text(&reader))
        case .targetMoved:
            let name = try text(&reader)
            let position = try reader.signed()
            return .targetMoved(name, position: position, droppedCount: try reader.signed())
        case .bucketConfigured:
            let id = BucketID(try reader.signed())
            return .bucketConfigured(id, try configuration(try reader.field()))
        case .bucketRemoved: return .bucketRemoved(BucketID(try reader.signed()))
        case .version: return .version(BucketID(try reader.signed()), try version(try reader.field()))
        case .versionRemoved:
            let (bucket, key, sequence) = try place(&reader)
            return .versionRemoved(bucket, key, sequence: sequence)
        case .latest:
            let (bucket, key, sequence) = try place(&reader)
            return .latest(bucket, key, sequence: sequence, try reader.flag())
        case .tags:
            let (bucket, key, sequence) = try place(&reader)
            return .tags(
                bucket, key, sequence: sequence,
                try tags(try reader.optional { (r) throws(MetadataError) in try r.field() }))
        case .upload: return .upload(try upload(&reader))
        case .uploadRemoved: return .uploadRemoved(try uploadID(&reader))
        case .part: return .part(try uploadID(&reader), try part(&reader))
        case .completed:
            let id = try uploadID(&reader)
            let bucket = BucketID(try reader.signed())
            let version = try version(try reader.field())
            return .completed(id, bucket, version, at: Timestamp(milliseconds: try reader.signed()))
        case .completedForgotten:
            return .completedForgotten(before: Timestamp(milliseconds: try reader.signed()))
        case .user: return .user(try user(&reader))
        case .garbage:
            let position = try reader.signed()
            return .garbage(try blobs(&reader), position: position)
        case .garbageForgotten: return .garbageForgotten(try blobs(&reader))
        case .blobAdded:
            let id = BlobID(try reader.number())
            let size = try reader.number()
            let crc32c = try reader.optional { (r) throws(MetadataError) in UInt32(truncatingIfNeeded: try r.number()) }
            return .blobAdded(id, size: size, crc32c: crc32c, isInLog: try reader.flag())
        case .blobMoved:
            let id = BlobID(try reader.number())
            let segment = try reader.number()
            let offset = try reader.number()
            return .blobMoved(id, from: segment == 0 ? .file : .segment(segment, offset: offset))
        }
    }

    // MARK: Rows

    private static func putPlace(
        _ bucket: BucketID, _ key: ObjectKey, _ sequence: Int64, _ out: inout RecordWriter
    ) {
        out.put(bucket.value)
        out.put(key.utf8)
        out.put(sequence)
    }

    private static func place(
        _ reader: inout RecordReader
    ) throws(MetadataError) -> (BucketID, ObjectKey, Int64) {
        let bucket = BucketID(try reader.signed())
        return (bucket, try key(&reader), try reader.signed())
    }

    private static func key(_ reader: inout RecordReader) throws(MetadataError) -> ObjectKey {
        guard let key = ObjectKey(try reader.field()) else { throw .broken("record: a key of a wrong length") }
        return key
    }

    static func text(_ reader: inout RecordReader) throws(MetadataError) -> String {
        String(decoding: try reader.field(), as: UTF8.self)
    }

    private static func uploadID(_ reader: inout RecordReader) throws(MetadataError) -> UploadID {
        guard let id = UploadID(try reader.field()) else { throw .broken("record: a malformed upload id") }
        return id
    }

    private static func put(_ blobs: [BlobID], _ out: inout RecordWriter) {
        out.put(UInt64(blobs.count))
        for blob in blobs { out.put(blob.value) }
    }

    private static func blobs(_ reader: inout RecordReader) throws(MetadataError) -> [BlobID] {
        var blobs: [BlobID] = []
        for _ in 0..<(try reader.count()) { blobs.append(BlobID(try reader.number())) }
        return blobs
    }

    private static func bucket(_ reader: inout RecordReader, assets: Bool?) throws(MetadataError) -> Bucket {
        let id = BucketID(try reader.signed())
        guard let name = BucketName(try reader.field()) else { throw .broken("record: a malformed bucket name") }
        let owner = try text(&reader)
        let created = Timestamp(milliseconds: try reader.signed())
        guard let versioning = VersioningState(rawValue: try reader.byte()) else {
            throw .broken("record: an unknown versioning state")
        }
        return Bucket(id: id, name: name, owner: owner, created: created, versioning: versioning, assets: assets)
    }

    private static func put(_ upload: Upload, _ out: inout RecordWriter) {
        out.put(upload.id.utf8)
        out.put(upload.bucket.value)
        out.put(upload.key.utf8)
        out.put(upload.owner.utf8)
        out.put(upload.initiated.milliseconds)
        out.put(encode(upload.attributes)) { $0.put($1) }
        out.put(encode(upload.tags)) { $0.put($1) }
        out.put(upload.checksumAlgorithm) { $0.put($1.rawValue) }
        out.put(upload.checksumKind) { $0.put($1.rawValue) }
    }

    private static func upload(_ reader: inout RecordReader) throws(MetadataError) -> Upload {
        let id = try uploadID(&reader)
        let bucket = BucketID(try reader.signed())
        let key = try key(&reader)
        let owner = try text(&reader)
        let initiated = Timestamp(milliseconds: try reader.signed())
        let attributes = try attributes(try reader.optional { (r) throws(MetadataError) in try r.field() })
        let tags = try tags(try reader.optional { (r) throws(MetadataError) in try r.field() })
        let algorithm = try algorithm(&reader)
        let kind = try reader.optional { (r) throws(MetadataError) -> Checksum.Kind in
            guard let kind = Checksum.Kind(rawValue: try r.byte()) else {
                throw MetadataError.broken("record: an unknown kind of checksum")
            }
            return kind
        }
        return Upload(
            id: id, bucket: bucket, key: key, owner: owner, initiated: initiated, attributes: attributes, tags: tags,
            checksumAlgorithm: algorithm, checksumKind: kind)
    }

    private static func put(_ part: UploadedPart, _ out: inout RecordWriter) {
        out.put(UInt64(part.number.magnitude))
        out.put(part.size)
        out.put(part.md5)
        out.put(part.checksum?.algorithm) { $0.put($1.rawValue) }
        out.put(part.checksum?.value ?? [])
        out.put(part.modified.milliseconds)
        out.put(part.blob) { $0.put($1.value) }
    }

    private static func part(_ reader: inout RecordReader) throws(MetadataError) -> UploadedPart {
        let number = try reader.count()
        let size = try reader.number()
        let md5 = try reader.field()
        let algorithm = try algorithm(&reader)
        let value = try reader.field()
        let modified = Timestamp(milliseconds: try reader.signed())
        let blob = try reader.optional { (r) throws(MetadataError) in BlobID(try r.number()) }
        return UploadedPart(
            number: number, size: size, md5: md5,
            checksum: algorithm.map { PartChecksum(algorithm: $0, value: value) }, modified: modified, blob: blob)
    }

    private static func algorithm(_ reader: inout RecordReader) throws(MetadataError) -> DigestAlgorithm? {
        try reader.optional { (r) throws(MetadataError) -> DigestAlgorithm in
            guard let algorithm = DigestAlgorithm(rawValue: try r.byte()) else {
                throw MetadataError.broken("record: an unknown digest algorithm")
            }
            return algorithm
        }
    }

    private static func put(_ user: User, _ out: inout RecordWriter) {
        out.put(user.name.utf8)
        out.put(user.accessKey)
        out.put(user.sealedSecret)
        out.put(user.policy.rawValue.utf8)
        out.put(user.customer) { $0.put($1.utf8) }
        out.put(user.isDisabled)
        out.put(user.created.milliseconds)
    }

    private static func user(_ reader: inout RecordReader) throws(MetadataError) -> User {
        let name = try text(&reader)
        let accessKey = try reader.field()
        let sealedSecret = try reader.field()
        guard let policy = CannedPolicy(rawValue: try text(&reader)) else { throw .broken("record: an unknown policy") }
        let customer = try reader.optional { (r) throws(MetadataError) in try text(&r) }
        let isDisabled = try reader.flag()
        return User(
            name: name, accessKey: accessKey, sealedSecret: sealedSecret, policy: policy, customer: customer,
            isDisabled: isDisabled, created: Timestamp(milliseconds: try reader.signed()))
    }
}
