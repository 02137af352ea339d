import Bytes
import Files
import RedoLog
import SQLite
import Threads

/// The one connection that writes. Commits batches of mutations, one batch at a time.
///
/// The log is the truth, and the database its view: a batch is committed as soon as its group is durable in the log.
// @unchecked: the committer drains on one thread at a time, and nobody else has it.
final class BatchWriter: @unchecked Sendable {
    private let connection: Connection
    private let log: LogWriter
    private let configuration: SQLiteStoreConfiguration
    private let catalog: Lock<Catalog>
    private let cache: VersionCache
    private let ballast: Ballast
    private let barrier: @Sendable ([BlobID]) throws -> Void
    /// As of the last commit.
    private var state: ViewState
    /// The part of the log that a crash now would not make the database apply again.
    private let settled: Lock<LogPosition>
    private let openWriteAheadLog: @Sendable () throws -> any DiskFile
    private var wal: (any DiskFile)?
    /// Pages of the write-ahead log whose writing was begun.
    private var writtenBackPageCount = 0
    /// When results of Complete were last looked over for old ones.
    private var forgot: Int64 = 0
    /// Set when a sync failed; nothing is tried after that.
    private(set) var failure: MetadataError?

    static let forgetEveryMilliseconds: Int64 = 600_000

    /// `openWriteAheadLog` opens the file of the database's write-ahead log beside the library, for hints only.
    init(
        connection: Connection, log: LogWriter, state: ViewState, configuration: SQLiteStoreConfiguration,
        catalog: Lock<Catalog>, cache: VersionCache, ballast: Ballast,
        openWriteAheadLog: @escaping @Sendable () throws -> any DiskFile,
        barrier: @escaping @Sendable ([BlobID]) throws -> Void
    ) {
        (self.connection, self.log, self.state, self.configuration) = (connection, log, state, configuration)
        (self.catalog, self.cache, self.ballast, self.barrier) = (catalog, cache, ballast, barrier)
        self.openWriteAheadLog = openWriteAheadLog
        settled = Lock(.origin)
    }

    /// A decision whose record is in the group that is being committed.
    private struct Logged {
        var decision: Decision
        var place: PayloadPlace?
    }

    /// One answer for each mutation, in order, all durable. Either the batch is committed, and each mutation has its own
    /// outcome; or nothing of it is, and all have the same failure. On a full disk what makes room is tried by itself, and
    /// where a page of the database is damaged each mutation is: only those that need the page fail.
    func commit(_ mutations: [Mutation]) -> [Result<Answer, MetadataError>] {
        if ballast.isHeld {
            switch outcome(of: mutations) {
            case .answered(let answers): return answers
            case .damaged(let reason):
                return mutations.count == 1 ? [.failure(.damaged(reason))] : mutations.flatMap { commit([$0]) }
            case .diskFull: break
            }
        }
        return commitWhatMakesRoom(mutations)
    }

    private enum Outcome {
        case answered([Result<Answer, MetadataError>])
        /// Nothing of the batch was done.
        case diskFull
        /// Nor here: it needs a page that is not what was written.
        case damaged(String)
    }

    private func outcome(of mutations: [Mutation]) -> Outcome {
        if let failure { return .answered(mutations.map { _ in .failure(failure) }) }
        do {
            return .answered(try attempt(mutations))
        } catch {
            let reason = error.reason
            do {
                try connection.rollback()
            } catch {
                stop("ROLLBACK after \(reason): \(error)")
            }
            if error.isFatal { stop(reason) }
            if error.isDiskFull, failure == nil { return .diskFull }
            if error.isDamage, failure == nil { return .damaged(reason) }
            return .answered(mutations.map { _ in .failure(failure ?? .unavailable(reason)) })
        }
    }

    private func commitWhatMakesRoom(_ mutations: [Mutation]) -> [Result<Answer, MetadataError>] {
        let chosen = mutations.filter(\.makesRoom)
        guard !chosen.isEmpty, let answers = answersWithBallast(to: chosen) else {
            return mutations.map { _ in .failure(failure ?? .diskFull) }
        }
        var next = answers.makeIterator()
        return mutations.map { mutation in
            mutation.makesRoom ? next.next() ?? .failure(.diskFull) : .failure(.diskFull)
        }
    }

    /// Nil where the disk is full even without the ballast.
    private func answersWithBallast(to mutations: [Mutation]) -> [Result<Answer, MetadataError>]? {
        for isLast in [false, true] {
            switch outcome(of: mutations) {
            case .answered(let answers): return answers
            case .damaged(let reason):
                if mutations.count == 1 { return [.failure(.damaged(reason))] }
                return mutations.flatMap { answersWithBallast(to: [$0]) ?? [.failure(.diskFull)] }
            case .diskFull: if !isLast { ballast.giveUp() }
            }
        }
        return nil
    }

