import Bytes
import Digests
public import HTTPClient
import Metadata
import Synchronization
public import Threads

/// The immutable blobs of a store on an engine that speaks S3, each an object of its own: `prefix/<id, 16 hex digits>`, with
/// the bytes that a blob's file would have (FORMATS.md, "obj/"). An object is at its final key before a row names it.
///
/// Calls suspend and do not block.
public final class RemoteBlobs: Sendable {
    /// Who gives ids, and what of the gateway is kept beside the engine.
    public enum IDs: Sendable {
        /// The data folder of the one gateway: its directories keep ids from coming back.
        case folder(LocalBlobs)
        /// Several gateways share the store.
        case ranges(BlobIDRanges)
    }

    let configuration: BlobsConfiguration
    let remote: RemoteBlobsConfiguration
    let memory: MemoryBudget
    let pins: PinTable
    public let damage = DamageReports()
    let client: EngineClient
    let uploadMemory: UploadMemory
    let tables: TableCache
    let pool: Pool
    /// Of the store, 16 bytes.
    let storeID: [UInt8]
    let ids: IDs
    private let session: HTTPSession

    /// `storeID` is the same for all gateways of a store, 16 bytes. Nothing is asked of the engine before `claim`.
    public init(
        _ remote: RemoteBlobsConfiguration, ids: IDs, storeID: [UInt8],
        configuration: BlobsConfiguration = BlobsConfiguration(), session: HTTPSession, pool: Pool
    ) {
        (self.remote, self.ids, self.storeID) = (remote, ids, storeID)
        (self.configuration, self.pool, self.session) = (configuration, pool, session)
        client = EngineClient(remote, session: session, pool: pool)
        uploadMemory = UploadMemory(
            bytesMax: remote.uploadBytesMax, partBytes: remote.partBytes, patience: remote.uploadPatience, pool: pool)
        tables = TableCache(bytesMax: remote.tableBytesMax)
        switch ids {
        case .folder(let local): (memory, pins) = (local.memory, local.pins)
        case .ranges:
            memory = MemoryBudget(bytesMax: configuration.collectedBytesTotalMax)
            pins = PinTable(blobsMax: configuration.pinnedBlobsMax)
        }
    }

    // MARK: Whose the place is

    /// Why the engine cannot be used, for whoever starts the gateway.
    public enum ClaimError: Error, Sendable, Equatable {
        /// Access key, secret key or the rights of their user.
        case credentials(String)
        case noSuchBucket
        /// The prefix holds the blobs of the store with this id, in hexadecimal digits.
        case otherStore(String)
        /// The prefix holds the blobs of no store.
        case noStore
        /// The engine is away or in trouble: it may be there later.
        case unavailable(String)
        case unusable(String)
    }

    private static let marker = "store.id"

    /// Makes sure that the engine answers, that it takes the credentials, and that the place is this store's: the first store
    /// that comes leaves its id there. Without `mayTake` it must be there already.
    public func claim(mayTake: Bool = true) async throws(ClaimError) {
        let key = client.address.key(Self.marker)
        let own = Hex.string(storeID)
        do throws(EngineError) {
            // A listing tells a missing bucket from refused credentials, which a missing key would not.
            _ = try await client.list(prefix: key, from: nil, limit: 1)
            var found = try await text(of: key)
            if found == nil, mayTake {
                try await client.put(key, [UInt8]((own + "\n").utf8))
                found = try await text(of: key)
            }
            guard found == own else { throw .malformed(found ?? "") }
        } catch {
            throw Self.claimError(error)
        }
    }

    /// Whether the engine answers now, for health checks.
    public func answers() async -> Bool {
        do throws(EngineError) {
            _ = try await client.length(of: client.address.key(Self.marker), isTriedOnce: true)
            return true
        } catch {
            return false
        }
    }

    /// When the oldest read of what lies there began, in `Monotonic.nanoseconds`; nil where none is under way.
    public var oldestRead: UInt64? { pins.oldest }

    /// Requests to the engine since the opening, repetitions included, and how many of them were repetitions; for metrics.
    public var requestCount: UInt64 { client.requests.load(ordering: .relaxed) }
    public var repetitionCount: UInt64 { client.repetitions.load(ordering: .relaxed) }

    /// Ends what is under way. Nothing can be read or written any more.
    public func close() { session.close() }

    private func text(of key: String) async throws(EngineError) -> String? {
        do throws(EngineError) {
            let response = try await client.get(key)
            let bytes = try await EngineClient.rest(of: response, bytesMax: 1024)
            return String(ascii: Ascii.trimmed(bytes.prefix { $0 != Ascii.lineFeed }))
        } catch {
            if error.isNoSuchKey { return nil }
            throw error
        }
    }

    private static func claimError(_ error: EngineError) -> ClaimError {
        switch error {
        case .refused(404, "NoSuchBucket"): .noSuchBucket
        case .refused(401, _), .refused(403, _): .credentials(error.description)
        case .malformed(""): .noStore
        case .malformed(let id) where id.utf8.count == 32 && id.utf8.allSatisfy { Hex.value(of: $0) != nil }:
            .otherStore(id)
        case _ where error.isTransient: .unavailable(error.description)
        default: .unusable(error.description)
        }
    }

    // MARK: Keys

    func key(of blob: BlobID) -> String { client.address.key(String(ascii: Hex.encode(blob.value, width: 16))) }

    /// The blob whose object has this key; nil for keys of another form.
    func blob(ofKey key: String) -> BlobID? {
        let prefix = client.address.key("")
        guard key.hasPrefix(prefix) else { return nil }
        let name = key.utf8.dropFirst(prefix.utf8.count)
        guard name.count == 16, name.allSatisfy({ Ascii.isDigit($0) || (0x61...0x66).contains($0) }) else { return nil }
        return UInt64(String(ascii: name), radix: 16).map { BlobID($0) }
    }

    /// The folder of the gateway, where it has one.
    var folder: LocalBlobs? { if case .folder(let local) = ids { local } else { nil } }

    // MARK: Removing

    /// Removes what was staged and is not to be published. What cannot be removed is found as an orphan.
    func removeLater(_ blob: BlobID) {
        tables.remove(blob)
        pool.run { [self] in try? await client.delete(key(of: blob)) }
    }

    /// Ends uploads to the engine that a process left when it died, longer ago than any that is published. Returns how many.
    @discardableResult
    public func abortStaleUploads() async -> Int {
        let before = Timestamp(
            milliseconds: Timestamp.now().milliseconds - Int64(clamping: remote.orphanAge.millisecondsClamped))
        guard let stale = try? await client.uploads(prefix: client.address.key(""), before: before) else { return 0 }
        var count = 0
        for (key, upload) in stale where blob(ofKey: key) != nil {
            if (try? await client.abort(key, upload: upload)) != nil { count += 1 }
        }
        return count
    }
}
