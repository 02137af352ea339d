public import Digests
import Files
public import Metadata
import Threads

extension ObjectStore {
    /// Stages the content of a version, or a range of it, anew. With `allowLink` the whole of a blob is taken over where the
    /// version has every digest that is asked for: a file gets a second name, few bytes are taken as they are. Else the bytes
    /// are copied, with `keepAlive` called between pieces of at most 256 KiB. `mayBeInline` as with `stage`. Throws as `open` and `stage` do.
    public func stageCopy(
        of version: ObjectVersion, in bucket: BucketID, range: Range<UInt64>?, digests: DigestSet, allowLink: Bool,
        label: BlobLabel? = nil, mayBeInline: Bool = true, keepAlive: (@Sendable () async throws -> Void)? = nil
    ) async throws -> StagedBlob {
        if allowLink, range == nil || range == 0..<version.size,
            let taken = try await takeOver(version, digests: digests, mayBeInline: mayBeInline)
        {
            return taken
        }
        let bytes = try await open(version, in: bucket, range: range)
        let writer = try BlobWriter(
            blobs: blobs, pool: pool, digests: digests, sizeMax: .max, label: label, mayBeInline: mayBeInline)
        do {
            var buffer: [UInt8] = []
            try await bytes.forEach { run in
                switch run {
                case .bytes(let bytes):
                    try writer.append(bytes.span)
                    try await writer.relieve()
                    try await keepAlive?()
                case .slice(let slice):
                    try await copy(slice, of: version, to: writer, through: &buffer, keepAlive)
                }
            }
            return try await writer.finish()
        } catch {
            writer.discard()
            throw error
        }
    }

    private func copy(
        _ slice: BlobSlice, of version: ObjectVersion, to writer: BlobWriter, through buffer: inout [UInt8],
        _ keepAlive: (@Sendable () async throws -> Void)?
    ) async throws {
        if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: 256 << 10) }
        var done: UInt64 = 0
        while done < slice.length {
            let count = Int(min(slice.length - done, UInt64(buffer.count)))
            let got = try pool.blocking { try slice.file.read(at: slice.offset + done, into: &buffer) }
            guard got >= count else { throw BucketsError.damaged("a blob of \(version.key.text) is too short") }
            try writer.append(buffer.span.extracting(first: count))
            try await writer.relieve()
            done += UInt64(count)
            try await keepAlive?()
            // A long copy lets others have the thread.
            await pool.yield()
        }
    }

    /// Nil when the bytes have to be copied.
    private func takeOver(
        _ version: ObjectVersion, digests: DigestSet, mayBeInline: Bool
    ) async throws -> StagedBlob? {
        guard case .blob(let source) = version.content, let values = known(digests.union(.md5), of: version) else {
            return nil
        }
        try blobs.checkSpace()
        let stored = try await stored(source, of: version)
        guard stored.size == version.size else {
            throw BucketsError.damaged("blob \(source.value) has \(stored.size) bytes instead of \(version.size)")
        }
        guard case .file = stored.location else {
            return mayBeInline ? try await duplicate(stored, digests: values) : nil
        }
        return try await blobs.copy(stored, digests: values, pool: pool)
    }

    /// Bytes in the log or in the metadata store, taken as they are.
    private func duplicate(_ stored: StoredBlob, digests: DigestValues) async throws -> StagedBlob? {
        let share = MemoryBudget.Share(of: blobs.memory)
        guard stored.size <= UInt64(blobs.inlineBytesMax), share.grow(by: Int(stored.size)),
            let bytes = try await opener.bytes(of: stored)
        else { return nil }
        return StagedBlob(
            inline: bytes, as: try await blobs.newID(needsDirectory: false), crc32c: stored.crc32c, share: share,
            digests: digests)
    }

    /// The digests asked for, where the version has all of them.
    private func known(_ asked: DigestSet, of version: ObjectVersion) -> DigestValues? {
        var values = DigestValues()
        if version.etag.partCount == nil { values[.md5] = version.etag.md5 }
        if let checksum = version.checksum, checksum.kind == .fullObject {
            values[checksum.algorithm] = checksum.value
        }
        for algorithm in DigestAlgorithm.allCases where asked.contains(DigestSet(algorithm)) {
            if values[algorithm] == nil { return nil }
        }
        return values
    }
}