    private func attempt(_ mutations: [Mutation]) throws(BatchFailure) -> [Result<Answer, MetadataError>] {
        var group: LogGroup
        do { group = try log.newGroup() } catch { throw BatchFailure("the next group", error) }
        do { try connection.begin() } catch { throw BatchFailure("BEGIN", error) }
        var decider = Decider(
            rows: Rows(connection: connection), limits: configuration, now: configuration.clock(),
            sequence: state.sequence)
        var rows = RowWriter(connection)
        var answers: [Result<Answer, MetadataError>] = []
        var logged: [Logged] = []
        answers.reserveCapacity(mutations.count)
        try forgetIfDue(&decider, &rows, &group, &logged)
        for mutation in mutations {
            let (decision, answer): (Decision, Answer)
            do { (decision, answer) = try decider.decide(mutation) } catch {
                // Where a page cannot be read the library ends the transaction, and with it what the others wrote.
                if !connection.isInTransaction { throw BatchFailure("deciding", error) }
                answers.append(.failure(error))
                continue
            }
            let isAlone = mutations.count == 1
            if let refusal = try take(decision, at: decider.now, isAlone: isAlone, &rows, &group, &logged) {
                answers.append(.failure(refusal))
            } else {
                answers.append(.success(answer))
            }
        }
        if logged.isEmpty {
            do { try connection.rollback() } catch { throw BatchFailure("ROLLBACK", error) }
            return answers
        }
        try commit(group, logged, &rows)
        return answers
    }

    /// Applies a decision to the database and adds its record to the group, or neither: then its refusal is returned. Throws
    /// where the database itself gave up, or refused the only one.
    private func take(
        _ decision: Decision, at moment: Timestamp, isAlone: Bool, _ rows: inout RowWriter, _ group: inout LogGroup,
        _ logged: inout [Logged]
    ) throws(BatchFailure) -> MetadataError? {
        if decision.changes.isEmpty { return nil }
        let body = Records.encode(decision, at: moment)
        let place = decision.payload.map {
            group.placeOfPayload($0, bodyLength: body.count, crc32c: decision.payloadCRC)
        }
        // Within a savepoint, so that a request that cannot be written takes none of its neighbours along.
        let mark = rows.mark
        do throws(SQLiteError) {
            if !isAlone { try connection.savepoint() }
            try rows.apply(decision, payloadAt: place)
            if !isAlone { try connection.release() }
        } catch {
            if isAlone || error.isInputOutput || error.isDiskFull || error.isDamage || !connection.isInTransaction {
                throw BatchFailure("writing rows", error)
            }
            rows.forget(since: mark)
            do { try connection.rollbackToSavepoint() } catch { throw BatchFailure("ROLLBACK TO", error) }
            return MetadataError(error)
        }
        do { try group.append(body: body, payload: decision.payload, at: place) } catch {
            throw BatchFailure("the group", error)
        }
        logged.append(Logged(decision: decision, place: place))
        return nil
    }

    /// Makes the group durable in the log, then the database follow.
    private func commit(
        _ group: consuming LogGroup, _ logged: [Logged], _ rows: inout RowWriter
    ) throws(BatchFailure) {
        var next = state
        do { try rows.flush(&next.uncounted, writing: log.segment) } catch {
            throw BatchFailure("writing rows", error)
        }
        let files = logged.flatMap(\.decision.adoptedFiles)
        if !files.isEmpty {
            // Whoever gives the barrier ends the process itself where a sync failed; any other error is the batch's.
            do { try barrier(files) } catch {
                throw BatchFailure(reason: "barrier: \(error)")
            }
        }
        let changes = logged.flatMap(\.decision.changes)
        cache.begin(changes)
        defer { cache.end(changes) }
        do { try log.commit(group) } catch { throw BatchFailure("the log", error) }
        // From here on the batch is committed, whatever happens.
        for entry in logged { next.note(entry.decision) }
        next.applied = log.position
        do throws(SQLiteError) {
            try connection.put(next)
            try connection.commit()
        } catch {
            applyAgain(logged, &next, after: error)
        }
        state = next
        catalog.withLock { catalog in
            for change in changes { catalog.apply(change) }
        }
    }

