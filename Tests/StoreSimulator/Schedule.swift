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
    private let seed: UInt64
    private let mutant: Mutant?
    private var random: SplitMix64
    private let disk: SimulatedFileSystem
    private var store: SimulatedStore?
    private var bucket = BucketID(0)
    /// What was acknowledged.
    private var model = KeyModel()
    /// The batch that was not answered when the life ended.
    private var inFlight: [Mutation] = []
    /// What a power cut may leave of the database, oldest first: each state since the last checkpoint.
    private var views: [Connection]
    private var base: (lsn: UInt64, view: Connection)?
    private var nextNumber: UInt64 = 1
    private var segmentsWereRemoved = false

    private static let keys = (0..<5).compactMap { ObjectKey([0x61 + UInt8($0)]) }

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

    private func failure(_ what: String) -> ScheduleFailure {
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

    private mutating func mutation() -> Mutation? {
        let key = Self.keys[random.below(Self.keys.count)]
        switch random.below(12) {
        case 0: return .setVersioning(random.below(2) == 0 ? .enabled : .suspended, bucket)
        case 1, 2: return .delete(DeleteRequest(bucket: bucket, key: key, version: nil, owner: "o"))
        case 3, 4:
            let known = model.versions[key, default: []].compactMap(\.id)
            let id = known.isEmpty ? VersionID.null : known[random.below(known.count)]
            return .delete(DeleteRequest(bucket: bucket, key: key, version: id, owner: "o"))
        case 5: return .setTags([Tag(key: [UInt8(random.below(256))], value: [])], key, bucket, nil, nil)
        default: return newVersion(of: key).map { .publish($0) }
        }
    }

    /// In a file of its own now and then. Nil where the disk takes none.
    private mutating func newBlob(_ bytes: [UInt8]) -> NewBlob? {
        guard let store else { return nil }
        if random.below(4) == 0 { return try? store.makeFile(bytes) }
        var crc = CRC32C()
        crc.update(bytes.span)
        guard let id = try? store.blobs.newID(needsDirectory: false) else { return nil }
        return NewBlob(id: id, size: UInt64(bytes.count), crc32c: crc.value, bytes: bytes)
    }

    private mutating func newVersion(of key: ObjectKey) -> NewVersion? {
        let number = nextNumber
        nextNumber += 1
        guard let blob = newBlob(Content.bytes(number)) else { return nil }
        var conditions = WriteConditions()
        if random.below(5) == 0 { conditions.ifNoneMatch = .any }
        return NewVersion(
            bucket: bucket, key: key, owner: "o", size: blob.size, etag: Content.etag(number),
            attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(blob.id), blob: blob,
            conditions: conditions)
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
                    + "acknowledged: \(model.versions)\nfound: \(found.versions)")
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

    // MARK: Looking

    /// All versions, with their bytes checked, and the counts of live bytes.
    private func observe() throws -> KeyModel {
        guard let store else { throw failure("no store") }
        let rows = Rows(connection: store.connection)
        var found = KeyModel()
        var live: [UInt64: UInt64] = [:]
        let page = try rows.listVersions(
            ListVersionsQuery(
                bucket: bucket, prefix: [], delimiter: nil, keyMarker: nil, versionMarker: nil, limit: 1000))
        for listed in page.versions {
            guard let version = try rows.version(of: listed.key, in: bucket, listed.versionID) else {
                throw failure("a version is listed and cannot be found")
            }
            let number = version.isDeleteMarker ? 0 : Content.number(of: version.etag)
            if !version.isDeleteMarker { try read(version, number, store, &live) }
            found.versions[version.key, default: []].append(
                KeyModel.Version(
                    id: version.versionID, isNull: version.versionID == .null, content: number, tags: version.tags))
        }
        let counted = try rows.liveBytes().filter { $0.value > 0 }
        guard counted == live else { throw failure("live bytes are counted as \(counted) and are \(live)") }
        return found
    }

    private func read(
        _ version: ObjectVersion, _ number: UInt64, _ store: SimulatedStore, _ live: inout [UInt64: UInt64]
    ) throws {
        guard let blob = version.blob else { throw failure("a version without its bytes") }
        guard case .segment(let segment, let offset) = blob.location, let crc32c = blob.crc32c else {
            let bytes = try store.blobs.open(blob.id).read(at: 0, count: Int(blob.size) + 1)
            guard bytes == Content.bytes(number) else { throw failure("a file has other bytes") }
            return
        }
        let place = PayloadPlace(segment: segment, offset: offset, length: UInt32(blob.size), crc32c: crc32c)
        guard try store.segments.payload(at: place) == Content.bytes(number) else { throw failure("wrong bytes") }
        live[segment, default: 0] += blob.size
    }
}
