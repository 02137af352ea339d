public import Bytes
public import Hooks
public import JSON
public import Metadata
public import Threads

/// The registered sources of events, and the taking of events from them: at least once, in the order of their lists. Safe for concurrent
/// use.
public final class SourceEngine: Sendable {
    /// Commits the events that messages tell of, by the rights of a user, those of the owner where nil. Returns for each why it can never be
    /// one, or nil. Throws where it cannot be decided now.
    public typealias Intake = @Sendable (_ messages: [[UInt8]], _ user: String?) async throws -> [String?]

    /// Of a message; of a longer one so much is set aside.
    public static let messageBytesMax = 64 << 10

    /// What is worth a line of the log.
    public enum Problem: Sendable {
        /// Which sources this gateway takes from could not be read.
        case sharing(MetadataError)
        /// It went well before, and does not now.
        case failing(String, reason: String)
        /// Messages were set aside; `reason` is that of the first.
        case refused(String, count: Int, reason: String)
        /// Nothing is taken from it.
        case unusable(String, reason: String)
    }

    /// A registered source.
    public struct Registered: Sendable {
        public var name: TargetName
        /// Without the secret.
        public var document: JSONValue
        public var hasSecret: Bool
        public var created: Timestamp
        public var status: SourceStatus
    }

    private let store: any EventStore
    private let register: SealedRegister
    private let pool: Pool
    private let configuration: TargetEngineConfiguration
    private let state = Lock(State())

    private struct State {
        var problem: (@Sendable (Problem) -> Void)?
        /// Nil before the start.
        var intake: Intake?
        var lines: [String: SourceLine] = [:]
        /// As they were when their lines were begun, with those that cannot be used.
        var begun: [String: StoredTarget] = [:]
        var isStopped = false
        var isInRound = false
    }

    public init(
        store: any EventStore, sealing: SealedRegister.Sealing, pool: Pool,
        configuration: TargetEngineConfiguration = TargetEngineConfiguration()
    ) {
        (self.store, self.pool, self.configuration) = (store, pool, configuration)
        register = SealedRegister(store: store, sealing: sealing, pool: pool)
    }

    /// Who is told from now on of what went wrong.
    public func observe(_ observer: @escaping @Sendable (Problem) -> Void) { state.withLock { $0.problem = observer } }

    private func report(_ problem: Problem) { state.withLock { $0.problem }?(problem) }

    // MARK: Taking

    /// Begins to take. What other gateways changed is found within a second.
    public func start(_ intake: @escaping Intake) {
        state.withLock { $0.intake = intake }
        pool.run { [weak self, pool] in
            while let self, self.beginRound() {
                await self.follow()
                self.state.withLock { $0.isInRound = false }
                await pool.sleep(for: .seconds(1))
            }
        }
    }

    private func beginRound() -> Bool {
        state.withLock { state in
            state.isInRound = !state.isStopped
            return state.isInRound
        }
    }

    /// Returns when the store can be closed. What was taken and not committed is taken first after the next start.
    public func stop() async {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        while state.withLock({ $0.isInRound }) || register.isChanging { await pool.sleep(for: .milliseconds(2)) }
        guard isFirst else { return }
        let (names, lines) = state.withLock { ($0.begun.keys.sorted(), Array($0.lines.values)) }
        for line in lines { await line.stop() }
        for name in names { try? await store.endDuty(name) }
    }

    private func stored() async throws(MetadataError) -> [StoredTarget] {
        try await store.targets().filter { $0.name.hasPrefix(StoredTarget.sourcePrefix) }
    }

    /// Takes from those sources that no other gateway takes from, as they are stored now.
    private func follow() async {
        await register.alone {
            do throws(MetadataError) {
                let stored = try await stored()
                for source in stored { try await follow(source) }
                let names = Set(stored.map(\.name))
                for name in state.withLock({ $0.begun.keys.filter { !names.contains($0) } }) { await drop(name) }
            } catch {
                // Each line ends by itself when its time is over.
                report(.sharing(error))
            }
        }
    }

