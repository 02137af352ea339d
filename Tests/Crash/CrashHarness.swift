import Glibc
import LoadClient
import TestSupport
import Threads

/// `kill` and `power`: crashes a server under load again and again over one data folder, and checks what it holds after each
/// restart.
struct CrashHarness {
    enum Crash { case kill, power }

    let crash: Crash
    let options: Options
    /// Stops at the first cycle that fails, as a mutant's is to.
    var stopsAtFailure = false

    /// A store that runs, and what is known of it.
    private struct Running {
        var server: ServerProcess
        var trial: Trial
    }

    func run(_ tally: Tally) throws {
        var numbers = Numbers(seed: options.seed)
        let place = try CrashPlace(crash, options)
        defer { place.remove() }
        if let obstacle = place.obstacle { return tally.skip(obstacle) }
        var running: Running?
        var total = CallCounts()
        var undecided = 0
        for cycle in 1...options.cycles where tally.hasTime {
            do {
                var current = try running ?? begun(place, numbers.fork(cycle))
                running = current
                let findings = try self.cycle(&current, place, &numbers)
                running = current
                tally.count("cycle \(cycle)", findings)
                undecided += current.trial.takeUndecided()
                total = total + current.trial.takeCounts()
                if findings.isEmpty {
                    // A full disk is a trial of its own; see FullHarness.
                    if place.isNearlyFull {
                        running?.server.kill()
                        running = nil
                    }
                    continue
                }
            } catch {
                tally.count("cycle \(cycle)", ["\(error)"])
            }
            // What follows a loss says nothing.
            running?.server.kill()
            running = nil
            place.keep("failed-\(cycle)")
            if stopsAtFailure { break }
        }
        running?.server.kill()
        print("\(tally.harness): \(total), \(undecided) keys undecided")
    }

    private func setup(_ place: CrashPlace) throws -> ServerSetup {
        try options.mutant?.applied(to: place.setup) ?? place.setup
    }

    private func begun(_ place: CrashPlace, _ numbers: Numbers) throws -> Running {
        try place.empty()
        let trial = Trial(numbers)
        let server = try ServerProcess.started(setup(place))
        try trial.prepare(server.endpoint)
        return Running(server: server, trial: trial)
    }

    /// One load, one crash, one inspection.
    private func cycle(_ running: inout Running, _ place: CrashPlace, _ numbers: inout Numbers) throws -> [String] {
        let trial = running.trial
        if let sentence = try crash(running, place, &numbers) { return [sentence] + trial.ledger.takeFindings() }
        try place.restore()
        // A crash may come again before the store has put itself in order.
        while numbers.chance(20) {
            let hurried = try ServerProcess.launch(setup(place))
            usleep(UInt32(numbers.below(60_000)))
            if crash == .power { try place.cut(2) }
            let ending = hurried.kill()
            if ending.isCrash { return ["a start crashed, status \(ending.status):\n    \(ending.tail)"] }
            try place.restore()
        }
        running.server = try ServerProcess.started(setup(place))
        let findings = trial.inspect(running.server.endpoint)
        if numbers.chance(30) {
            let ending = running.server.stop()
            if ending.status != 0 {
                return findings + ["a stop by SIGTERM ended with status \(ending.status):\n    \(ending.tail)"]
            }
            running.server = try ServerProcess.started(setup(place))
        }
        return findings
    }

    /// Returns what is wrong with how the server ended.
    private func crash(_ running: Running, _ place: CrashPlace, _ numbers: inout Numbers) throws -> String? {
        let load_ms = options.mutant?.load_ms ?? options.load_ms
        let wait_us = UInt32(1000 * (load_ms / 10 + numbers.below(load_ms * 9 / 10)))
        // Mostly nothing is written out at the cut; the other ways leave other mixtures.
        let mode: UInt32 = options.mutant != nil || numbers.chance(70) ? 2 : numbers.chance(50) ? 1 : 0
        let isGentle = crash == .kill && numbers.chance(10)
        // A lone client has its last call forgotten where a crowd's next sync would save it.
        let clients = options.mutant?.clients ?? [1, 2, 8, 8][numbers.below(4)]
        let early: Lock<String?> = Lock(nil)
        let (crash, server) = (crash, running.server)
        try running.trial.load(server.endpoint, clients: clients) { mayFail in
            usleep(wait_us)
            if let ending = server.ending {
                early.withLock { $0 = "the server ended by itself, status \(ending.status):\n    \(ending.tail)" }
            }
            mayFail.set()
            if crash == .power { try place.cut(mode) }
            _ = isGentle ? server.stop() : server.kill()
        }
        // Told to do so by a cut, a process may end; not before.
        if let early = early.withLock({ $0 }) { return early }
        guard let ending = server.ending, ending.isCrash || isGentle && ending.status != 0 else { return nil }
        return "the server ended with status \(ending.status):\n    \(ending.tail)"
    }
}

/// The folder that is crashed over: an ordinary one, or one on a file system of its own.
final class CrashPlace: Sendable {
    let setup: ServerSetup
    let obstacle: String?
    private let crash: CrashHarness.Crash
    private let folder: String
    private let disk: Lock<LoopDisk?> = Lock(nil)

    /// The journal is not committed by its timer within a cycle, and what a store did not sync is not saved by chance.
    private static let mountOptions = "loop,commit=60"

    init(_ crash: CrashHarness.Crash, _ options: Options) throws {
        self.crash = crash
        let folder = "\(options.folder)/\(crash)-\(getpid())"
        self.folder = folder
        try Shell.run("mkdir", "-p", folder)
        obstacle = crash == .power ? LoopDisk.obstacle(in: folder) : nil
        setup = ServerSetup(
            program: options.program, preload: options.preload,
            data: crash == .power ? "\(folder)/disk/data" : "\(folder)/data", scratch: folder)
    }

    /// An empty data folder.
    func empty() throws {
        if crash == .power {
            disk.withLock { $0 = nil }
            let folder = folder
            try disk.withLock {
                $0 = try LoopDisk(in: folder, name: "disk", mebibytes: 1024, options: Self.mountOptions)
            }
        }
        try Shell.run("rm", "-rf", setup.data)
    }

    /// Whether the next cycle might fill the disk.
    var isNearlyFull: Bool {
        var state = statvfs()
        guard unsafe statvfs(setup.data, &state) == 0 else { return false }
        return UInt64(state.f_bavail).multipliedReportingOverflow(by: UInt64(state.f_frsize)).partialValue < 384 << 20
    }

    func cut(_ mode: UInt32) throws {
        guard disk.withLock({ $0?.shutDown(mode: mode) ?? false }) else {
            throw ClientError("the file system was not shut down: errno \(errno)")
        }
    }

    /// What was on the disk is all that is there: mounting replays the journal.
    func restore() throws {
        if crash == .kill { return }
        try disk.withLock { disk in
            try disk?.unmount()
            try disk?.mount(Self.mountOptions)
        }
    }

    /// Keeps the first data folder that failed, for a look.
    func keep(_ name: String) {
        guard crash == .kill else { return }
        let kept = "\(folder)-\(name)"
        if (try? Shell.run("mv", setup.data, kept)) != nil { print("kept: \(kept)") }
    }

    func remove() {
        disk.withLock { $0 = nil }
        _ = try? Shell.run("rm", "-rf", folder)
    }
}
