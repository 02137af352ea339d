import Search

/// The assets of a store, and the changes of them in one order, as an index follows them. A place among the changes is a number that ascends
/// with them.
protocol AssetFeed: Sendable {
    /// Whose assets these are: an index of another store's is of no use.
    func storeID() async throws(MetadataError) -> [UInt8]
    /// An index lacks nothing that takes in all assets after this call, and then what changed behind the place.
    func beginning() async throws(MetadataError) -> Int64
    /// Whether all changes behind the place can still be had, and the place does not lie in the future, as when the store came back from a
    /// copy.
    func reaches(backTo place: Int64) async throws(MetadataError) -> Bool
    /// Whether nothing changed behind the place, as far as that is known without asking; it is not before all was read that was there at
    /// the opening.
    func isQuiet(behind place: Int64) -> Bool
    /// The next changes behind the place; nil where some of them cannot be had any more.
    func changes(behind place: Int64) async throws(MetadataError) -> AssetChanges?
    /// Each of these assets as it is now; nil for one that is not there, or deleted.
    func documents(of ids: Set<AssetID>) async throws(MetadataError) -> [SearchWriter.Change]
    /// The next assets in order of their ids, and the last of them; without one at the end.
    func documents(after id: AssetID?) async throws(MetadataError) -> (documents: [SearchWriter.Change], last: AssetID?)
    /// Changes up to the place are asked for no more.
    func forget(through place: Int64) async
    /// The place of the last change of all that was committed before the call; nil where it is not known yet.
    func end() async -> Int64?
    /// How long ago the oldest change behind the place was committed. Blocks for the disk or the network.
    func lag(behind place: Int64) -> Duration
}

/// A piece of the changes of assets.
struct AssetChanges: Sendable {
    var ids: Set<AssetID>
    /// All up to here are among them, or came before.
    var place: Int64
    /// There were no more.
    var isLast: Bool
}
