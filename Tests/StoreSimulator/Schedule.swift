import Bytes
import Digests
import Files
import Glibc
import RedoLog
import SQLite
import SimulatedDisk

@testable import Buckets
@testable import Metadata

/// What a schedule found wrong, with what it takes to see it again.
public struct ScheduleFailure: Error, CustomStringConvertible {
    public let seed: UInt64
    public let what: String
    public let trace: String

    public var description: String { "seed \(seed): \(what)\n\(trace)" }
}

/// One life after another of a store on a simulated disk: batches of writes, checkpoints, bases and compaction, ended by a power
/// cut, a kill or a failed call at any point; then recovery, and a look at every version and every byte.
public struct Schedule {
    let seed: UInt64
    let mutant: Mutant?
    var random: SplitMix64
    private let disk: SimulatedFileSystem
    var store: SimulatedStore?
    var bucket = BucketID(0)
    /// What was acknowledged.
    var model = KeyModel()
    /// The batch that was not answered when the life ended.
    private var inFlight: [Mutation] = []
    /// What a power cut may leave of the database, oldest first: each state since the last checkpoint.
    private var views: [Connection]
    private var base: (lsn: UInt64, view: Connection)?
    var nextNumber: UInt64 = 1
    private var segmentsWereRemoved = false
    /// The parts that the content of each Complete is made of.
    var compositions: [UInt64: [UInt64]] = [:]

    static let keys = (0..<5).compactMap { ObjectKey([0x61 + UInt8($0)]) }

    private init(seed: UInt64, mutant: Mutant?) throws {
        (self.seed, self.mutant) = (seed, mutant)
        random = SplitMix64(seed: seed)
        disk = SimulatedFileSystem(seed: random.next())
        views = [try SimulatedStore.emptyView()]
    }

    /// Throws a `ScheduleFailure` where something acknowledged is not there, something refused is, or bytes are wrong.
    public static func run(seed: UInt64, mutant: Mutant? = nil) throws {
        var schedule = try Schedule(seed: seed, mutant: mutant)
        do {
            try schedule.run()
        } catch let failure as ScheduleFailure {
            throw failure
        } catch {
            throw schedule.failure("an error that no life may end with: \(error)")
        }
    }

    func failure(_ what: String) -> ScheduleFailure {
        ScheduleFailure(seed: seed, what: what, trace: disk.description)
    }

    private mutating func run() throws {
        lie()
        try open()
        guard
            case .success(.bucket(let made))? = commit([.createBucket(Self.name, owner: "o", at: .init(seconds: 1))])
                .first
        else { throw failure("no bucket") }
        bucket = made.id
        views.append(try snapshot())
        for _ in 0..<(1 + random.below(3)) {
            setFate()
            try live()
            try crash()
            try recover()
        }
    }

    private static let name: BucketName = {
        guard let name = BucketName("simulated".utf8) else { preconditionFailure("a bucket's name") }
        return name
    }()

    // MARK: A life

    private mutating func lie() {
        var faults = DiskFaults()
        faults.ignoresSyncData = mutant == .dropsSync
        faults.ignoresSyncDirectory = mutant == .dropsDirectorySync
        disk.faults = faults
    }

    private mutating func setFate() {
        lie()
        var faults = disk.faults
        switch random.below(9) {
        case 8:
            // The process dies within a call: a write may have been done, nothing after it is.
            faults.scheduled = [
                .init(
                    nil, number: 1 + random.below(60), errno: EIO, isLasting: true,
                    sectorsWritten: random.below(2) == 0 ? 99 : nil)
            ]
        case 0...3: faults.powerFailsAtCall = 1 + random.below(60)
        case 4:
            let kinds: [DiskCall?] = [nil, .write, .syncData, .open]
            faults.scheduled = [.init(kinds[random.below(kinds.count)], number: 1 + random.below(25), errno: EIO)]
        case 5:
            faults.scheduled = [.init(.write, number: 1 + random.below(20), errno: ENOSPC)]
        case 6: faults.capacity = UInt64(8_000 + random.below(60_000))
        default: break
        }
        disk.faults = faults
    }

