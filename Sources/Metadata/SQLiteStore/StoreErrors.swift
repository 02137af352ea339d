import SQLite

extension MetadataError {
    /// What the library refuses for now is `unavailable`; what it should never refuse is `broken`.
    init(_ error: SQLiteError) {
        self = error.isTransient || error.isDiskFull ? .unavailable(error.description) : .broken(error.description)
    }
}

extension Statement {
    /// `step`, in the store's own error.
    func next() throws(MetadataError) -> Bool {
        do { return try step() } catch { throw MetadataError(error) }
    }
}
