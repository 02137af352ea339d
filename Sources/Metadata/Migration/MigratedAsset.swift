import Bytes
import Mongo

/// What a key's asset is by itself, in the field `asset` of its head: `i` id, `u` user, `c` customer, `n` made (ms), `t` type,
/// `m` updated (ms), `x` deleted (ms) or null, `d` details in the form of `Records`.
enum MigratedAsset {
    static func document(_ asset: Asset) -> BSONDocument {
        var document: BSONDocument = ["i": .binary(asset.id.bytes), "u": .text(asset.user)]
        document.append("c", asset.customer.map { .text($0) })
        document.append("n", .int64(asset.created.milliseconds))
        document.append("t", .int32(Int32(asset.type.rawValue)))
        document.append("m", .int64(asset.updated.milliseconds))
        document.append("x", asset.deleted.map { .int64($0.milliseconds) } ?? .null)
        document.append("d", Records.encode(asset.details).map { .binary($0) } ?? .null)
        return document
    }

    static func asset(_ view: BSONView, of key: HeadKey) throws(MetadataError) -> Asset {
        guard let id = view["i"]?.binary.flatMap({ AssetID(bytes: $0) }),
            let type = view["t"]?.integer.flatMap({ UInt8(exactly: $0) }).flatMap({ AssetType(rawValue: $0) })
        else { throw .broken("heads: a malformed asset") }
        func text(_ name: StaticString) -> String? { view[name]?.text.map { String(decoding: $0, as: UTF8.self) } }
        func moment(_ name: StaticString) -> Timestamp? {
            view[name]?.integer.map { Timestamp(milliseconds: $0) }
        }
        return Asset(
            id: id, bucket: key.bucket, key: key.key, customer: text("c"), user: text("u") ?? "", type: type,
            created: moment("n") ?? Timestamp(milliseconds: 0), updated: moment("m") ?? Timestamp(milliseconds: 0),
            deleted: moment("x"), details: try Records.assetDetails(view["d"]?.binary))
    }
}
