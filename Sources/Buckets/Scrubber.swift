import Bytes
import Files
import Metadata
import Synchronization
import Threads

/// Walks all blobs and the pages of the database at a bounded rate, compares each with what was written, and looks for files
/// that no row names.
///
/// A blob that is wrong is reported once and listed; its file gets a second name in `quarantine`, and is left where it is,
/// where reads of its wrong blocks fail. How far a scrub is survives the process.
public final class Scrubber: Sendable {
    private let objects: ObjectStore
    private let configuration: ScrubConfiguration
    private let state: Lock<State>
    private let checked = Atomic<UInt64>(0)

    private struct State {
        var report: ScrubReport
        /// Counts passes and stops, so that a former pass ends.
        var generation = 0
        /// Passes that have not ended yet.
        var active = 0
        var isRunning = false
        var pass: UInt64 = 0
        /// Why the last pass ended before its end.
        var failure: String?
        var closers: [CheckedContinuation<Void, Never>] = []
        var observer: (@Sendable (ScrubReport) -> Void)?
    }

    /// One walk.
    private struct Pass {
        var generation: Int
        /// Nil for as fast as it goes.
        var rate: UInt64?
        var repairs = false
        var began = ContinuousClock.now
        var isNew = false
        /// What a repair found in the log, to be healed at its end.
        let unhealed = Unhealed()
    }

    private final class Unhealed: Sendable {
        let found: Lock<[(blob: StoredBlob, finding: ScrubFinding)]> = Lock([])
    }

    /// Reads how far the last scrub came. Blocks for the disk.
    public init(objects: ObjectStore, configuration: ScrubConfiguration = ScrubConfiguration()) {
        self.objects = objects
        self.configuration = configuration
        state = Lock(State(report: objects.blobs.scrubNote().flatMap { ScrubReport($0) } ?? ScrubReport()))
    }

    // MARK: What it says

    public var report: ScrubReport { state.withLock { $0.report } }
    public var isRunning: Bool { state.withLock { $0.isRunning } }
    /// Why the last pass ended before its end; nil where it did not, or another runs.
    public var failure: String? { state.withLock { $0.failure } }
    /// Counts the passes begun since the opening.
    public var passCount: UInt64 { state.withLock { $0.pass } }
    /// Blobs checked since the opening, for metrics.
    public var checkedCount: UInt64 { checked.load(ordering: .relaxed) }

    /// `observer` is called at the end of each pass.
    public func observe(_ observer: @escaping @Sendable (ScrubReport) -> Void) {
        state.withLock { $0.observer = observer }
    }

    // MARK: When it runs

    /// Scrubs in the background from now on, as the configuration says. Once.
    public func start() {
        guard configuration.rate > 0 else { return }
        let begin = ContinuousClock.now + configuration.delay
        objects.pool.run { [weak self, pool = objects.pool] in
            while true {
                let slept = ContinuousClock.now
                await pool.sleep(for: .seconds(1))
                // A pool that stops lets nobody sleep.
                if slept.duration(to: .now) < .milliseconds(500) { return }
                guard let self, !self.isStopped else { return }
                if ContinuousClock.now >= begin { await self.runIfDue() }
            }
        }
    }

    private let stopped = Atomic<Bool>(false)
    private var isStopped: Bool { stopped.load(ordering: .relaxed) }

    /// Begins a walk over everything now, as fast as it goes; one that is under way ends. With `repairs` damaged files and
    /// orphans are moved to `quarantine`. Returns its number among `passCount`.
    @discardableResult
    public func begin(repairs: Bool) -> UInt64 {
        guard let pass = enter(isNew: true, rate: nil, repairs: repairs) else { return passCount }
        objects.pool.run { await self.run(pass) }
        return passCount
    }

