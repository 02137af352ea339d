import Glibc
import LoadClient
import TestSupport

/// Lets each system call of a small workload fail, one run for each, then starts the server without the fault and checks
/// what it holds.
struct FaultHarness {
    enum Workload: String, CaseIterable {
        /// One client, the same calls in the same order.
        case turns
        /// Four clients at once.
        case crowd
        /// The first start of an empty folder, then the calls of `turns`.
        case first
    }

    let options: Options
    private let folder: String
    private let setup: ServerSetup
    private var template: String { "\(folder)/template" }
    private var report: String { "\(folder)/report" }

    init(_ options: Options) {
        self.options = options
        folder = "\(options.folder)/fault-\(getpid())"
        setup = ServerSetup(
            program: options.program, preload: options.preload, data: "\(folder)/data", scratch: folder)
    }

    func run(_ tally: Tally) throws {
        try Shell.run("mkdir", "-p", folder)
        defer { _ = try? Shell.run("rm", "-rf", folder) }
        try makeTemplate()
        var numbers = Numbers(seed: options.seed)
        var runs: [(Workload, Fault)] = []
        for workload in Workload.allCases {
            let counts = try countCalls(workload)
            let list = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            print("fault \(workload): \(list)")
            for kind in Fault.all {
                for number in 1...max(1, counts[kind.call] ?? 0) where counts[kind.call] != nil {
                    var fault = kind
                    fault.number = number
                    runs.append((workload, fault))
                }
            }
        }
        // A slice of them is then a fair sample.
        runs.shuffle(using: &numbers)
        var unreached = 0
        for (workload, fault) in runs.prefix(options.cycles) where tally.hasTime {
            do {
                guard let findings = try run(workload, fault, numbers.fork(fault.number)) else {
                    unreached += 1
                    continue
                }
                tally.count("\(workload) \(fault.name)", findings)
            } catch {
                tally.count("\(workload) \(fault.name)", ["\(error)"])
            }
        }
        print("fault: \(tally.passed + tally.failed) of \(runs.count) faults tried, \(unreached) not reached")
    }

    /// A data folder with the buckets, which each run begins with.
    private func makeTemplate() throws {
        let server = try ServerProcess.started(setup)
        try Trial(Numbers(seed: 1)).prepare(server.endpoint)
        server.stop()
        try Shell.run("mv", setup.data, template)
    }

    private func begin(_ workload: Workload) throws {
        try Shell.run("rm", "-rf", setup.data, report)
        if workload != .first { try Shell.run("cp", "-a", template, setup.data) }
    }

    /// How often each call is made on files below the data folder.
    private func countCalls(_ workload: Workload) throws -> [String: Int] {
        try begin(workload)
        let server = try ServerProcess.started(setup.preloading(["OGW_FAULT_REPORT": report]))
        let trial = Trial(Numbers(seed: options.seed))
        if workload == .first { try trial.prepare(server.endpoint) }
        try load(workload, trial, server)
        server.kill()
        let lines = String(decoding: try TemporaryFolder.read(report), as: UTF8.self).split(separator: "\n")
        return Dictionary(lines.map { (String($0.split(separator: " ")[0]), 1) }, uniquingKeysWith: +)
    }

    /// What is wrong; nil where the call did not come to be made.
    private func run(_ workload: Workload, _ fault: Fault, _ numbers: Numbers) throws -> [String]? {
        try begin(workload)
        let trial = Trial(numbers)
        var findings: [String] = []
        switch try ServerProcess.start(setup.preloading(fault.variables(report: report))) {
        case .refused(let status, let log):
            // A folder that cannot be opened is refused, in words.
            if status <= 0 || log.isEmpty { findings.append("the start ended with status \(status): \(log)") }
            if fault.isHarmless { findings.append("the start was refused: \(log)") }
        case .running(let server):
            findings += try load(workload, trial, server, fault)
            if let ending = server.ending {
                if ending.isCrash {
                    findings.append("the server crashed, status \(ending.status):\n    \(ending.tail)")
                }
                if fault.isHarmless {
                    findings.append("the server ended, status \(ending.status):\n    \(ending.tail)")
                }
            }
            server.kill()
        }
        guard (try? TemporaryFolder.read(report))?.isEmpty == false else { return nil }
        let again = try ServerProcess.started(setup)
        if workload == .first { findings += trial.prepareAgain(again.endpoint) }
        findings += trial.inspect(again.endpoint)
        again.stop()
        return findings
    }

    private func load(
        _ workload: Workload, _ trial: Trial, _ server: ServerProcess, _ fault: Fault
    ) throws -> [String] {
        // Nothing is expected of buckets that could not be made.
        if workload == .first, (try? trial.prepare(server.endpoint)) == nil { return [] }
        try load(workload, trial, server)
        var findings: [String] = []
        if fault.isHarmless, trial.counts.errors + trial.counts.refused > 0 {
            findings.append("clients saw it: \(trial.counts)")
        }
        if !fault.isLasting, server.ending == nil, !trial.isWriting(server.endpoint), server.ending == nil {
            findings.append("the server goes on and takes no writes any more: \(server.log.suffix(500))")
        }
        return findings
    }

    private func load(_ workload: Workload, _ trial: Trial, _ server: ServerProcess) throws {
        if workload == .crowd {
            try trial.steps(server.endpoint, clients: 4, each: 12)
        } else {
            trial.run(server.endpoint, mayFail: true) { $0.eachOnce() }
        }
    }
}

extension Trial {
    /// Makes the buckets where a failing start has not. Returns what is wrong.
    func prepareAgain(_ endpoint: Endpoint) -> [String] {
        let session = Session(endpoint)
        for bucket in [Key.plainBucket, Key.versionedBucket] {
            if case .answer(let answer) = session.call("HEAD", "/\(bucket)"), answer.status == 200 { continue }
            let outcome = session.call("PUT", "/\(bucket)")
            guard case .answer(let answer) = outcome, answer.status == 200 else {
                return ["PUT /\(bucket) after the restart answered \(outcome.summary)"]
            }
        }
        return []
    }

    /// Whether a write succeeds after a fault that has passed.
    func isWriting(_ endpoint: Endpoint) -> Bool {
        let before = counts.acknowledged
        for _ in 0..<100 {
            run(endpoint, mayFail: true) { $0.put(Key.ordinary[0], size: 4096) }
            if counts.acknowledged > before { return true }
            usleep(100_000)
        }
        return false
    }
}

extension Client {
    /// Each kind of call, a few times, always in this order.
    func eachOnce() {
        let (a, b) = (Key.ordinary[0], Key.ordinary[1])
        for size in [0, 1, 4096, 100_000, 132_096, 1 << 20] { put(a, size: size) }
        put(b, size: 4096)
        put(Key.contested[0], ifAbsent: true, size: 100)
        put(Key.contested[0], ifAbsent: true, size: 132_096)
        tag(b)
        copy(from: a, to: Key.copies[0])
        copy(from: b, to: Key.copies[1])
        get(a)
        delete(b)
        get(b)
        for size in [10, 132_096] { put(Key.versioned[0], size: size) }
        delete(Key.versioned[0])
        remove(Key.versioned[0])
        getVersion(Key.versioned[0])
        for _ in 0..<6 { stepUpload() }
        list()
        listVersions()
        getTags(a)
    }
}
