/// Assets, in the embedded store.
extension SQLiteStore {
    public func asset(_ id: AssetID) async throws(MetadataError) -> AssetDocument? {
        try read { (rows) throws(MetadataError) in
            guard let asset = try rows.asset(id) else { return nil }
            return try rows.document(of: asset, versionsMax: AssetDocument.versionsMax)
        }
    }

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

    public func asset(of key: ObjectKey, in bucket: BucketID) async throws(MetadataError) -> Asset? {
        try read { (rows) throws(MetadataError) in try rows.asset(of: key, in: bucket) }
    }

    @discardableResult
    public func setAssetDetails(
        _ details: AssetDetails, of id: AssetID, ifNow former: AssetDetails?
    ) async throws(MetadataError) -> Asset {
        guard case .asset(let asset) = try await committer.submit(.setAssetDetails(details, id, ifNow: former)) else {
            throw .broken("the committer answered another question")
        }
        return asset
    }

    @discardableResult
    public func makeAssets(of keys: [ObjectKey], in bucket: BucketID) async throws(MetadataError) -> Int {
        guard case .made(let count) = try await committer.submit(.makeAssets(keys, bucket)) else {
            throw .broken("the committer answered another question")
        }
        return count
    }

    public func setAssets(_ hasAssets: Bool, of bucket: BucketID) async throws(MetadataError) {
        _ = try await committer.submit(.setAssets(hasAssets, bucket))
    }
}
