import Bytes
public import Metadata
import Threads

/// The users by access key, with opened secrets, in memory.
///
/// While the store has no more users than `sizeMax`, all of them are held, so that an unknown access key is answered from
/// memory exactly as a known one and its timing tells nothing (S3-TRAPS 34). Beyond that it is a cache of that size. Every
/// change goes through this type, and the next look-up sees it. Safe for concurrent use.
public final class UserDirectory: Sendable {
    private struct Cache {
        var users: [[UInt8]: KnownUser] = [:]
        /// Every user of the store is in `users`.
        var isComplete = false
        /// `users` were read since the last change.
        var isLoaded = false
        /// When that began, and whether somebody reads them anew.
        var loadedAt: UInt64 = 0
        var isReloading = false
        /// Raised by each change, so that rows read before it are not kept after it.
        var generation: UInt64 = 0
    }

    public static let rootName = "root"

    private let metadata: any MetadataStore
    private let secrets: SecretBox
    private let sizeMax: Int
    /// After so long what is known is read anew; nil where nobody else changes users.
    private let freshFor: UInt64?
    private let cache = Lock(Cache())

    /// With `freshFor` changes that other gateways make are seen within twice that time.
    public init(metadata: any MetadataStore, secrets: SecretBox, sizeMax: Int = 10_000, freshFor: Duration? = nil) {
        self.freshFor = freshFor?.nanosecondsClamped
        self.metadata = metadata
        self.secrets = secrets
        self.sizeMax = max(1, sizeMax)
    }

    /// What memory alone says: a user, or that there is none, or nothing (then `user(accessKey:)` answers).
    func known(accessKey: [UInt8]) -> (user: KnownUser?, isAnswered: Bool) {
        let (user, isAnswered, _) = look(for: accessKey, mayReload: false)
        return (user, isAnswered)
    }

    /// Nil where no user has this access key. Disabled users are returned: `Access` refuses them.
    public func user(accessKey: ArraySlice<UInt8>) async throws(MetadataError) -> KnownUser? {
        let key = [UInt8](accessKey)
        var (found, isAnswered, isLoaded) = look(for: key, mayReload: true)
        if isAnswered { return found }
        if !isLoaded {
            try await load()
            (found, isAnswered, isLoaded) = look(for: key, mayReload: true)
            if isAnswered { return found }
        }
        let generation = cache.withLock { $0.generation }
        guard let row = try await metadata.user(accessKey: key) else { return nil }
        let known = try open(row)
        cache.withLock { cache in
            guard cache.generation == generation, !cache.isComplete else { return }
            if cache.users.count >= sizeMax { cache.users.removeAll(keepingCapacity: true) }
            cache.users[key] = known
        }
        return known
    }

    /// Without secrets, in order of name.
    public func users() async throws(MetadataError) -> [User] { try await metadata.users() }

    public func user(named name: String) async throws(MetadataError) -> User? {
        try await metadata.users().first { $0.name == name }
    }

    /// The secret key of a user, for signing on the user's behalf inside the store's own process.
    public func secret(of user: User) throws(MetadataError) -> [UInt8] { try open(user).secret }

    /// Makes a user; generates what is nil. The answer is the only place where the secret appears.
    public func add(
        name: String, accessKey: [UInt8]?, secret: [UInt8]?, policy: CannedPolicy, customer: String?
    ) async throws(UserError) -> KnownUser {
        guard UserRules.isName(name) else { throw .invalid(field: "name", wanted: UserRules.nameRule) }
        if let customer, !UserRules.isName(customer) {
            throw .invalid(field: "customer", wanted: UserRules.customerRule)
        }
        let (key, secret) = try checked(accessKey ?? UserRules.newAccessKey(), secret ?? UserRules.newSecret())
        let user = User(
            name: name, accessKey: key, sealedSecret: try seal(secret, for: key), policy: policy, customer: customer,
            isDisabled: false, created: .now())
        try await change { () async throws(MetadataError) in try await self.metadata.addUser(user) }
        return KnownUser(
            name: name, accessKey: key, secret: secret, policy: policy, customer: customer, isDisabled: false)
    }

    /// Makes the user, or brings `present`, the store's user of the same name, to these keys and properties. Writes nothing
    /// where all of them match; returns whether it wrote.
    func put(_ wanted: KnownUser, over present: User?) async throws(UserError) -> Bool {
        let (key, secret) = try checked(wanted.accessKey, wanted.secret)
        if let present, let known = try? open(present), known.accessKey == key, known.secret == secret,
            known.policy == wanted.policy, known.customer == wanted.customer, known.isDisabled == wanted.isDisabled
        {
            return false
        }
        let user = User(
            name: wanted.name, accessKey: key, sealedSecret: try seal(secret, for: key), policy: wanted.policy,
            customer: wanted.customer, isDisabled: wanted.isDisabled, created: present?.created ?? .now())
        try await change { () async throws(MetadataError) in
            if present == nil {
                try await self.metadata.addUser(user)
            } else {
                try await self.metadata.updateUser(user)
            }
        }
        return true
    }