    private func follow(_ source: StoredTarget) async throws(MetadataError) {
        let asked = ContinuousClock.now
        guard try await store.takeDuty(source.name, for: configuration.dutyPeriod) else {
            return await drop(source.name)
        }
        let begun = state.withLock { $0.begun[source.name] }
        if begun?.document != source.document || begun?.sealedSecret != source.sealedSecret {
            await drop(source.name)
            begin(source)
        }
        // Others may take after the period: some of it is kept for what is under way.
        guard store.isShared else { return }
        state.withLock { $0.lines[source.name] }?.take(until: asked + configuration.dutyPeriod * 2 / 3)
    }

    private func drop(_ name: String) async {
        let former = state.withLock { state in
            state.begun[name] = nil
            return state.lines.removeValue(forKey: name)
        }
        await former?.stop()
    }

    private func begin(_ source: StoredTarget) {
        guard let intake = state.withLock({ $0.intake }) else { return }
        state.withLock { $0.begun[source.name] = source }
        let shown = String(source.name.dropFirst(StoredTarget.sourcePrefix.count))
        guard let secret = register.secret(of: source) else {
            return report(.unusable(shown, reason: "its secret cannot be opened with the key of this store"))
        }
        do throws(JSONFault) {
            let settings = try SourceSettings(reading: JSONValue(parsing: source.document) ?? .null, at: "")
            let line = SourceLine(
                shown, settings, secret: secret, intake: intake, pool: pool, configuration: configuration,
                report: { [weak self] in self?.report($0) })
            state.withLock { $0.lines[source.name] = line }
            line.start()
        } catch {
            report(.unusable(shown, reason: "what is stored of it is not what this version reads: \(error)"))
        }
    }

    // MARK: The register

    private static func entry(_ name: TargetName) -> String { StoredTarget.sourcePrefix + name.description }

    /// In order of name.
    public func all() async throws(MetadataError) -> [Registered] { try await stored().compactMap(describe) }

    public func find(_ name: TargetName) async throws(MetadataError) -> Registered? {
        try await store.target(named: Self.entry(name)).flatMap(describe)
    }

    /// What is known from memory, by name.
    public func statuses() -> [(name: String, status: SourceStatus)] {
        state.withLock { Array($0.lines.values) }.map { ($0.name, $0.status) }.sorted { $0.name < $1.name }
    }

    private func describe(_ source: StoredTarget) -> Registered? {
        guard let name = SourceSettings.name(String(source.name.dropFirst(StoredTarget.sourcePrefix.count))) else {
            return nil
        }
        let (line, isBegun) = state.withLock { ($0.lines[source.name], $0.begun[source.name] != nil) }
        var status = line?.status ?? SourceStatus()
        if store.isShared, !isBegun { status.state = .elsewhere }
        return Registered(
            name: name, document: JSONValue(parsing: source.document) ?? .null,
            hasSecret: !source.sealedSecret.isEmpty, created: source.created, status: status)
    }

    /// Registers a source, or replaces what was said of it. Where `document` has no secret, the one that is there stays; an empty one takes
    /// it away. Throws a `JSONFault` with paths that begin at `path`, or a `MetadataError`. Returns whether something changed.
    @discardableResult
    public func set(_ name: TargetName, _ document: JSONValue, at path: String = "") async throws -> Bool {
        _ = try SourceSettings(reading: document, at: path)
        return try await register.set(Self.entry(name), document) { await self.renew(Self.entry(name)) }
    }

    /// Returns whether it was there. Its lists stay in Redis.
    public func remove(_ name: TargetName) async throws(MetadataError) -> Bool {
        try await register.remove(Self.entry(name)) { await self.renew(Self.entry(name)) }
    }

    /// The line of a source follows what is stored of it now.
    private func renew(_ name: String) async {
        await drop(name)
        guard state.withLock({ !$0.isStopped && $0.intake != nil }), let source = try? await store.target(named: name)
        else { return }
        // Where that fails, the next round begins it.
        try? await follow(source)
    }
}
