import Files
import RedoLog
import SimulatedDisk

@testable import Buckets
@testable import Metadata

extension Schedule {
    /// All versions, with their bytes checked, and the counts of live bytes.
    func observe() throws -> KeyModel {
        guard let store else { throw failure("no store") }
        let rows = Rows(connection: store.connection)
        var found = KeyModel()
        var live: [UInt64: UInt64] = [:]
        let page = try rows.listVersions(
            ListVersionsQuery(
                bucket: bucket, prefix: [], delimiter: nil, keyMarker: nil, versionMarker: nil, limit: 1000))
        for listed in page.versions {
            guard let version = try rows.version(of: listed.key, in: bucket, listed.versionID) else {
                throw failure("a version is listed and cannot be found")
            }
            let number = version.isDeleteMarker ? 0 : Content.number(of: version.etag)
            if case .parts(let parts) = version.content {
                guard let numbers = compositions[number], parts.count == numbers.count else {
                    throw failure("a version has other parts than were completed")
                }
                for (part, number) in zip(parts, numbers) {
                    try read(part.blob.flatMap { id throws in try rows.blob(id) }, number, store, &live)
                }
            } else if !version.isDeleteMarker {
                try read(version.blob, number, store, &live)
            }
            found.versions[version.key, default: []].append(
                KeyModel.Version(
                    id: version.versionID, isNull: version.versionID == .null, content: number, tags: version.tags))
        }
        for id in try rows.uploads(in: bucket) {
            guard let upload = try rows.upload(id) else { throw failure("an upload is listed and cannot be found") }
            var parts: [Int: UInt64] = [:]
            for part in try rows.parts(of: id, after: 0, limit: 100) {
                let number = Content.number(of: ETag(md5: part.md5))
                parts[part.number] = number
                try read(part.blob.flatMap { id throws in try rows.blob(id) }, number, store, &live)
            }
            found.uploads[id] = KeyModel.Upload(key: upload.key, parts: parts)
        }
        let counted = try rows.liveBytes().filter { $0.value > 0 }
        guard counted == live else { throw failure("live bytes are counted as \(counted) and are \(live)") }
        return found
    }

    private func read(
        _ blob: StoredBlob?, _ number: UInt64, _ store: SimulatedStore, _ live: inout [UInt64: UInt64]
    ) throws {
        guard let blob else { throw failure("a version or a part without its bytes") }
        guard case .segment(let segment, let offset) = blob.location, let crc32c = blob.crc32c else {
            let bytes = try store.blobs.open(blob.id).read(at: 0, count: Int(blob.size) + 1)
            guard bytes == Content.bytes(number) else { throw failure("a file has other bytes") }
            return
        }
        let place = PayloadPlace(segment: segment, offset: offset, length: UInt32(blob.size), crc32c: crc32c)
        guard try store.segments.payload(at: place) == Content.bytes(number) else { throw failure("wrong bytes") }
        live[segment, default: 0] += blob.size
    }
}
