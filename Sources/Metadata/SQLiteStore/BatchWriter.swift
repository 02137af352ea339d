import Bytes
import SQLite
import Threads

/// The one connection that writes. Commits batches of mutations, one batch at a time.
// @unchecked: the committer drains on one thread at a time, and nobody else has it.
final class BatchWriter: @unchecked Sendable {
    private let connection: Connection
    private let configuration: SQLiteStoreConfiguration
    private let catalog: Lock<Catalog>
    private let barrier: @Sendable ([BlobID]) throws -> Void
    /// The last number drawn by a committed decision.
    private var sequence: Int64
    /// When results of Complete were last looked over for old ones.
    private var forgot: Int64 = 0
    /// Set when a sync failed; nothing is tried after that.
    private(set) var failure: MetadataError?

    static let forgetEveryMilliseconds: Int64 = 600_000

    init(
        connection: Connection, sequence: Int64, configuration: SQLiteStoreConfiguration, catalog: Lock<Catalog>,
        barrier: @escaping @Sendable ([BlobID]) throws -> Void
    ) {
        self.connection = connection
        self.sequence = sequence
        self.configuration = configuration
        self.catalog = catalog
        self.barrier = barrier
    }

    /// One answer for each mutation, in order, all durable. Either the batch is committed, and each mutation has its own
    /// outcome; or nothing of it is, and all have the same failure.
    func commit(_ mutations: [Mutation]) -> [Result<Answer, MetadataError>] {
        if let failure { return mutations.map { _ in .failure(failure) } }
        do {
            return try attempt(mutations)
        } catch {
            let reason = error.reason
            do {
                try connection.rollback()
            } catch {
                stop("ROLLBACK after \(reason): \(error)")
            }
            if error.isFatal { stop(reason) }
            return mutations.map { _ in .failure(failure ?? .unavailable(reason)) }
        }
    }

    private func attempt(_ mutations: [Mutation]) throws(BatchFailure) -> [Result<Answer, MetadataError>] {
        let now = configuration.clock()
        do { try connection.begin() } catch { throw BatchFailure("BEGIN", error) }
        var decider = Decider(
            rows: Rows(connection: connection), limits: configuration, now: now, sequence: sequence)
        var answers: [Result<Answer, MetadataError>] = []
        var changes: [RowChange] = []
        var adopted: [BlobID] = []
        answers.reserveCapacity(mutations.count)
        for mutation in mutations {
            do {
                let (decision, answer) = try decider.decide(mutation)
                if let refusal = try apply(decision) {
                    answers.append(.failure(refusal))
                    continue
                }
                answers.append(.success(answer))
                changes += decision.changes
                adopted += decision.adopted
            } catch let failure as BatchFailure {
                throw failure
            } catch let refusal as MetadataError {
                answers.append(.failure(refusal))
            } catch {
                answers.append(.failure(.broken("\(error)")))
            }
        }
        try forgetCompleted(&decider)
        if decider.sequence != sequence {
            do { try connection.put(sequence: decider.sequence) } catch { throw BatchFailure("counter", error) }
        }
        if !adopted.isEmpty {
            // Whoever gives the barrier ends the process itself where a sync failed; any other error is the batch's.
            do { try barrier(adopted) } catch { throw BatchFailure(reason: "barrier: \(error)", isFatal: false) }
        }
        do { try connection.commit() } catch { throw BatchFailure("COMMIT", error) }
        sequence = decider.sequence
        catalog.withLock { catalog in
            for change in changes { catalog.apply(change) }
        }
        return answers
    }

    /// Within a savepoint, so that a request that cannot be written takes none of its neighbours along: its refusal.
    /// Throws where the database itself gave up.
    private func apply(_ decision: Decision) throws(BatchFailure) -> MetadataError? {
        if decision.changes.isEmpty { return nil }
        do {
            try connection.savepoint()
            try connection.apply(decision)
            try connection.release()
            return nil
        } catch {
            if error.isInputOutput || error.isDiskFull || !connection.isInTransaction {
                throw BatchFailure("writing rows", error)
            }
            do { try connection.rollbackToSavepoint() } catch { throw BatchFailure("ROLLBACK TO", error) }
            return MetadataError(error)
        }
    }

    private func forgetCompleted(_ decider: inout Decider) throws(BatchFailure) {
        let now = decider.now.milliseconds
        if now - forgot < Self.forgetEveryMilliseconds, now >= forgot { return }
        forgot = now
        let limit = now - Decider.completedKeptMilliseconds
        // What could not be forgotten now is forgotten later.
        guard let (decision, _) = try? decider.decide(.forgetCompleted(before: Timestamp(milliseconds: limit))) else {
            return
        }
        _ = try apply(decision)
    }

    /// Copies the write-ahead log into the database when it has grown; between batches.
    func checkpointIfGrown() {
        if failure != nil || connection.walPageCount < configuration.checkpointPageCount { return }
        let isOversized = Int64(connection.walPageCount) * 4096 > configuration.walSizeMax
        checkpoint(isOversized ? .truncating : .passive)
    }

    /// Empties the write-ahead log, unless readers are in the way.
    func finish() { checkpoint(.truncating) }

    /// Readers in the way only put it off.
    private func checkpoint(_ kind: Connection.Checkpoint) {
        if failure != nil { return }
        do { _ = try connection.checkpoint(kind) } catch {
            if error.isInputOutput { stop("checkpoint: \(error)") }
        }
    }

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

    init(reason: String, isFatal: Bool) {
        self.reason = reason
        self.isFatal = isFatal
    }

    init(_ step: String, _ error: SQLiteError) {
        self.init(reason: "\(step): \(error)", isFatal: error.isInputOutput)
    }
}