    public func setDisabled(_ isDisabled: Bool, name: String) async throws(UserError) -> User {
        var user = try await existing(name)
        user.isDisabled = isDisabled
        let changed = user
        try await change { () async throws(MetadataError) in try await self.metadata.updateUser(changed) }
        return user
    }

    /// Gives a user new keys; generates what is nil, but keeps the access key unless one is given or `renewsAccessKey`.
    /// The old secret is refused from now on.
    public func rotate(
        name: String, accessKey: [UInt8]?, secret: [UInt8]?, renewsAccessKey: Bool = false
    ) async throws(UserError) -> KnownUser {
        var user = try await existing(name)
        let (key, secret) = try checked(
            accessKey ?? (renewsAccessKey ? UserRules.newAccessKey() : user.accessKey),
            secret ?? UserRules.newSecret())
        user.accessKey = key
        user.sealedSecret = try seal(secret, for: key)
        let changed = user
        try await change { () async throws(MetadataError) in try await self.metadata.updateUser(changed) }
        return KnownUser(
            name: name, accessKey: key, secret: secret, policy: user.policy, customer: user.customer,
            isDisabled: user.isDisabled)
    }

    private func look(
        for key: [UInt8], mayReload: Bool
    ) -> (user: KnownUser?, isAnswered: Bool, isLoaded: Bool) {
        cache.withLock { cache in
            if isStale(&cache, mayReload: mayReload) { return (nil, false, false) }
            let user = cache.users[key]
            return (user, user != nil || cache.isComplete, cache.isLoaded)
        }
    }

    /// What is stale is read anew by one, while the others go on with it, for a while.
    private func isStale(_ cache: inout Cache, mayReload: Bool) -> Bool {
        guard let freshFor, cache.isLoaded else { return false }
        let age = Monotonic.nanoseconds &- cache.loadedAt
        if age < freshFor { return false }
        if age < 2 * freshFor, cache.isReloading { return false }
        if mayReload { cache.isReloading = true }
        return true
    }

    private func load() async throws(MetadataError) {
        let began = Monotonic.nanoseconds
        let generation = cache.withLock { $0.generation }
        defer { cache.withLock { $0.isReloading = false } }
        let rows = try await metadata.users()
        var users: [[UInt8]: KnownUser] = [:]
        if rows.count <= sizeMax {
            // A row that does not open fails its own look-up below, not everybody's.
            for row in rows { users[row.accessKey] = try? open(row) }
        }
        let loaded = users
        cache.withLock { cache in
            guard cache.generation == generation else { return }
            cache.users = loaded
            cache.isComplete = rows.count == loaded.count
            cache.isLoaded = true
            cache.loadedAt = began
        }
    }

    private func change(_ commit: () async throws(MetadataError) -> Void) async throws(UserError) {
        // Also after a failure, whose outcome may be unknown.
        defer {
            cache.withLock { cache in
                cache.generation &+= 1
                cache.users = [:]
                cache.isComplete = false
                cache.isLoaded = false
            }
        }
        do { try await commit() } catch { throw .store(error) }
    }

    private func existing(_ name: String) async throws(UserError) -> User {
        let found: User?
        do { found = try await user(named: name) } catch { throw .store(error) }
        guard let found else { throw .store(.noSuchUser) }
        return found
    }

    private func checked(_ accessKey: [UInt8], _ secret: [UInt8]) throws(UserError) -> ([UInt8], [UInt8]) {
        guard UserRules.isAccessKey(accessKey) else {
            throw .invalid(field: "access_key", wanted: UserRules.accessKeyRule)
        }
        guard UserRules.isSecret(secret) else { throw .invalid(field: "secret_key", wanted: UserRules.secretRule) }
        return (accessKey, secret)
    }

    private func seal(_ secret: [UInt8], for accessKey: [UInt8]) throws(UserError) -> [UInt8] {
        guard let sealed = secrets.seal(secret, accessKey: accessKey) else {
            throw .store(.broken("cannot seal a secret key"))
        }
        return sealed
    }

    private func open(_ row: User) throws(MetadataError) -> KnownUser {
        guard let secret = secrets.open(row.sealedSecret, accessKey: row.accessKey) else {
            throw .broken("the secret key of user \(row.name) does not open with \(SecretBox.fileName)")
        }
        return KnownUser(
            name: row.name, accessKey: row.accessKey, secret: secret, policy: row.policy, customer: row.customer,
            isDisabled: row.isDisabled)
    }
}
