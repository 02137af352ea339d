/// Assets, in the embedded store.
extension SQLiteStore {
    /// With its versions. Nil for one that is not there, or was removed for good; one that is deleted is there.
    public func asset(_ id: AssetID) async throws(MetadataError) -> AssetDocument? {
        try read { (rows) throws(MetadataError) in
            guard let asset = try rows.asset(id) else { return nil }
            return try rows.document(of: asset, versionsMax: AssetDocument.versionsMax)
        }
    }

    /// In the order of the ids, without versions. Those that are not there are left out.
    public func assets(_ ids: [AssetID]) async throws(MetadataError) -> [AssetDocument] {
        try read { (rows) throws(MetadataError) in
            var found: [AssetDocument] = []
            for id in ids {
                guard let asset = try rows.asset(id) else { continue }
                if let document = try rows.document(of: asset, versionsMax: 0) { found.append(document) }
            }
            return found
        }
    }

    /// The asset that an object is.
    public func asset(of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) -> Asset? {
        try read { (rows) throws(MetadataError) in try rows.asset(of: key, in: bucket) }
    }

    /// Replaces all of them. Throws `noSuchKey` where the asset is not there.
    @discardableResult
    public func setAssetDetails(_ details: AssetDetails, of id: AssetID) async throws(MetadataError) -> Asset {
        guard case .asset(let asset) = try await committer.submit(.setAssetDetails(details, id)) else {
            throw .broken("the committer answered another question")
        }
        return asset
    }

    /// Whether the objects of a bucket are assets. Those that are there already become assets with their next version or
    /// change of tags; those that were stay so until they are removed.
    public func setAssets(_ hasAssets: Bool, of bucket: BucketID) async throws(MetadataError) {
        _ = try await committer.submit(.setAssets(hasAssets, bucket))
    }
}
