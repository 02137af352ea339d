import CrashHistory
import Glibc
import LoadClient
import Threads

/// One data folder through many crashes: loads it, inspects it after each restart, and carries on what it is known to hold.
final class Trial {
    let ledger = Ledger()
    private var numbers: Numbers
    /// What each key holds, as the last inspection found it.
    private(set) var states: [Key: KeyState] = [:]
    private var uploads: [OpenUpload] = []
    private var notes: [Note] = []
    private(set) var counts = CallCounts()
    private var undecided = 0

    init(_ numbers: Numbers) { self.numbers = numbers }

    /// Makes the buckets of an empty store.
    func prepare(_ endpoint: Endpoint) throws {
        let session = Session(endpoint)
        let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        let calls: [(String, String, String)] = [
            ("/\(Key.plainBucket)", "", ""), ("/\(Key.versionedBucket)", "", ""),
            ("/\(Key.versionedBucket)", "versioning=", enabled),
        ]
        for (path, query, body) in calls {
            let outcome = session.call("PUT", path, query: query, body: [UInt8](body.utf8))
            guard case .answer(let answer) = outcome, answer.status == 200 else {
                throw ClientError("PUT \(path) answered \(outcome.summary)")
            }
        }
    }

    /// Lets `clients` clients make calls until `crash`, which runs beside them, has returned. It sets its flag before it makes
    /// the store fail.
    func load(
        _ endpoint: Endpoint, clients: Int, until crash: @escaping @Sendable (Flag) throws -> Void
    ) throws {
        let (stop, mayFail) = (Flag(), Flag())
        let ledger = ledger
        let numbers = numbers.fork(Int(truncatingIfNeeded: self.numbers.next()))
        let uploads = uploads
        let all = try ClientThreads.run(clients + 1) { index -> Harvest in
            if index == clients {
                defer { stop.set() }
                try crash(mayFail)
                return Harvest()
            }
            let own = uploads.enumerated().filter { $0.offset % clients == index }.map(\.element)
            let client = Client(endpoint, ledger, numbers.fork(index), mayFail: mayFail, uploads: own)
            client.run(until: stop)
            return Harvest(client)
        }
        take(all)
    }

    /// Lets `clients` clients make `count` calls each, at once.
    func steps(_ endpoint: Endpoint, clients: Int, each count: Int) throws {
        let ledger = ledger
        let numbers = numbers.fork(3)
        let uploads = uploads
        take(
            try ClientThreads.run(clients) { index -> Harvest in
                let own = uploads.enumerated().filter { $0.offset % clients == index }.map(\.element)
                let client = Client(endpoint, ledger, numbers.fork(index), mayFail: Flag(true), uploads: own)
                for _ in 0..<count { client.step() }
                return Harvest(client)
            })
    }

    /// Lets one client make calls in turn.
    func run(_ endpoint: Endpoint, mayFail: Bool, _ body: (Client) throws -> Void) rethrows {
        let client = Client(endpoint, ledger, numbers.fork(1), mayFail: Flag(mayFail), uploads: uploads)
        defer { take([Harvest(client)]) }
        try body(client)
    }

    private func take(_ all: [Harvest]) {
        // The uploads of before are among those that the clients give back.
        uploads = all.flatMap(\.uploads)
        for harvest in all {
            notes += harvest.notes
            counts = counts + harvest.counts
        }
    }

    /// To be called on a server that has started again and has no other clients. Returns what is wrong.
    func inspect(_ endpoint: Endpoint) -> [String] {
        var inspection = Inspection(Session(endpoint), ledger, numbers.fork(2))
        inspection.run(notes: notes, initial: states, uploads: uploads)
        states = inspection.states
        uploads = inspection.uploads
        undecided += inspection.undecided
        notes = []
        ledger.compact(states, keeping: uploads.map(\.content))
        return ledger.takeFindings()
    }

    /// Since the last time.
    func takeCounts() -> CallCounts {
        defer { counts = CallCounts() }
        return counts
    }

    /// Keys whose calls were too many to be ordered, since the last time.
    func takeUndecided() -> Int {
        defer { undecided = 0 }
        return undecided
    }

    private struct Harvest: Sendable {
        var notes: [Note] = []
        var uploads: [OpenUpload] = []
        var counts = CallCounts()

        init() {}
        init(_ client: Client) {
            (notes, uploads, counts) = (client.notes, client.uploads, client.counts)
        }
    }
}
