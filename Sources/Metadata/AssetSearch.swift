public import Search

/// How an index of assets stands.
public struct SearchStatus: Sendable, Equatable {
    /// How long ago the oldest change was committed that is not in the index yet; zero where all are.
    public var lag: Duration
    /// Assets are being taken in from the beginning; answers lack those that are to come.
    public var isBuilding: Bool
    /// Times that the index was made anew since this opening, the first included.
    public var buildCount: UInt64
    /// Why it does not go on, for the log; nil where it does.
    public var failure: String?
}

/// An index of assets. It follows the committed changes of the store, behind the writes, and is never the truth.
public protocol AssetSearch: Sendable {
    /// Follows from now on.
    func start()
    /// Returns when nothing is written any more.
    func stop() async
    /// `observer` is told when the index begins to be made anew, when it is, and of failures; on a thread of the pool.
    func observe(_ observer: @escaping @Sendable (SearchStatus) -> Void)
    /// Answers lack assets that are to come.
    var isBuilding: Bool { get }
    /// Returns when everything that was committed before the call is in the index, or the index was stopped.
    func settle() async
    /// Blocks for the disk or the network.
    func status() -> SearchStatus
    /// Throws `unavailable` where the index cannot be read now.
    func search(_ request: SearchRequest) async throws(MetadataError) -> SearchAnswer
}
