import Bytes
import Digests
import Metadata
import Threads

extension RemoteBlobs: BlobStore {
    var garbageLifetime: Duration { remote.garbageLifetime }
    var directorySyncCount: UInt64 { folder?.directorySyncCount ?? 0 }

    /// The engine says itself when it is full. The folder has the log, which needs room too.
    func hasRoom() throws(BucketsError) -> Bool { try folder?.hasRoom() ?? true }

    func newID(needsDirectory: Bool) async throws(BucketsError) -> BlobID {
        switch ids {
        case .folder(let local):
            // No file, but a directory all the same: it is what keeps the id of a blob that was never published from
            // coming back.
            if needsDirectory {
                return try pool.blocking { () throws(BucketsError) in try local.newID(needsDirectory: true) }
            }
            return try local.newID(needsDirectory: false)
        case .ranges(let ranges): return try await ranges.next()
        }
    }

    func makeSink(label: BlobLabel?, pool: Pool) -> any BlobSink { RemoteSink(blobs: self, label: label) }

    /// The largest object that CopyObject takes, in bytes. API/CopyObject.
    private static let copyBytesMax: UInt64 = 5 << 30

    /// On the engine.
    func copy(
        _ stored: StoredBlob, digests: DigestValues, pool: Pool
    ) async throws(BucketsError) -> StagedBlob? {
        guard let trailer = BlobTrailer.lengthMax(size: stored.size),
            stored.size &+ UInt64(trailer) <= Self.copyBytesMax
        else { return nil }
        // Until the copy is made the source must not go.
        let whole = BlobExtent(blob: stored.id, offset: 0, length: stored.size, blobSize: stored.size)
        let pin = try pins.pin([whole]) {}
        defer { withExtendedLifetime(pin) {} }
        let id = try await newID(needsDirectory: true)
        let staged = StagedBlob(
            NewBlob(id: id, size: stored.size, crc32c: stored.crc32c, bytes: nil), pool: pool,
            .uploaded(self, since: .now), digests: digests)
        do throws(EngineError) {
            try await client.copy(key(of: stored.id), to: key(of: id))
        } catch {
            throw error.isNoSuchKey ? .gone(stored.id) : BucketsError(error)
        }
        return staged
    }

    func remove(_ blobs: [BlobID], pool: Pool) async -> [BlobID] {
        for blob in blobs { tables.remove(blob) }
        guard !blobs.isEmpty, let gone = try? await client.delete(blobs.map(key(of:))) else { return [] }
        return blobs.filter { gone.contains(key(of: $0)) }
    }

    // MARK: Scrub

    func orphans(isKnown: (BlobID) async throws -> Bool) async throws -> [BlobID] {
        let before = Timestamp.now().milliseconds - Int64(clamping: remote.orphanAge.millisecondsClamped)
        await abortStaleUploads()
        var orphans: [BlobID] = []
        var token: String?
        repeat {
            let page = try await unavailableWhereItFails { () async throws(EngineError) in
                try await self.client.list(prefix: self.client.address.key(""), from: token)
            }
            for object in page.objects {
                guard let blob = blob(ofKey: object.key), let modified = object.modified, modified.milliseconds < before
                else { continue }
                if try await !isKnown(blob) { orphans.append(blob) }
            }
            token = page.next
        } while token != nil
        return orphans
    }

    private func unavailableWhereItFails<Value: Sendable>(
        _ body: () async throws(EngineError) -> Value
    ) async throws(BucketsError) -> Value {
        do { return try await body() } catch { throw BucketsError(error) }
    }

    func isThere(_ blob: BlobID, pool: Pool) async -> Bool {
        ((try? await client.length(of: key(of: blob))) ?? nil) != nil
    }

    /// Copies the object to `prefix/quarantine/`. With `moves` it is nowhere else.
    func quarantine(_ finding: ScrubFinding, moves: Bool, pool: Pool) async -> Bool {
        let source = key(of: finding.blob)
        let name = String(ascii: Hex.encode(finding.blob.value, width: 16))
        do {
            try await client.copy(source, to: client.address.key("quarantine/\(name)"))
            if moves {
                tables.remove(finding.blob)
                try await client.delete(source)
            }
            return true
        } catch {
            // It stays where it is, and the next scrub finds it again.
            return false
        }
    }

    func setAside(_ finding: ScrubFinding, pool: Pool) -> Bool { folder?.setAside(finding, pool: pool) ?? false }
    func setAsideReason(_ blob: BlobID, pool: Pool) -> String? { folder?.setAsideReason(blob, pool: pool) }

    func forgetProof(of blob: BlobID) { tables.remove(blob) }
    func scrubNote() -> [UInt8]? { folder?.scrubNote() }
    func keepScrubNote(_ text: [UInt8]) { folder?.keepScrubNote(text) }
}
