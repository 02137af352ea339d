/// Receivers of events, in the embedded store.
extension SQLiteStore {
    /// In order of name.
    public func targets() async throws(MetadataError) -> [StoredTarget] {
        try read { (rows) throws(MetadataError) in try rows.targets() }
    }

    public func target(named name: String) async throws(MetadataError) -> StoredTarget? {
        try read { (rows) throws(MetadataError) in try rows.target(named: name) }
    }

    /// Registers a target, or replaces what was said of it; how far it is stays then. Of `target` its name, document and secret count.
    /// Throws `limitExceeded`.
    public func setTarget(_ target: StoredTarget) async throws(MetadataError) {
        _ = try await committer.submit(.setTarget(target))
    }

    /// Returns whether it was there. What it did not get is not kept for it.
    public func removeTarget(_ name: String) async throws(MetadataError) -> Bool {
        guard case .made(let count) = try await committer.submit(.removeTarget(name)) else {
            throw .broken("the committer answered another question")
        }
        return count > 0
    }

    /// Notes that the target needs none of the events up to `position` any more, of which `count` were given up.
    public func moveTarget(_ name: String, to position: Int64, dropping count: Int64) async throws(MetadataError) {
        _ = try await committer.submit(.moveTarget(name, to: position, dropping: count))
    }
}
