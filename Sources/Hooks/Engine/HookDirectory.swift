public import Metadata
import Threads

/// The hooks of all buckets, read once and kept; or read again every so often, where other gateways may change them. Safe for concurrent
/// use.
public final class HookDirectory: Sendable {
    private let store: any EventStore
    private let state: Lock<State>

    /// What a bucket has now. Where it has no rules, the revision says since when.
    struct Present {
        var revision: Int64
        var rules: HookRules?
        /// Before it was read; nil where it stays.
        var readAt: ContinuousClock.Instant?
    }

    private struct State {
        var present: [BucketID: Present] = [:]
        /// By bucket and revision, the most recently used last.
        var former: [(bucket: BucketID, rules: HookRules)] = []
    }

    private static let formerMax = 100
    private static let presentMax = 100_000

    public init(_ store: any EventStore) {
        self.store = store
        state = Lock(State())
    }

    /// What memory alone says; where that is no answer, `rules(of:)` has it.
    public func known(of bucket: BucketID) -> (rules: HookRules?, isAnswered: Bool) {
        let known = state.withLock { $0.present[bucket] }
        guard let known, isFresh(known) else { return (nil, false) }
        return (known.rules, true)
    }

    private func isFresh(_ present: Present) -> Bool {
        guard let period = store.hooksFreshFor, let readAt = present.readAt else { return true }
        return .now - readAt < period
    }

    private var readingTime: ContinuousClock.Instant? { store.hooksFreshFor == nil ? nil : .now }

    /// Nil where the bucket has no hooks.
    public func rules(of bucket: BucketID) async throws(MetadataError) -> HookRules? {
        let (known, isAnswered) = known(of: bucket)
        return isAnswered ? known : try await read(bucket)
    }

    /// The same, as they are now.
    @discardableResult
    func read(_ bucket: BucketID) async throws(MetadataError) -> HookRules? {
        let readAt = readingTime
        guard let found = try await store.hooks(of: bucket) else {
            remember(Present(revision: 0, rules: nil, readAt: readAt), of: bucket)
            return nil
        }
        let former = state.withLock { $0.present[bucket] }
        let rules: HookRules?
        if let former, former.revision == found.revision {
            rules = former.rules
        } else {
            rules = found.document.isEmpty ? nil : try Self.rules(found.document, revision: found.revision)
        }
        remember(Present(revision: found.revision, rules: rules, readAt: readAt), of: bucket)
        return rules
    }

    /// With the built-in ones: nil where the bucket has none of either kind.
    public func rules(of bucket: Bucket) async throws(MetadataError) -> HookRules? {
        try await rules(of: bucket.id) ?? (bucket.hasAssets ? HookRules.none : nil)
    }

    /// As `rules(of:)` with the built-in ones, by memory alone.
    public func known(of bucket: Bucket) -> (rules: HookRules?, isAnswered: Bool) {
        let (rules, isAnswered) = known(of: bucket.id)
        return (rules ?? (isAnswered && bucket.hasAssets ? HookRules.none : nil), isAnswered)
    }

    /// Unless a newer one is known: it was set since this one was read.
    func remember(_ read: Present, of bucket: BucketID) {
        state.withLock { state in
            if let known = state.present[bucket], known.revision > read.revision { return }
            if state.present.count >= Self.presentMax { state.present = [:] }
            state.present[bucket] = read
        }
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

    /// `configuration` is what `document` says; nil takes the hooks away. As `EventStore.setHooks`.
    public func set(
        _ configuration: HookConfiguration?, document: [UInt8], of bucket: BucketID, ifRevision former: Int64? = nil
    ) async throws(MetadataError) -> Int64 {
        let revision = try await store.setHooks(
            configuration == nil ? [] : document, of: bucket, ifRevision: former)
        let rules = configuration.map { HookRules($0, revision: revision) }
        remember(Present(revision: revision, rules: rules, readAt: readingTime), of: bucket)
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
