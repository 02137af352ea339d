import Bytes
import Digests
import Files
import Glibc
public import Metadata
import Threads

/// The bytes of a blob that lay in the log, and what they are for.
struct KeptBlob {
    var id: BlobID
    var bytes: [UInt8]
    var label: BlobLabel

    /// The bytes that its file or object has, and what is known of it there.
    func placed(storeID: [UInt8]) -> (bytes: [UInt8], stored: StoredBlob) {
        var checks = BlockChecks()
        checks.update(bytes.span)
        checks.finish()
        let size = UInt64(bytes.count)
        let record = BlobRecord(blob: id, size: size, storeID: storeID, moment: .now(), label: label)
        let trailer = BlobTrailer(size: size, table: checks.table, record: record.bytes)
        return (
            bytes + trailer.bytes, StoredBlob(id: id, size: size, crc32c: trailer.tableCRC, location: .file)
        )
    }
}

extension ObjectStore {
    private static let keptBytesMax = 16 << 20

    /// Gives blobs that lie in the log or in the metadata store a place outside it, durably and under the same ids; the rows still say that
    /// they lie there.
    /// What is known of them in their places comes back, in their order. May be done again.
    public func keepOutsideLog(_ blobs: [MigratedBlob]) async throws -> [StoredBlob] {
        var placed: [StoredBlob] = []
        var batch: [KeptBlob] = []
        var bytes = 0
        for wanted in blobs {
            let content = try await opener.bytes(of: wanted.blob) ?? []
            let label = BlobLabel(
                bucket: wanted.bucket, key: wanted.key, upload: wanted.upload, partNumber: wanted.partNumber,
                contentType: wanted.contentType)
            batch.append(KeptBlob(id: wanted.blob.id, bytes: content, label: label))
            bytes += content.count
            if bytes >= Self.keptBytesMax {
                placed += try await self.blobs.keep(batch, pool: pool)
                (batch, bytes) = ([], 0)
            }
        }
        return placed + (try await self.blobs.keep(batch, pool: pool))
    }
}

extension LocalBlobs {
    /// All files are written before the first is synced, so that they share the disk's work.
    func keep(_ blobs: [KeptBlob], pool: Pool) async throws(BucketsError) -> [StoredBlob] {
        if blobs.isEmpty { return [] }
        return try pool.blocking { () throws(BucketsError) in
            try checkSpace()
            var files: [(file: any DiskFile, stored: StoredBlob)] = []
            for blob in blobs {
                let (bytes, stored) = blob.placed(storeID: storeID)
                let file = try create()
                do throws(SystemError) {
                    try file.write(bytes.span, at: 0)
                    try file.beginWriteback(at: 0, count: UInt64(bytes.count))
                } catch {
                    throw fatalUnlessFull(error)
                }
                files.append((file, stored))
            }
            for (file, _) in files { try sync(file) }
            for (file, stored) in files { try name(kept: file, as: stored) }
            let stored = files.map(\.stored)
            do { try makeDurable(stored.map(\.id)) } catch {
                throw error as? BucketsError ?? .damaged("\(error)")
            }
            return stored
        }
    }

    /// The file takes its name unless one like it has it already.
    private func name(kept file: any DiskFile, as stored: StoredBlob) throws(BucketsError) {
        for isLast in [false, true] {
            do throws(SystemError) {
                return try disk.link(file, as: path(of: stored.id))
            } catch {
                if error.errno == EEXIST {
                    let former = try open(stored.id, size: stored.size, proof: stored.proof)
                    return try former.verify(0..<stored.size) { damage.error(stored.id, $0) }
                }
                guard error.isNotFound, !isLast else { throw BucketsError(error) }
                // What lies in the log alone needed no directory.
                try makeDirectory(ofBlock: stored.id.value >> Self.blockBits)
            }
        }
    }
}

extension RemoteBlobs {
    func keep(_ blobs: [KeptBlob], pool: Pool) async throws(BucketsError) -> [StoredBlob] {
        var placed: [StoredBlob] = []
        for blob in blobs {
            let (bytes, stored) = blob.placed(storeID: storeID)
            do { try await client.put(key(of: blob.id), bytes) } catch { throw BucketsError(error) }
            placed.append(stored)
        }
        return placed
    }
}
