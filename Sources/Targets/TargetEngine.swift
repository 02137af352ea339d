public import Bytes
public import Hooks
public import JSON
public import Metadata
public import Threads

/// The registered targets, and the delivery of events to them.
///
/// Events are delivered from the store's table of events, in which they are with the commit that made them happen: at least once, those of
/// one key in order, and each target by itself. Safe for concurrent use.
public final class TargetEngine: Sendable {
    /// What went wrong in the background, and what is worth a line of the log.
    public enum Problem: Sendable {
        case reading(String, MetadataError)
        /// Which targets this gateway delivers to could not be read.
        case sharing(MetadataError)
        case noting(String, MetadataError)
        /// The receiver took events before, and does not now.
        case failing(String, TargetFailure)
        /// Events were given up for their age.
        case dropped(String, count: Int)
        /// Nothing is delivered to it, and its events are given up when their time is over.
        case unusable(String, reason: String)
    }

    /// A registered target.
    public struct Registered: Sendable {
        public var name: TargetName
        /// Without the secret.
        public var document: JSONValue
        public var hasSecret: Bool
        public var created: Timestamp
        public var status: TargetStatus
    }

    private let store: any EventStore
    private let register: SealedRegister
    private let pool: Pool
    private let configuration: TargetEngineConfiguration
    private let text: EventText
    private let listener = Lock(Listener())
    private let state = Lock(State())

    private struct Listener {
        var problem: (@Sendable (Problem) -> Void)?
    }

    private struct State {
        var lines: [String: TargetLine] = [:]
        /// As they were when their lines were begun, with those that cannot be used.
        var begun: [String: StoredTarget] = [:]
        var isStarted = false
        var isStopped = false
        var isInRound = false
    }

    public init(
        store: any EventStore, sealing: SealedRegister.Sealing, pool: Pool,
        configuration: TargetEngineConfiguration = TargetEngineConfiguration()
    ) {
        (self.store, self.pool, self.configuration) = (store, pool, configuration)
        register = SealedRegister(store: store, sealing: sealing, pool: pool)
        text = EventText(region: configuration.region)
    }

    /// Who is told from now on of what went wrong.
    public func observe(_ observer: @escaping @Sendable (Problem) -> Void) {
        listener.withLock { $0.problem = observer }
    }

    private func report(_ problem: Problem) { listener.withLock { $0 }.problem?(problem) }

    // MARK: Delivering

    /// Begins to deliver.
    public func start() async throws(MetadataError) {
        state.withLock { $0.isStarted = true }
        if store.isShared { await share() } else { for target in try await storedTargets() { begin(target) } }
        notice()
        pool.run { [weak self, pool, tick = configuration.tick] in
            var passed = Duration.zero
            while let self, self.beginRound() {
                // A poll is the truth; being told is faster.
                if passed >= .seconds(1) {
                    passed = .zero
                    if self.store.isShared { await self.share() }
                    self.notice()
                }
                for line in self.lines { line.tick() }
                self.state.withLock { $0.isInRound = false }
                await pool.sleep(for: tick)
                passed += tick
            }
        }
    }

    private func beginRound() -> Bool {
        state.withLock { state in
            state.isInRound = !state.isStopped
            return state.isInRound
        }
    }

    /// Events were committed. Returns at once.
    public func notice() { for line in lines { line.notice() } }

    /// What is under way ends with a failure, and is delivered again after the next start. Returns when the store can be closed.
    public func stop() async {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        while state.withLock({ $0.isInRound }) || register.isChanging { await pool.sleep(for: .milliseconds(2)) }
        guard isFirst else { return }
        let names = state.withLock { $0.begun.keys.sorted() }
        for line in lines { await line.stop() }
        if store.isShared { for name in names { try? await store.endDuty(Self.duty(name)) } }
    }

    /// Addons and sources lie beside targets.
    private func storedTargets() async throws(MetadataError) -> [StoredTarget] {
        try await store.targets().filter(\.isReceiver)
    }

    // MARK: Several gateways

    private static func duty(_ name: String) -> String { "target \(name)" }

    /// Delivers to those targets that no other gateway delivers to, as they are stored now.
    private func share() async {
        await register.alone {
            do throws(MetadataError) {
                let stored = try await storedTargets()
                for target in stored { try await share(target) }
                let names = Set(stored.map(\.name))
                for name in state.withLock({ $0.begun.keys.filter { !names.contains($0) } }) { await drop(name) }
            } catch {
                // Each line ends by itself when its time is over.
                report(.sharing(error))
            }
        }
    }

