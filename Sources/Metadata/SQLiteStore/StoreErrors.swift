import RedoLog
import SQLite

extension MetadataError {
    /// What the library refuses for now is `unavailable`; what it should never refuse is `broken`.
    init(_ error: SQLiteError) {
        if error.isDiskFull {
            self = .diskFull
        } else if error.isDamage {
            self = .damaged(error.description)
        } else {
            self = error.isTransient ? .unavailable(error.description) : .broken(error.description)
        }
    }
}

extension MetadataError {
    init(_ error: LogError) {
        switch error {
        case .diskFull: self = .diskFull
        case .damaged, .foreign: self = .broken(error.description)
        case .fatal, .system: self = .unavailable(error.description)
        }
    }
}

extension Statement {
    /// `step`, in the store's own error.
    func next() throws(MetadataError) -> Bool {
        do { return try step() } catch { throw MetadataError(error) }
    }
}
