import Bytes
import RedoLog
import SQLite

/// Brings the database up to the end of the log.
struct Replay {
    /// Changes that one transaction takes.
    private static let changesPerCommit = 4_096

    let connection: Connection
    let files: SegmentFiles
    /// Tests leave some out, to prove that they would notice.
    var checks = LogReader.Checks.all

    /// Applies what the log holds after `state`, and returns the state at its end. Throws `broken` where the log is damaged, or
    /// does not go on where the database ends. What was applied until then stays.
    func run(from state: ViewState) throws(MetadataError) -> ViewState {
        var reader: LogReader
        do { reader = try LogReader(files: files, from: state.applied, checks: checks) } catch {
            throw MetadataError(error)
        }
        var state = state
        var rows = RowWriter(connection)
        var pending = 0
        while true {
            let changes: [LoggedChange]?
            do { changes = try reader.next() } catch { throw MetadataError(error) }
            guard let changes else { break }
            do throws(SQLiteError) {
                if pending == 0 { try connection.begin() }
                for change in changes { try apply(change, &rows, &state) }
                pending += max(1, changes.count)
                state.applied = reader.position
                if pending >= Self.changesPerCommit {
                    try commit(&rows, &state)
                    pending = 0
                }
            } catch {
                throw MetadataError(error)
            }
        }
        if pending > 0 {
            do { try commit(&rows, &state) } catch { throw MetadataError(error) }
        }
        state.applied = reader.position
        return state
    }

    private func apply(
        _ change: LoggedChange, _ rows: inout RowWriter, _ state: inout ViewState
    ) throws(SQLiteError) {
        let decision: Decision
        do { decision = try Records.decision(change.body).0 } catch {
            throw SQLiteError(code: 1, message: "change \(change.lsn) of the log cannot be read: \(error)")
        }
        try rows.apply(decision, payloadAt: change.payload)
        state.note(decision)
    }

    private func commit(_ rows: inout RowWriter, _ state: inout ViewState) throws(SQLiteError) {
        try rows.flush(&state.uncounted, writing: state.applied.segment)
        try connection.put(state)
        try connection.commit()
    }
}
