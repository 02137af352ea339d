extension EventStore {
    /// Hooks and targets are not carried over, so that they would end without a word.
    func refuseHooks() async throws {
        if let target = try await targets().first {
            throw MigrationError.refused(
                "the target \(target.name) is registered, and targets do not move with the metadata: remove it first")
        }
        for id in try await hookRevisions().keys {
            guard let hooks = try await hooks(of: id), !hooks.document.isEmpty, let bucket = try await bucket(id) else {
                continue
            }
            throw MigrationError.refused(
                "the bucket \(bucket.name) has hooks, which do not move with the metadata: take them away first")
        }
    }
}