    private mutating func live() throws {
        for _ in 0..<(3 + random.below(20)) {
            guard let store, store.deathReason == nil else { return }
            switch random.below(17) {
            case 16:
                guard let removed = try? store.sweep(), !removed.isEmpty, store.deathReason == nil else { continue }
                _ = commit([.forgetGarbage(removed)])
                guard store.deathReason == nil else { return }
                views.append(try snapshot())
            case 0:
                store.writer.settle()
                views = [try snapshot()]
            case 1:
                let view = try snapshot()
                base = (try Rows(connection: view).viewState().applied.lsn, view)
            case 2, 3: try compact(store)
            default: try write()
            }
        }
    }

    private mutating func write() throws {
        let batch = (0..<(1 + random.below(4))).compactMap { _ in mutation() }
        // A file could not be made durable: the process has ended before the commit.
        guard store?.deathReason == nil else { return }
        if mutant == .acknowledgesEarly { for mutation in batch { model.apply(mutation, nil) } }
        let answers = commit(batch)
        guard store?.deathReason == nil else { return }
        if mutant != .acknowledgesEarly {
            for (mutation, answer) in zip(batch, answers) {
                if case .success(let answer) = answer { model.apply(mutation, answer) }
            }
        }
        views.append(try snapshot())
    }

    /// The answers; `inFlight` where the store died over it.
    private mutating func commit(_ batch: [Mutation]) -> [Result<Answer, MetadataError>] {
        guard let store else { return [] }
        inFlight = batch
        let answers = store.writer.commit(batch)
        if store.deathReason == nil { inFlight = [] }
        return answers
    }

    private mutating func compact(_ store: SimulatedStore) throws {
        let compactor = Compactor(segments: store.segments)
        let needless = mutant == .removesNeededSegments ? .max : min(base?.lsn ?? 0, store.writer.settledPosition.lsn)
        guard let sealed = try? compactor.sealed() else { return }
        let removable = sealed.filter { $0.lastLSN <= needless }
        guard let chosen = removable.isEmpty ? nil : removable[random.below(removable.count)] else { return }
        if var walk = try? Compactor.Walk(chosen, store.segments) {
            let rows = Rows(connection: store.connection)
            while let moved = try? walk.next(
                bytesMax: 2_000, place: { (id) throws(MetadataError) in try rows.blob(id) }),
                !moved.isEmpty
            {
                _ = commit(moved.map(\.mutation))
                guard store.deathReason == nil else { return }
                views.append(try snapshot())
            }
        }
        let live = try Rows(connection: store.connection).liveBytes()
        for segment in removable where live[segment.number] ?? 0 == 0 {
            segmentsWereRemoved = true
            try? store.segments.remove(segment.number)
        }
        try? store.segments.syncDirectory()
    }

    private func snapshot() throws -> Connection {
        guard let store else { throw failure("no store") }
        return try store.snapshot()
    }

    // MARK: The end of a life

    private mutating func crash() throws {
        let isPowerLost = disk.faults.powerFailsAtCall != nil || random.below(2) == 0
        if isPowerLost {
            disk.powerCut()
            // The database is some state that it had since its last checkpoint.
            views = [views[random.below(views.count)]]
        } else {
            disk.killProcess()
            // What the database wrote is in the page cache still.
            if let store { views = [try store.snapshot()] }
        }
        if random.below(8) == 0 {
            // It is lost altogether.
            if let base {
                views = [base.view]
            } else if !segmentsWereRemoved {
                views = [try SimulatedStore.emptyView()]
            }
        }
        store = nil
    }

    private mutating func recover() throws {
        lie()
        try open()
        let found = try observe()
        var after = model
        for mutation in inFlight { after.apply(mutation, nil) }
        guard found.matches(model) || found.matches(after) else {
            throw failure(
                "recovery holds neither what was acknowledged nor that and the whole batch in flight (\(inFlight.count)).\n"
                    + "acknowledged: \(model.versions), uploads \(model.uploads)\n"
                    + "found: \(found.versions), uploads \(found.uploads)")
        }
        let state = try Rows(connection: try snapshot()).bucket(bucket)?.versioning
        guard let state, state == model.state || state == after.state else {
            throw failure("the bucket's state is lost")
        }
        model = found
        model.state = state
        inFlight = []
    }

    private mutating func open() throws {
        do {
            store = try SimulatedStore.open(disk, view: views[views.count - 1], mutant: mutant)
        } catch {
            throw failure("the store does not open: \(error)")
        }
        views = [try snapshot()]
    }
}
