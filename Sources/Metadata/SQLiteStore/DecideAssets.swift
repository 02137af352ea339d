import Bytes

/// Assets follow the objects of their buckets, in the same decision.
extension Decider {
    /// `version` is the latest of its key from now on. An asset that is not known yet was made at `moment`, now where it is nil.
    mutating func follow(
        _ version: ObjectVersion, in bucket: Bucket, _ decision: inout Decision, madeAt moment: Timestamp? = nil
    ) throws(MetadataError) {
        let known = try rows.asset(of: version.key, in: bucket.id)
        if version.isDeleteMarker {
            guard var asset = known, asset.deleted == nil else { return }
            asset.deleted = now
            asset.updated = now
            decision.changes.append(.asset(asset, change: draw()))
            return
        }
        var asset: Asset
        let type = AssetType(contentType: version.attributes.contentType, key: version.key.utf8)
        if let known {
            asset = known
        } else {
            let created = moment ?? now
            asset = Asset(
                id: AssetID(at: created), bucket: bucket.id, key: version.key,
                customer: try rows.user(named: version.owner)?.customer, user: version.owner, type: type,
                created: created,
                updated: now, deleted: nil, details: AssetDetails())
        }
        asset.type = type
        asset.updated = now
        asset.deleted = nil
        decision.changes.append(.asset(asset, change: draw()))
    }

    /// No version of the key is left.
    mutating func followRemoval(
        of key: ObjectKey, in bucket: Bucket, _ decision: inout Decision
    ) throws(MetadataError) {
        if let asset = try rows.asset(of: key, in: bucket.id) { removeAsset(asset.id, &decision) }
    }

    mutating func removeAsset(_ id: AssetID, _ decision: inout Decision) {
        decision.changes.append(.assetRemoved(id, change: draw(), at: now))
    }

    /// The tags of the latest version are others.
    mutating func followTags(
        of key: ObjectKey, in bucket: Bucket, _ decision: inout Decision
    ) throws(MetadataError) {
        guard var asset = try rows.asset(of: key, in: bucket.id) else { return }
        asset.updated = now
        decision.changes.append(.asset(asset, change: draw()))
    }

    mutating func setAssetDetails(
        _ details: AssetDetails, of id: AssetID, _ former: AssetDetails?, _ decision: inout Decision
    ) throws(MetadataError) -> Asset {
        guard var asset = try rows.asset(id) else { throw .noSuchKey }
        if let former, former != asset.details { throw .superseded }
        asset.details = details
        asset.updated = now
        decision.changes.append(.asset(asset, change: draw()))
        return asset
    }

    /// Returns how many became assets. What has one, or is deleted, is passed over.
    mutating func makeAssets(
        of keys: [ObjectKey], in id: BucketID, _ decision: inout Decision
    ) throws(MetadataError) -> Int {
        let bucket = try bucket(id)
        guard bucket.hasAssets else { return 0 }
        var count = 0
        for key in Set(keys).sorted() {
            guard try rows.asset(of: key, in: id) == nil, let version = try rows.version(of: key, in: id, nil),
                !version.isDeleteMarker
            else { continue }
            try follow(version, in: bucket, &decision, madeAt: version.modified)
            count += 1
        }
        return count
    }

    /// Objects that are there already become assets with their next version, or by `makeAssets`.
    func setAssets(
        _ hasAssets: Bool, of id: BucketID, _ decision: inout Decision
    ) throws(MetadataError) -> Answer {
        let old = try bucket(id)
        decision.changes.append(
            .bucket(
                Bucket(
                    id: id, name: old.name, owner: old.owner, created: old.created, versioning: old.versioning,
                    assets: hasAssets)))
        return .done
    }
}
