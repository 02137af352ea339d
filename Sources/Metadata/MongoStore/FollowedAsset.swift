import Bytes
import Mongo

/// What becomes of the asset that an object is, in the update that changes the object's head.
///
/// The head has of its asset, in `asset`: `i` id, `u` user, `c` customer, `n` made (ms), `t` type, `m` updated (ms), `x` deleted (ms)
/// or null, `d` details in the form of `Records`. All else is that of the object.
enum FollowedAsset {
    /// Nothing: the bucket has no assets.
    case kept
    /// An object is the latest version. `new` has the asset's fixed fields, for where there is none yet.
    case shown(new: BSONDocument, AssetType)
    /// A delete marker is.
    case deleted
    /// The tags are others.
    case touched
    case detailed([UInt8]?)
    /// No version is left.
    case gone

    private static let isThere: BSONValue = ["$eq": [["$type": "$asset"], "object"]]
    private static let now: BSONValue = ["$toLong": "$$NOW"]

    /// What the head's `asset` is from now on; nil where it stays.
    var fields: BSONValue? {
        switch self {
        case .kept: nil
        case .shown(let new, let type):
            [
                "$mergeObjects": [
                    ["$ifNull": ["$asset", .literal(.document(new))]],
                    ["t": .int32(Int32(type.rawValue)), "m": Self.now, "x": nil],
                ]
            ]
        case .deleted:
            Self.changed([
                "m": ["$cond": [["$gt": ["$asset.x", nil]], "$asset.m", Self.now]],
                "x": ["$ifNull": ["$asset.x", Self.now]],
            ])
        case .touched: Self.changed(["m": Self.now])
        case .detailed(let record):
            Self.changed(["m": Self.now, "d": record.map { .literal(.binary($0)) } ?? .null])
        case .gone: "$$REMOVE"
        }
    }

    private static func changed(_ fields: BSONValue) -> BSONValue {
        ["$cond": [isThere, ["$mergeObjects": ["$asset", fields]], "$$REMOVE"]]
    }

    /// The outbox with what this change adds to it. One entry is enough to say that the asset's row is to be made anew: a later one
    /// takes its place.
    func outbox(_ former: BSONValue, _ entries: BSONValue, write: Int64) -> BSONValue {
        let added: BSONValue
        switch self {
        case .kept: return ["$concatArrays": [former, entries]]
        case .shown: added = [HeadPipeline.entry("a", write)]
        case .deleted, .touched, .detailed:
            added = ["$cond": [Self.isThere, [HeadPipeline.entry("a", write)], []]]
        case .gone:
            added = ["$cond": [Self.isThere, [HeadPipeline.entry("z", write, ["i": "$asset.i"])], []]]
        }
        let others: BSONValue = ["$filter": ["input": former, "cond": ["$ne": ["$$this.t", "a"]]]]
        return ["$concatArrays": [others, entries, added]]
    }
}

/// A key's asset while new versions of the key are decided: what of it they look at, and what they change.
struct AssetState: Sendable {
    private var deleted: Int64?
    private var updated: Int64
    /// All fields that stay, where it was not there.
    private var made: BSONDocument?
    private var type: AssetType?
    private(set) var isTouched = false

    init(_ view: BSONView) {
        (deleted, updated) = (view["x"]?.integer, view["m"]?.integer ?? 0)
    }

    fileprivate init(made: BSONDocument, at moment: Int64) { (self.made, updated) = (made, moment) }

    fileprivate mutating func show(_ type: AssetType, at moment: Int64) {
        (self.type, updated, deleted, isTouched) = (type, moment, nil, true)
    }

    fileprivate mutating func delete(at moment: Int64) {
        isTouched = true
        if deleted != nil { return }
        (updated, deleted) = (moment, moment)
    }

    /// What of the head changes.
    var fields: BSONDocument {
        guard isTouched else { return [:] }
        let (moment, end) = (BSONValue.int64(updated), deleted.map { BSONValue.int64($0) } ?? .null)
        if var asset = made {
            asset.append("t", type.map { .int32(Int32($0.rawValue)) })
            asset.append("m", moment)
            asset.append("x", end)
            return ["asset": .document(asset)]
        }
        var fields: BSONDocument = ["asset.m": moment, "asset.x": end]
        fields.append("asset.t", type.map { .int32(Int32($0.rawValue)) })
        return fields
    }

    /// It is there, as it is.
    mutating func settle() { (made, type, isTouched) = (nil, nil, false) }
}

extension FollowedAsset {
    /// The same where a gateway decides: what a new version on top makes of the asset.
    func follow(_ asset: inout AssetState?, at moment: Int64) {
        switch self {
        case .shown(let new, let type):
            if asset == nil { asset = AssetState(made: new, at: moment) }
            asset?.show(type, at: moment)
        case .deleted: asset?.delete(at: moment)
        case .kept, .touched, .detailed, .gone: break
        }
    }
}

extension MongoStore {
    /// `version` is the latest from now on. An asset that is not known yet was made at `moment`.
    func followed(
        _ version: ObjectVersion, in bucket: Bucket, madeAt moment: Timestamp = .now()
    ) async throws(MetadataError) -> FollowedAsset {
        guard bucket.hasAssets else { return .kept }
        if version.isDeleteMarker { return .deleted }
        var new: BSONDocument = [
            "i": .binary(AssetID(at: moment).bytes), "u": .text(version.owner), "n": .int64(moment.milliseconds),
        ]
        new.append("c", try await customer(ofUser: version.owner).map { .text($0) })
        return .shown(
            new: new, AssetType(contentType: version.attributes.contentType, key: version.key.utf8))
    }

    /// `version` is the latest again, or none is.
    func followed(
        _ version: VersionDocument?, of key: ObjectKey, in bucket: Bucket
    ) async throws(MetadataError) -> FollowedAsset {
        guard let version else { return .gone }
        return try await followed(version.version(of: key, isLatest: true, withContent: false), in: bucket)
    }

    public func customer(ofUser user: String) async throws(MetadataError) -> String? {
        if let known = customers.customer(of: user) { return known.name }
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": .text(user)], projection: ["customer": 1], in: MongoSchema.users)
        }
        guard let view else { return nil }
        let name = view["customer"]?.text.map { String(decoding: $0, as: UTF8.self) }
        customers.remember(name, of: user)
        return name
    }
}
