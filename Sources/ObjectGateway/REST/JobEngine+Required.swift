import Hooks

extension Optional where Wrapped == JobEngine {
    /// Throws 501 where the store can have no hooks.
    func required() throws(Problem) -> JobEngine {
        guard let engine = self else {
            throw Problem(
                501, "Not implemented", "Hooks need the embedded store; this gateway keeps its metadata in MongoDB.")
        }
        return engine
    }
}
