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

    func run(_ tally: Tally) throws {
        var numbers = Numbers(seed: options.seed)
        let place = try CrashPlace(crash, options)
        defer { place.remove() }
        if let obstacle = place.obstacle { return tally.skip(obstacle) }
        var trial: Trial?
        var total = CallCounts()
        var undecided = 0
        for cycle in 1...options.cycles where tally.hasTime {
            do {
                let current: Trial
                if let trial {
                    current = trial
                } else {
                    try place.empty()
                    current = Trial(numbers.fork(cycle))
                    let first = try ServerProcess.started(place.setup)
                    try current.prepare(first.endpoint)
                    first.stop()
                }
                trial = current
                let findings = try self.cycle(current, place, &numbers)
                tally.count("cycle \(cycle)", findings)
                if !findings.isEmpty {
                    // What follows a loss says nothing.
                    trial = nil
                    place.keep("failed-\(cycle)")
                }
            } catch {
                tally.count("cycle \(cycle)", ["\(error)"])
                trial = nil
            }
            if trial == nil, stopsAtFailure { break }
            if let trial {
                total = trial.counts
                undecided = trial.undecided
            }
        }
        print("\(tally.harness): last folder: \(total), \(undecided) keys undecided")
    }

    /// One load, one crash, one inspection.
    private func cycle(_ trial: Trial, _ place: CrashPlace, _ numbers: inout Numbers) throws -> [String] {
        var setup = place.setup
        if let mutant = options.mutant { setup = try mutant.applied(to: setup) }
        let server = try ServerProcess.started(setup)
        let load_ms = options.mutant?.load_ms ?? options.load_ms
        let wait_us = UInt32(1000 * (load_ms / 10 + numbers.below(load_ms * 9 / 10)))
        // Mostly nothing is written out at the cut; the other ways leave other mixtures.
        let mode: UInt32 = options.mutant != nil || numbers.chance(70) ? 2 : numbers.chance(50) ? 1 : 0
        // A lone client has its last call forgotten where a crowd's next sync would save it.
        let clients = options.mutant?.clients ?? [1, 2, 8, 8][numbers.below(4)]
        let early: Lock<String?> = Lock(nil)
        let crash = crash
        try trial.load(server.endpoint, clients: clients, mayFail: crash == .power) {
            usleep(wait_us)
            if let ending = server.ending {
                early.withLock { $0 = "the server ended by itself, status \(ending.status):\n    \(ending.tail)" }
            }
            if crash == .power { try place.cut(mode) }
            server.kill()
        }
        // Told to do so by a cut, a process may end; not before.
        if let early = early.withLock({ $0 }) { return [early] + trial.ledger.takeFindings() }
        if let ending = server.ending, ending.isCrash {
            return ["the server crashed, status \(ending.status):\n    \(ending.tail)"]
        }
        try place.restore()
        let again = try ServerProcess.started(place.setup)
        let findings = trial.inspect(again.endpoint)
        let ending = again.stop()
        if ending.status != 0 {
            return findings + ["a stop by SIGTERM ended with status \(ending.status):\n    \(ending.tail)"]
        }
        return findings
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
