import Bytes
import Mongo

/// An asset that comes from elsewhere, as it stands in its head: the fields that `FollowedAsset` names.
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
}
