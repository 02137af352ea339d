/// The settings of `RemoteBlobs`.
public struct RemoteBlobsConfiguration: Sendable {
    public var address: EngineAddress
    public var accessKey: [UInt8]
    public var secretKey: [UInt8]
    /// Bytes of one part of a multipart upload to the engine; larger blobs go up in parts. S3 wants at least 5 MiB and takes at
    /// most 10,000 parts.
    public var partBytes = 16 << 20
    /// Parts of one blob that are under way at a time, beside the one that is being filled.
    public var partsAtOnce = 2
    /// Bytes that all uploads together hold in memory, at least two parts. An upload that finds no room waits.
    public var uploadBytesMax = 256 << 20
    /// How long an upload waits for that room before it is refused (`BucketsError.overloaded`).
    public var uploadPatience = Duration.seconds(30)
    /// Blobs up to this many bytes are read as a whole, in one request, before anything of them is passed on.
    public var wholeBytesMax = 1 << 20
    /// Check values of larger blobs that are remembered, in bytes: 64 KiB for each GiB.
    public var tableBytesMax = 16 << 20
    /// What was staged is not published after so long, and a read is cut. Garbage and orphans wait at least twice as long,
    /// so that another gateway's reads and uploads lose nothing.
    public var stageLifetime = Duration.seconds(24 * 3600)
    /// How long this process keeps blobs that nothing names any more. `zero` where the metadata store itself holds them back.
    public var garbageLifetime = Duration.seconds(48 * 3600)
    /// An object that no row names is an orphan after so long, by the engine's clock.
    public var orphanAge = Duration.seconds(48 * 3600)
    /// How long nothing may move on a connection to the engine.
    public var idleTimeout = Duration.seconds(30)
    public var connectTimeout = Duration.seconds(5)
    /// How often one request is tried in all, where the engine is away or asks for patience. 0.1, 0.2, 0.4 ... s lie between,
    /// with jitter.
    public var attemptsMax = 6

    public init(address: EngineAddress, accessKey: [UInt8], secretKey: [UInt8]) {
        (self.address, self.accessKey, self.secretKey) = (address, accessKey, secretKey)
    }
}
