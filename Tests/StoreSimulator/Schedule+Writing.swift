import Bytes
import Digests
import RedoLog
import SimulatedDisk

@testable import Buckets
@testable import Metadata

/// The writes of a life, chosen by the schedule's numbers.
extension Schedule {
    mutating func mutation() -> Mutation? {
        let key = Self.keys[random.below(Self.keys.count)]
        switch random.below(20) {
        case 0: return .setVersioning(random.below(2) == 0 ? .enabled : .suspended, bucket)
        case 1, 2: return .delete(DeleteRequest(bucket: bucket, key: key, version: nil, owner: "o"))
        case 3, 4:
            let known = model.versions[key, default: []].compactMap(\.id)
            let id = known.isEmpty ? VersionID.null : known[random.below(known.count)]
            return .delete(DeleteRequest(bucket: bucket, key: key, version: id, owner: "o"))
        case 5: return .setTags([Tag(key: [UInt8(random.below(256))], value: [])], key, bucket, nil, nil)
        case 6: return .createUpload(newUpload(of: key))
        case 7, 8, 9: return newPart()
        case 10: return complete()
        case 11: return anyUpload().map { .abortUpload($0, $1.key, bucket) }
        case 12, 13: return copy(to: key).map { .publish($0) }
        default: return newVersion(of: key).map { .publish($0) }
        }
    }

    /// In a file of its own now and then. Nil where the disk takes none.
    private mutating func newBlob(_ bytes: [UInt8]) -> NewBlob? {
        guard let store else { return nil }
        if random.below(4) == 0 { return try? store.makeFile(bytes) }
        var crc = CRC32C()
        crc.update(bytes.span)
        guard let id = try? store.blobs.newID(needsDirectory: false) else { return nil }
        return NewBlob(id: id, size: UInt64(bytes.count), crc32c: crc.value, bytes: bytes)
    }

    private mutating func newVersion(of key: ObjectKey) -> NewVersion? {
        let number = nextNumber
        nextNumber += 1
        guard let blob = newBlob(Content.bytes(number)) else { return nil }
        return newVersion(of: key, number, in: blob)
    }

    private mutating func newVersion(of key: ObjectKey, _ number: UInt64, in blob: NewBlob) -> NewVersion {
        var conditions = WriteConditions()
        if random.below(5) == 0 { conditions.ifNoneMatch = .any }
        return NewVersion(
            bucket: bucket, key: key, owner: "o", size: blob.size, etag: Content.etag(number),
            attributes: ObjectAttributes(), checksum: nil, tags: [], content: .blob(blob.id), blob: blob,
            conditions: conditions)
    }

    // MARK: Copies

    /// Of the latest version of some key: by a second name of its file, or by its bytes where they lie in a segment.
    private mutating func copy(to key: ObjectKey) -> NewVersion? {
        let source = Self.keys[random.below(Self.keys.count)]
        guard let store, let latest = model.versions[source]?.first, latest.content != 0, let id = latest.id,
            let version = try? Rows(connection: store.connection).version(of: source, in: bucket, id),
            let blob = version.blob
        else { return nil }
        if case .segment(let segment, let offset) = blob.location {
            guard let crc32c = blob.crc32c else { return nil }
            let place = PayloadPlace(
                segment: segment, offset: offset, length: UInt32(clamping: blob.size), crc32c: crc32c)
            guard let bytes = try? store.segments.payload(at: place), let copied = newBlob(bytes) else { return nil }
            return newVersion(of: key, latest.content, in: copied)
        }
        guard let link = try? store.blobs.link(existing: blob.id) else { return nil }
        let copied = NewBlob(id: link, size: blob.size, crc32c: blob.crc32c, bytes: nil)
        return newVersion(of: key, latest.content, in: copied)
    }

    // MARK: Multipart uploads

    private mutating func newUpload(of key: ObjectKey) -> Upload {
        let text = Hex.encode((0..<16).map { _ in UInt8(random.below(256)) })
        guard let id = UploadID(text) else { preconditionFailure("an upload's id") }
        return Upload(
            id: id, bucket: bucket, key: key, owner: "o", initiated: .init(seconds: 1), attributes: ObjectAttributes(),
            tags: [], checksumAlgorithm: nil, checksumKind: nil)
    }

    private mutating func anyUpload() -> (UploadID, KeyModel.Upload)? {
        let open = model.uploads.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return open.isEmpty ? nil : open[random.below(open.count)]
    }

    private mutating func newPart() -> Mutation? {
        guard let (id, upload) = anyUpload() else { return nil }
        let number = nextNumber
        nextNumber += 1
        guard let blob = newBlob(Content.bytes(number)) else { return nil }
        let part = UploadedPart(
            number: 1 + random.below(4), size: blob.size, md5: Content.etag(number).md5, checksum: nil,
            modified: .init(seconds: 1), blob: blob.id)
        return .putPart(part, blob, id, upload.key, bucket)
    }

    /// With all of its parts, mostly.
    private mutating func complete() -> Mutation? {
        guard let (id, upload) = anyUpload() else { return nil }
        var parts = upload.parts.sorted { $0.key < $1.key }
        if parts.count > 1, random.below(4) == 0 { parts.remove(at: random.below(parts.count)) }
        guard !parts.isEmpty else { return nil }
        let number = nextNumber
        nextNumber += 1
        compositions[number] = parts.map(\.value)
        return .completeUpload(
            CompleteRequest(
                upload: id, bucket: bucket, key: upload.key,
                parts: parts.map { .init(number: $0.key, md5: Content.etag($0.value).md5, checksum: nil) },
                partSizeMin: 0, size: nil, etag: Content.etag(number), checksum: nil, conditions: WriteConditions()))
    }
}
