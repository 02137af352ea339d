/// The settings of a `MongoStore`; every default is visible here.
public struct MongoStoreConfiguration: Sendable {
    /// A `mongodb://` connection string.
    public var uri: String
    /// The database where the connection string names none.
    public var database = "ogw"
    /// Commands under way at once; further ones wait.
    public var clientCountMax = 64
    /// How long an operation goes on where the server is away, fails over, or does not say what became of a write. After that it
    /// is `unavailable`.
    public var patience: Duration = .seconds(10)
    /// How long a write may wait for its majority before its outcome is looked up.
    public var majorityWait: Duration = .seconds(5)
    /// For half of this a bucket is remembered; so long a bucket's removal and a change of its versioning wait. Every store on one
    /// database must have the same.
    public var bucketLease: Duration = .seconds(1)
    /// After this a removal of a bucket or a Complete that did not end is taken to have died.
    public var abandonedAfter: Duration = .seconds(30)
    /// The longest time until what writes left in their heads is moved to where it belongs.
    public var relayInterval: Duration = .milliseconds(500)
    /// How long what was dropped is kept from `garbage`, and then until no gateway reads anything that it began to read before. Nil where
    /// one gateway alone has the blobs, and looks after its own reads.
    public var garbageAfter: Duration?
    /// How often this gateway says that it lives, and since when it reads what it reads (`startReporting`).
    public var reportInterval: Duration = .seconds(5)
    /// How often aborts are looked for that did not end.
    public var janitorInterval: Duration = .seconds(10)
    /// Also opens a database whose metadata is on its way from or to another store.
    public var isForMigration = false
    public var bucketCountMax = 10_000
    public var userCountMax = 10_000

    public init(uri: String) { self.uri = uri }
}