    /// Ends what runs and returns when it has ended. Nothing begins any more.
    public func stop() async {
        stopped.store(true, ordering: .relaxed)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isIdle = state.withLock { state in
                state.generation += 1
                if state.active > 0 { state.closers.append(continuation) }
                return state.active == 0
            }
            if isIdle { continuation.resume() }
        }
    }

    private func runIfDue() async {
        let (report, isRunning) = state.withLock { ($0.report, $0.isRunning) }
        if isRunning { return }
        let isUnfinished = report.started != nil && report.finished == nil
        let age = report.started.map { Timestamp.now().milliseconds - $0.milliseconds } ?? .max
        guard isUnfinished || age < 0 || UInt64(age) >= configuration.interval.millisecondsClamped else { return }
        guard let pass = enter(isNew: !isUnfinished, rate: configuration.rate, repairs: false) else { return }
        await run(pass)
    }

    private func enter(isNew: Bool, rate: UInt64?, repairs: Bool) -> Pass? {
        if isStopped { return nil }
        return state.withLock { state in
            state.generation += 1
            state.active += 1
            state.pass += 1
            state.isRunning = true
            state.failure = nil
            if isNew {
                state.report = ScrubReport()
                state.report.started = .now()
            }
            return Pass(generation: state.generation, rate: rate, repairs: repairs, isNew: isNew)
        }
    }

    private func leave(_ pass: Pass, failure: String?) {
        let (closers, observer, report) = state.withLock { state in
            state.active -= 1
            let isCurrent = state.generation == pass.generation
            if isCurrent || state.active == 0 { state.isRunning = false }
            if isCurrent { state.failure = failure }
            defer { if state.active == 0 { state.closers = [] } }
            return (state.active == 0 ? state.closers : [], isCurrent ? state.observer : nil, state.report)
        }
        observer?(report)
        for closer in closers { closer.resume() }
    }

    private func isCurrent(_ pass: Pass) -> Bool { state.withLock { $0.generation == pass.generation } }

    /// Changes the report where the pass has not been overtaken.
    private func update(_ pass: Pass, _ change: (inout ScrubReport) -> Void) {
        state.withLock { if $0.generation == pass.generation { change(&$0.report) } }
    }

    // MARK: One walk

    private func run(_ pass: Pass) async {
        var failure: String?
        do {
            let read = Lock<UInt64>(0)
            let pace: @Sendable (Int) async -> Bool = { [weak self] count in
                guard let self else { return false }
                let total = read.withLock { total in
                    total += UInt64(max(0, count))
                    return total
                }
                return await self.keepPace(pass, read: total)
            }
            try await walk(pass, pace)
            if isCurrent(pass) { try await heal(pass) }
            if isCurrent(pass) { try await findDamagedPages(pass, pace) }
            if isCurrent(pass) {
                try await findOrphans(pass)
                update(pass) { $0.finished = .now() }
            }
        } catch {
            failure = "\(error)"
        }
        if isCurrent(pass) || isStopped { save() }
        leave(pass, failure: failure)
    }

    private func walk(_ pass: Pass, _ pace: @escaping @Sendable (Int) async -> Bool) async throws {
        let checker = BlobChecker(opener: objects.opener, pace: pace)
        var position = report.position
        var saved = ContinuousClock.now
        while isCurrent(pass) {
            let page = try await objects.metadata.blobs(after: position, limit: 256)
            if page.isEmpty { return }
            for blob in page {
                let outcome = try await checker.check(blob)
                guard isCurrent(pass), outcome != .cut else { return }
                position = blob.id
                checked.add(1, ordering: .relaxed)
                if case .wrong(let kind, let reason) = outcome { await found(kind, blob, reason, pass) }
                update(pass) { report in
                    report.position = position
                    report.blobs += 1
                    if case .whole = outcome { report.bytes &+= blob.size }
                }
                if saved.duration(to: .now) >= configuration.saveInterval {
                    saved = .now
                    save()
                }
            }
        }
    }

    private func keepPace(_ pass: Pass, read: UInt64) async -> Bool {
        guard isCurrent(pass) else { return false }
        guard let rate = pass.rate, rate > 0 else {
            await objects.pool.yield()
            return true
        }
        let due = pass.began + .milliseconds(Int64(clamping: read / max(1, rate / 1000)))
        let ahead = ContinuousClock.now.duration(to: due)
        // In naps, so that a stop is not kept waiting.
        if ahead > .milliseconds(20) { await objects.pool.sleep(for: min(ahead, .milliseconds(500))) }
        return isCurrent(pass)
    }

    private func found(_ kind: ScrubFinding.Kind, _ blob: StoredBlob, _ reason: String, _ pass: Pass) async {
        let blobs = objects.blobs
        blobs.forgetProof(of: blob.id)
        blobs.damage.report(blob.id, reason)
        var finding = ScrubFinding(kind: kind, blob: blob.id, reason: reason, moment: .now(), isQuarantined: false)
        // A file that was set aside is missing; what lies in the log stays where it is.
        if blob.location != .file || kind == .missing,
            let known = blobs.setAsideReason(blob.id, pool: objects.pool)
        {
            (finding.kind, finding.reason, finding.isQuarantined) = (.lost, known, true)
            return update(pass) { $0.note(finding) }
        }
        if pass.repairs, blob.location != .file {
            return pass.unhealed.found.withLock { [finding] in $0.append((blob, finding)) }
        }
        if pass.repairs, kind == .damaged {
            let names = (try? await objects.metadata.versions(naming: [blob.id], countMax: Self.namesMax)) ?? [:]
            finding.reason += Self.sentence(names[blob.id])
        }
        if kind == .damaged, case .file = blob.location {
            finding.isQuarantined = await blobs.quarantine(finding, moves: pass.repairs, pool: objects.pool)
        }
        update(pass) { $0.note(finding) }
    }

    /// Gives what lies damaged in the log a new place where a copy is whole, and sets the rest aside with the names that it has.
    private func heal(_ pass: Pass) async throws {
        let unhealed = pass.unhealed.found.withLock { $0 }
        if unhealed.isEmpty { return }
        let healed = try await objects.metadata.heal(unhealed.map(\.blob))
        update(pass) { $0.healed = UInt64(healed.count) }
        let rest = unhealed.filter { !healed.contains($0.blob.id) }
        let names = try await objects.metadata.versions(
            naming: Set(rest.map(\.blob.id)), countMax: Self.namesMax)
        for (blob, finding) in rest {
            var finding = finding
            finding.reason += Self.sentence(names[blob.id])
            finding.isQuarantined = objects.blobs.setAside(finding, pool: objects.pool)
            update(pass) { $0.note(finding) }
        }
    }

    private static let namesMax = 5

    private static func sentence(_ names: [VersionName]?) -> String {
        names.map { "; it is \($0.map(\.description).joined(separator: ", "))" } ?? "; no version names it"
    }

    private func findDamagedPages(_ pass: Pass, _ pace: @Sendable (Int) async -> Bool) async throws {
        for page in try await objects.metadata.damagedPages(pace: pace) {
            let finding = ScrubFinding(
                kind: .page, blob: BlobID(UInt64(clamping: page.number)),
                reason: "a damaged page of \(page.file): `ogw check --rebuild` makes the database anew", moment: .now(),
                isQuarantined: false)
            update(pass) { $0.note(finding) }
        }
    }

    /// Files that no row names and the sweeper does not know of either.
    private func findOrphans(_ pass: Pass) async throws {
        let metadata = objects.metadata
        for blob in try await metadata.strayBlobs() {
            guard isCurrent(pass) else { return }
            var finding = ScrubFinding(
                kind: .orphan, blob: blob, reason: "no row names it, and its bytes lie in the metadata store",
                moment: .now(), isQuarantined: false)
            if pass.repairs { finding.isQuarantined = try await metadata.setAside(stray: blob) }
            update(pass) { [finding] in $0.note(finding) }
        }
        let nameless = try await objects.blobs.orphans { try await metadata.blob($0) != nil }
        if nameless.isEmpty { return }
        // What was dropped meanwhile is listed by now, or its file is gone.
        let garbage = Set(try await metadata.garbage(limit: .max))
        for blob in nameless where !garbage.contains(blob) {
            guard isCurrent(pass) else { return }
            var finding = ScrubFinding(
                kind: .orphan, blob: blob, reason: "no row names it", moment: .now(), isQuarantined: false)
            guard await objects.blobs.isThere(blob, pool: objects.pool) else { continue }
            if pass.repairs {
                finding.isQuarantined = await objects.blobs.quarantine(finding, moves: true, pool: objects.pool)
            }
            update(pass) { $0.note(finding) }
        }
    }

    /// A hint for the next process: where it cannot be written, a scrub begins anew.
    private func save() {
        let text = report.text
        objects.pool.blocking { objects.blobs.keepScrubNote(text) }
    }
}
