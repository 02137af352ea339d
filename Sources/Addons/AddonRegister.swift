public import Bytes
public import Hooks
public import JSON
public import Metadata
public import Threads

/// The registered addons, which hooks name. Safe for concurrent use.
public final class AddonRegister: Sendable {
    /// A registered addon.
    public struct Registered: Sendable {
        public var name: String
        /// Without the secret.
        public var document: JSONValue
        public var hasSecret: Bool
        public var created: Timestamp
    }

    private let store: any EventStore
    private let register: SealedRegister

    public init(store: any EventStore, sealing: SealedRegister.Sealing, pool: Pool) {
        self.store = store
        register = SealedRegister(store: store, sealing: sealing, pool: pool)
    }

    /// In order of name.
    public func all() async throws(MetadataError) -> [Registered] {
        try await store.targets().compactMap(Self.describe)
    }

    public func find(_ name: String) async throws(MetadataError) -> Registered? {
        try await entry(name).flatMap(Self.describe)
    }

    private func entry(_ name: String) async throws(MetadataError) -> StoredTarget? {
        try await store.target(named: StoredTarget.addonPrefix + name)
    }

    private static func describe(_ entry: StoredTarget) -> Registered? {
        guard entry.name.hasPrefix(StoredTarget.addonPrefix) else { return nil }
        return Registered(
            name: String(entry.name.dropFirst(StoredTarget.addonPrefix.count)),
            document: JSONValue(parsing: entry.document) ?? .null, hasSecret: !entry.sealedSecret.isEmpty,
            created: entry.created)
    }

    /// What whoever calls the addon needs: its document and its secret, which is empty where it has none. Nil where the addon is not
    /// registered; throws `broken` where its secret does not open.
    public func credentials(of name: String) async throws(MetadataError) -> Credentials? {
        guard let entry = try await entry(name) else { return nil }
        guard let secret = register.secret(of: entry) else {
            throw .broken("the secret of the addon \(name) cannot be opened with the key of this store")
        }
        return Credentials(document: JSONValue(parsing: entry.document) ?? .null, secret: secret)
    }

    public struct Credentials: Sendable {
        public var document: JSONValue
        public var secret: [UInt8]
    }

    /// Registers an addon, or replaces what was said of it. Where `document` has no secret, the one that is there stays; an empty one takes
    /// it away. Throws a `JSONFault` with paths that begin at `path`, or a `MetadataError`. Returns whether something changed.
    @discardableResult
    public func set(_ name: String, _ document: JSONValue, at path: String = "") async throws -> Bool {
        _ = try AddonSettings(reading: document, at: path)
        return try await register.set(StoredTarget.addonPrefix + name, document)
    }

    /// Returns whether it was there.
    public func remove(_ name: String) async throws(MetadataError) -> Bool {
        try await register.remove(StoredTarget.addonPrefix + name)
    }
}
