public import Metadata
import Threads

/// The hooks of all buckets, read once and kept. Safe for concurrent use.
///
/// The store of this gateway is the only one that writes them, so what is kept is what is there.
public final class HookDirectory: Sendable {
    private let store: SQLiteStore
    private let state: Lock<State>

    private struct State {
        /// Nil for a bucket that has none.
        var present: [BucketID: HookRules?] = [:]
        /// By bucket and revision, the most recently used last.
        var former: [(bucket: BucketID, rules: HookRules)] = []
    }

    private static let formerMax = 100
    private static let presentMax = 100_000

    public init(_ store: SQLiteStore) {
        self.store = store
        state = Lock(State())
    }

    /// Nil where the bucket has no hooks.
    public func rules(of bucket: BucketID) async throws(MetadataError) -> HookRules? {
        if let known = state.withLock({ $0.present[bucket] }) { return known }
        let found = try await store.hooks(of: bucket)
        let rules = try found.flatMap { (found) throws(MetadataError) in
            found.document.isEmpty ? nil : try Self.rules(found.document, revision: found.revision)
        }
        state.withLock { state in
            if state.present.count >= Self.presentMax { state.present = [:] }
            // A newer one may have been set meanwhile.
            if (state.present[bucket] ?? nil)?.revision ?? 0 <= rules?.revision ?? 0 { state.present[bucket] = rules }
        }
        return rules
    }

    /// As a run began with them; nil where that revision is forgotten.
    public func rules(of bucket: BucketID, revision: Int64) async throws(MetadataError) -> HookRules? {
        if let present = try await rules(of: bucket), present.revision == revision { return present }
        let known = state.withLock { state -> HookRules? in
            guard let place = state.former.firstIndex(where: { $0.bucket == bucket && $0.rules.revision == revision })
            else { return nil }
            let entry = state.former.remove(at: place)
            state.former.append(entry)
            return entry.rules
        }
        if let known { return known }
        guard let document = try await store.hooks(of: bucket, revision: revision), !document.isEmpty else {
            return nil
        }
        let rules = try Self.rules(document, revision: revision)
        state.withLock { state in
            if state.former.count >= Self.formerMax { state.former.removeFirst() }
            state.former.append((bucket, rules))
        }
        return rules
    }

    /// `configuration` is what `document` says; nil takes the hooks away.
    public func set(
        _ configuration: HookConfiguration?, document: [UInt8], of bucket: BucketID
    ) async throws(MetadataError) -> Int64 {
        let revision = try await store.setHooks(configuration == nil ? [] : document, of: bucket)
        let rules = configuration.map { HookRules($0, revision: revision) }
        state.withLock { state in
            if (state.present[bucket] ?? nil)?.revision ?? 0 <= revision { state.present[bucket] = rules }
        }
        return revision
    }

    /// What was accepted once is read again, whatever later versions refuse.
    private static func rules(_ document: [UInt8], revision: Int64) throws(MetadataError) -> HookRules {
        do {
            return HookRules(try HookConfiguration(parsing: document), revision: revision)
        } catch {
            throw .broken("hooks of revision \(revision): \(error)")
        }
    }
}
