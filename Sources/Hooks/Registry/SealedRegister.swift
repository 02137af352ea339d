import Bytes
public import JSON
public import Metadata
public import Threads

/// What is registered once and named by hooks: documents by name, each with a secret that is sealed apart from it. Safe for concurrent use.
public final class SealedRegister: Sendable {
    /// Seals and opens secrets; the context is the name of what they belong to.
    public struct Sealing: Sendable {
        var seal: @Sendable (_ secret: [UInt8], _ context: [UInt8]) -> [UInt8]?
        var open: @Sendable (_ sealed: [UInt8], _ context: [UInt8]) -> [UInt8]?

        public init(
            seal: @escaping @Sendable ([UInt8], [UInt8]) -> [UInt8]?,
            open: @escaping @Sendable ([UInt8], [UInt8]) -> [UInt8]?
        ) {
            (self.seal, self.open) = (seal, open)
        }
    }

    private let store: any EventStore
    private let sealing: Sealing
    private let pool: Pool
    /// One change at a time.
    private let changing = Lock(false)

    public static let secretWanted = "a text of at most 1024 bytes without control characters"

    public init(store: any EventStore, sealing: Sealing, pool: Pool) {
        (self.store, self.sealing, self.pool) = (store, sealing, pool)
    }

    /// Whether a change is under way.
    public var isChanging: Bool { changing.withLock { $0 } }

    /// Throws where the member `secret` is there and can be none.
    public static func check(_ members: JSONMembers) throws(JSONFault) {
        guard let secret = try members.text("secret", wanted: secretWanted) else { return }
        guard secret.utf8.count <= 1024, secret.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw members.fault("secret", wanted: secretWanted)
        }
    }

    /// Empty where it has none; nil where it does not open with the key of this store.
    public func secret(of entry: StoredTarget) -> [UInt8]? {
        entry.sealedSecret.isEmpty ? [] : sealing.open(entry.sealedSecret, Self.context(entry.name))
    }

    private static func context(_ name: String) -> [UInt8] { Array("target \(name)".utf8) }

    /// Registers `document`, an object that was checked, or replaces what is there. Where it has no secret, the one that is there stays; an
    /// empty one takes it away. `then` runs after a change. Returns whether something changed.
    public func set(
        _ name: String, _ document: JSONValue, then: () async -> Void = {}
    ) async throws(MetadataError) -> Bool {
        guard case .object(let members) = document else { return false }
        let kept = JSONValue.object(members.filter { $0.name != "secret" && $0.value != .null })
        return try await change { () async throws(MetadataError) in
            let former = try await self.store.target(named: name)
            var sealed = former?.sealedSecret ?? []
            if let secret = document["secret"]?.string {
                let bytes = Array(secret.utf8)
                let context = Self.context(name)
                let isKept = former.map {
                    !$0.sealedSecret.isEmpty && self.sealing.open($0.sealedSecret, context) == bytes
                }
                if bytes.isEmpty {
                    sealed = []
                } else if isKept != true {
                    guard let new = self.sealing.seal(bytes, context) else {
                        throw .broken("the secret of \(name) cannot be sealed")
                    }
                    sealed = new
                }
            }
            if let former, former.document == kept.text, former.sealedSecret == sealed { return false }
            try await self.store.setTarget(
                StoredTarget(name: name, document: kept.text, sealedSecret: sealed, created: .now()))
            await then()
            return true
        }
    }

    /// Returns whether it was there.
    public func remove(_ name: String, then: () async -> Void = {}) async throws(MetadataError) -> Bool {
        try await change { () async throws(MetadataError) in
            let isThere = try await self.store.removeTarget(name)
            await then()
            return isThere
        }
    }

    /// Runs `body` while nothing changes, and no other such is under way.
    public func alone(_ body: () async -> Void) async {
        await begin()
        defer { changing.withLock { $0 = false } }
        await body()
    }

    private func change(_ body: () async throws(MetadataError) -> Bool) async throws(MetadataError) -> Bool {
        await begin()
        defer { changing.withLock { $0 = false } }
        return try await body()
    }

    private func begin() async {
        while true {
            let begins = changing.withLock { isChanging in
                defer { isChanging = true }
                return !isChanging
            }
            if begins { return }
            await pool.sleep(for: .milliseconds(2))
        }
    }
}
