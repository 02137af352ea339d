import Bytes
import Files
import Glibc
import Hooks
import Metadata
import Threads

/// Settings of the workers that the gateway starts itself.
public struct SupervisorConfiguration: Sendable {
    /// The program `ogw`; nil starts none.
    public var program: String?
    /// The program that decodes, where it is not the one beside `ogw`.
    public var media: String?
    public var countMin = 0
    /// One for each processor.
    public var countMax = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// How long a worker beyond `countMin` waits for a job before it ends.
    public var idleTime = Duration.seconds(30)
    /// How long a worker has for the job that it is in the middle of, when the gateway stops.
    public var stopTime = Duration.seconds(5)

    public init() {}
}

/// Starts as many workers as there is work for, between a minimum and a maximum, again where one ends, and ends them with the gateway.
final class WorkerSupervisor: Sendable {
    private struct Slot {
        var program: SpawnedProgram?
        var started = ContinuousClock.now
        /// Ends in a row that came soon after the start.
        var failures = 0
        var notBefore = ContinuousClock.now
    }

    private struct State {
        var slots: [Slot]
        var isStopping = false
        var isInRound = false
    }

    private let engine: JobEngine
    private let configuration: SupervisorConfiguration
    private let data: String
    private let pool: Pool
    private let log: Log
    private let state: Lock<State>

    /// Between two looks.
    private static let tick = Duration.milliseconds(200)
    /// A worker that lives shorter has failed to start.
    private static let lifeMin = Duration.seconds(5)

    /// Nil where no workers are to be started.
    init?(
        _ engine: JobEngine, _ configuration: SupervisorConfiguration, data: String, pool: Pool, log: Log
    ) {
        guard configuration.program != nil, configuration.countMax > 0 else { return nil }
        (self.engine, self.configuration, self.data, self.pool, self.log) = (engine, configuration, data, pool, log)
        state = Lock(State(slots: Array(repeating: Slot(), count: configuration.countMax)))
    }

    private var folder: String { "\(data)/work" }

    /// Workers that run, for metrics.
    var count: Int { state.withLock { $0.slots.count { $0.program != nil } } }

    /// Those of a gateway that was killed ended with it; what they had is ready again at once.
    func start() async {
        engine.expectWorkers(true)
        await engine.workersEnded(isCrash: false) { $0.hasPrefix(WorkerCaller.supervised + "/") }
        pool.blocking { FolderRemoval.remove(folder) }
        pool.run { [self] in
            while beginRound() {
                await round()
                state.withLock { $0.isInRound = false }
                await pool.sleep(for: Self.tick)
            }
        }
    }

    /// Ends all workers: they give back what they have not begun. Returns when none runs.
    func stop() async {
        engine.expectWorkers(false)
        state.withLock { $0.isStopping = true }
        while state.withLock({ $0.isInRound }) { await pool.sleep(for: .milliseconds(2)) }
        let programs = state.withLock { state in state.slots.compactMap(\.program) }
        for program in programs { program.signal(SIGTERM) }
        let deadline = ContinuousClock.now + configuration.stopTime + .seconds(2)
        while programs.contains(where: { $0.poll() == nil }), ContinuousClock.now < deadline {
            await pool.sleep(for: .milliseconds(10))
        }
        pool.blocking { for program in programs { program.end(within: .zero) } }
        await engine.workersEnded(isCrash: false) { $0.hasPrefix(WorkerCaller.supervised + "/") }
        pool.blocking { FolderRemoval.remove(folder) }
    }

    private func beginRound() -> Bool {
        state.withLock { state in
            if state.isStopping { return false }
            state.isInRound = true
            return true
        }
    }

    private func round() async {
        for (place, ending, life) in takeEnded() {
            let isWell = ending == .exited(0)
            log.event(
                "worker_ended", level: isWell ? .debug : .warning,
                ["worker": .text(Self.name(place)), "reason": .text(ending.description)])
            await engine.workersEnded(isCrash: !isWell) { $0 == "\(WorkerCaller.supervised)/\(Self.name(place))" }
            pool.blocking { FolderRemoval.remove("\(folder)/\(Self.name(place))") }
            noteEnd(at: place, isWell: isWell, life: life)
        }
        let wanted = await wantedCount()
        for place in 0..<configuration.countMax where count < wanted { start(at: place) }
    }

    /// Slots whose workers ended since the last look.
    private func takeEnded() -> [(place: Int, ending: SpawnedProgram.Ending, life: Duration)] {
        let now = ContinuousClock.now
        return state.withLock { state in
            var ended: [(place: Int, ending: SpawnedProgram.Ending, life: Duration)] = []
            for place in state.slots.indices {
                guard let ending = state.slots[place].program?.poll() else { continue }
                state.slots[place].program = nil
                ended.append((place, ending, state.slots[place].started.duration(to: now)))
            }
            return ended
        }
    }

    private func noteEnd(at place: Int, isWell: Bool, life: Duration) {
        state.withLock { state in
            let isEarly = !isWell && life < Self.lifeMin
            state.slots[place].failures = isEarly ? min(state.slots[place].failures + 1, 7) : 0
            let wait = isEarly ? Duration.milliseconds(250 << state.slots[place].failures) : .zero
            state.slots[place].notBefore = ContinuousClock.now + wait
        }
    }

    /// A worker for each job that is ready, beside those that are at work.
    private func wantedCount() async -> Int {
        let (least, most) = (min(configuration.countMin, configuration.countMax), configuration.countMax)
        guard let ready = try? await engine.readyCount(limit: most) else { return least }
        let names = state.withLock { state in
            state.slots.indices.filter { state.slots[$0].program != nil }.map {
                "\(WorkerCaller.supervised)/\(Self.name($0))"
            }
        }
        let busy = names.count { engine.leaseCount(of: $0) > 0 }
        return min(most, max(least, busy + ready))
    }

    private func start(at place: Int) {
        guard let path = configuration.program else { return }
        let now = ContinuousClock.now
        let mayStart = state.withLock { $0.slots[place].program == nil && $0.slots[place].notBefore <= now }
        guard mayStart else { return }
        var arguments = [
            "worker", "--data", data, "--name", Self.name(place), "--folder", "\(folder)/\(Self.name(place))",
            "--supervised", "--stop-within", DurationText.write(configuration.stopTime),
            "--log-format", log.format.rawValue, "--log-level", log.level.name.description,
        ]
        if place >= configuration.countMin { arguments += ["--idle-exit", DurationText.write(configuration.idleTime)] }
        if let media = configuration.media { arguments += ["--media", media] }
        do throws(SystemError) {
            let program = try pool.blocking { () throws(SystemError) in
                try SpawnedProgram.start(path, arguments, environment: Self.environment, takesOutput: false)
            }
            state.withLock { state in
                state.slots[place].program = program
                state.slots[place].started = now
            }
            log.event(
                "worker_started", level: .debug, ["worker": .text(Self.name(place)), "pid": .integer(program.pid)])
        } catch {
            log.event("worker_not_started", level: .error, ["error": .failure(error)])
            noteEnd(at: place, isWell: false, life: .zero)
        }
    }

    private static func name(_ place: Int) -> String { "worker-\(place + 1)" }

    /// What workers need of this process's environment: no secret is in it.
    private static let environment: [String: String] = {
        var kept: [String: String] = [:]
        for name in ["PATH", "HOME", "TZ", "LANG", "LC_ALL", "TMPDIR"] {
            // SAFETY: nothing in this program changes the environment, so the string stays where it is.
            if let value = unsafe getenv(name) { kept[name] = unsafe String(cString: value) }
        }
        return kept
    }()
}