    /// The group is durable, and the database did not take it: it gets a second chance with the ballast given up. After that
    /// the process ends, and the next start applies the group.
    private func applyAgain(_ logged: [Logged], _ next: inout ViewState, after reason: SQLiteError) {
        ballast.giveUp()
        do throws(SQLiteError) {
            try connection.rollback()
            try connection.begin()
            var rows = RowWriter(connection)
            for entry in logged { try rows.apply(entry.decision, payloadAt: entry.place) }
            next.uncounted = state.uncounted
            try rows.flush(&next.uncounted, writing: next.applied.segment)
            try connection.put(next)
            try connection.commit()
        } catch {
            stop("COMMIT: \(reason), and again: \(error)")
        }
    }

    /// What cannot be forgotten now is forgotten later.
    private func forgetIfDue(
        _ decider: inout Decider, _ rows: inout RowWriter, _ group: inout LogGroup, _ logged: inout [Logged]
    ) throws(BatchFailure) {
        let now = decider.now.milliseconds
        if now - forgot < Self.forgetEveryMilliseconds, now >= forgot { return }
        forgot = now
        let limit = Timestamp(milliseconds: now - Decider.completedKeptMilliseconds)
        if let (decision, _) = try? decider.decide(.forgetCompleted(before: limit)) {
            _ = try take(decision, at: decider.now, isAlone: false, &rows, &group, &logged)
        } else if !connection.isInTransaction {
            do { try connection.begin() } catch { throw BatchFailure("BEGIN", error) }
        }
    }

    // MARK: Between batches

    /// Lets the kernel write the write-ahead log while there is time, so that the sync of the next checkpoint finds little left
    /// to do. A hint.
    private func beginWriteback() {
        let grown = connection.walPageCount - writtenBackPageCount
        if grown >= 0, grown < Self.writebackPageCount { return }
        writtenBackPageCount = connection.walPageCount
        if wal == nil { wal = try? openWriteAheadLog() }
        // What cannot be written is found by the checkpoint, whose sync fails.
        try? wal?.beginWriteback(at: 0, count: 0)
    }

    /// 4 MiB.
    private static let writebackPageCount = 1_024

    /// Copies the write-ahead log into the database when it has grown.
    func checkpointIfGrown() {
        ballast.restore()
        beginWriteback()
        // Where room is short, the room of the write-ahead log is used again and again.
        let isShort = !ballast.isHeld
        if failure != nil || (connection.walPageCount < configuration.checkpointPageCount && !isShort) { return }
        let isOversized = isShort || Int64(connection.walPageCount) * 4096 > configuration.walSizeMax
        checkpoint(isOversized ? .truncating : .passive)
    }

    /// Copies what readers allow.
    func settle() { checkpoint(.passive) }

    /// Empties the write-ahead log, unless readers are in the way.
    func finish() { checkpoint(.truncating) }

    /// Readers in the way only put it off.
    private func checkpoint(_ kind: Connection.Checkpoint) {
        if failure != nil { return }
        do {
            // A checkpoint syncs the write-ahead log before it copies anything.
            if try connection.checkpoint(kind) { settled.withLock { [applied = state.applied] in $0 = applied } }
        } catch {
            // A damaged page of the write-ahead log would never get into the database: the next start takes it from the log.
            if error.isInputOutput || error.isDamage { stop("checkpoint: \(error)") }
        }
    }

    /// Everything up to here is durable in the database too. Callable on any thread.
    var settledPosition: LogPosition { settled.withLock { $0 } }

    private func stop(_ reason: String) {
        failure = .unavailable("the store stopped: \(reason)")
        configuration.onFatal(reason)
    }
}

/// Why a whole batch is rolled back.
private struct BatchFailure: Error {
    var reason: String
    /// The process must not go on: what is durable is unknown.
    var isFatal: Bool
    var isDiskFull: Bool
    /// A page of the database is not what was written.
    var isDamage: Bool

    init(reason: String, isFatal: Bool = false, isDiskFull: Bool = false, isDamage: Bool = false) {
        (self.reason, self.isFatal, self.isDiskFull, self.isDamage) = (reason, isFatal, isDiskFull, isDamage)
    }

    init(_ step: String, _ error: SQLiteError) {
        self.init(
            reason: "\(step): \(error)", isFatal: error.isInputOutput, isDiskFull: error.isDiskFull,
            isDamage: error.isDamage)
    }

    /// Of a decision that took the transaction with it.
    init(_ step: String, _ error: MetadataError) {
        switch error {
        case .damaged(let reason): self.init(reason: "\(step): \(reason)", isDamage: true)
        default: self.init(reason: "\(step): \(error)", isDiskFull: error == .diskFull)
        }
    }

    init(_ step: String, _ error: LogError) {
        switch error {
        case .diskFull: self.init(reason: "\(step): \(error)", isDiskFull: true)
        case .fatal: self.init(reason: "\(step): \(error)", isFatal: true)
        case .damaged, .foreign, .system: self.init(reason: "\(step): \(error)")
        }
    }
}
