/// Receivers of events, in the embedded store.
extension SQLiteStore {
    public func targets() async throws(MetadataError) -> [StoredTarget] {
        try read { (rows) throws(MetadataError) in try rows.targets() }
    }

    public func target(named name: String) async throws(MetadataError) -> StoredTarget? {
        try read { (rows) throws(MetadataError) in try rows.target(named: name) }
    }

    public func setTarget(_ target: StoredTarget) async throws(MetadataError) {
        _ = try await committer.submit(.setTarget(target))
    }

    public func removeTarget(_ name: String) async throws(MetadataError) -> Bool {
        guard case .made(let count) = try await committer.submit(.removeTarget(name)) else {
            throw .broken("the committer answered another question")
        }
        return count > 0
    }

    public func moveTarget(_ name: String, to position: Int64, dropping count: Int64) async throws(MetadataError) {
        _ = try await committer.submit(.moveTarget(name, to: position, dropping: count))
    }

    public func takeDuty(_ name: String, for period: Duration) async throws(MetadataError) -> Bool { true }

    public func endDuty(_ name: String) async throws(MetadataError) {}
}