    private func share(_ target: StoredTarget) async throws(MetadataError) {
        let asked = ContinuousClock.now
        guard try await store.takeDuty(Self.duty(target.name), for: configuration.dutyPeriod) else {
            return await drop(target.name)
        }
        let begun = state.withLock { $0.begun[target.name] }
        if begun?.document != target.document || begun?.sealedSecret != target.sealedSecret {
            await drop(target.name)
            // How far it is stands still from here on.
            if let target = try await store.target(named: target.name) { begin(target) }
        }
        // Others may deliver after the period: some of it is kept for what is under way.
        state.withLock { $0.lines[target.name] }?.deliver(until: asked + configuration.dutyPeriod * 2 / 3)
    }

    private func drop(_ name: String) async {
        let former = state.withLock { state in
            state.begun[name] = nil
            return state.lines.removeValue(forKey: name)
        }
        await former?.stop()
    }

    private var lines: [TargetLine] { state.withLock { Array($0.lines.values) } }

    private func begin(_ target: StoredTarget) {
        state.withLock { $0.begun[target.name] = target }
        var retention = TargetSettings.retentionDefault
        let driver: any EventTarget
        do throws(TargetFailure) {
            let settings = try settings(of: target)
            retention = settings.retention
            driver = try settings.open(secret: try secret(of: target), outbound: configuration.outbound)
        } catch {
            report(.unusable(target.name, reason: error.reason))
            driver = UnusableTarget(failure: error)
        }
        let line = TargetLine(
            target, keepingFor: retention, driver: driver, text: text, store: store, pool: pool,
            configuration: configuration, report: { [weak self] in self?.report($0) })
        state.withLock { $0.lines[target.name] = line }
    }

    private func settings(of target: StoredTarget) throws(TargetFailure) -> TargetSettings {
        guard let name = TargetName(target.name), let document = JSONValue(parsing: target.document) else {
            throw TargetFailure("what is stored of it is not what this version reads")
        }
        do throws(JSONFault) {
            return try TargetSettings(name.kind, reading: document, at: "")
        } catch {
            throw TargetFailure("what is stored of it is not what this version reads: \(error)")
        }
    }

    private func secret(of target: StoredTarget) throws(TargetFailure) -> [UInt8] {
        guard let secret = register.secret(of: target) else {
            throw TargetFailure("its secret cannot be opened with the key of this store")
        }
        return secret
    }

    // MARK: The register

    public func names() async throws(MetadataError) -> [TargetName] {
        try await store.targets().compactMap { TargetName($0.name) }
    }

    /// In order of name.
    public func all() async throws(MetadataError) -> [Registered] { try await store.targets().compactMap(describe) }

    public func find(_ name: TargetName) async throws(MetadataError) -> Registered? {
        try await store.target(named: name.description).flatMap(describe)
    }

    /// What is known from memory, by name.
    public func statuses() -> [(name: String, status: TargetStatus)] {
        lines.map { ($0.name, $0.status) }.sorted { $0.name < $1.name }
    }

    private func describe(_ target: StoredTarget) -> Registered? {
        guard let name = TargetName(target.name) else { return nil }
        let (line, isBegun) = state.withLock { ($0.lines[target.name], $0.begun[target.name] != nil) }
        var status = line?.status ?? TargetStatus()
        if store.isShared, !isBegun { status.state = .elsewhere }
        status.droppedCount = max(status.droppedCount, target.droppedCount)
        return Registered(
            name: name, document: JSONValue(parsing: target.document) ?? .null,
            hasSecret: !target.sealedSecret.isEmpty, created: target.created, status: status)
    }

    /// Registers a target, or replaces what was said of it. Where `document` has no secret, the one that is there stays; an empty one takes
    /// it away. Throws a `JSONFault` with paths that begin at `path`, or a `MetadataError`. Returns whether something changed.
    @discardableResult
    public func set(_ name: TargetName, _ document: JSONValue, at path: String = "") async throws -> Bool {
        _ = try TargetSettings(name.kind, reading: document, at: path)
        return try await register.set(name.description, document) { await self.renew(name.description) }
    }

    /// Returns whether it was there.
    public func remove(_ name: TargetName) async throws -> Bool {
        try await register.remove(name.description) { await self.renew(name.description) }
    }

    /// The line of a target follows what is stored of it now.
    private func renew(_ name: String) async {
        await drop(name)
        guard state.withLock({ $0.isStarted && !$0.isStopped }), let target = try? await store.target(named: name)
        else {
            return
        }
        // Where that fails, the next round begins it.
        if store.isShared { try? await share(target) } else { begin(target) }
        state.withLock { $0.lines[name] }?.notice()
    }

    // MARK: Trying out

    /// Sends a test message, past all that waits. Nil where the target is not there.
    public func test(_ name: TargetName) async throws(MetadataError) -> Delivery? {
        guard let target = try await store.target(named: name.description) else { return nil }
        do throws(TargetFailure) {
            let driver = try settings(of: target).open(secret: try secret(of: target), outbound: configuration.outbound)
            let delivery = await driver.send([EventText.trial(of: target.name, at: .now())])
            driver.close()
            return delivery
        } catch {
            return Delivery(acceptedCount: 0, failure: error)
        }
    }
}
