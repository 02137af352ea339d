/// A blob that lies in the log or in the database, and what it is for.
public struct MigratedBlob: Sendable {
    public var blob: StoredBlob
    public var bucket: BucketName
    public var key: ObjectKey
    /// For a part of an upload in progress.
    public var upload: UploadID?
    public var partNumber = 0
    public var contentType: [UInt8]?
}

/// Gives what lies in one store itself a place that both know.
struct BlobPlaces: Sendable {
    private let names: [BucketID: BucketName]
    private let place: @Sendable ([MigratedBlob]) async throws -> [StoredBlob]

    init(_ buckets: [Bucket], _ place: @escaping @Sendable ([MigratedBlob]) async throws -> [StoredBlob]) {
        names = Dictionary(buckets.map { ($0.id, $0.name) }) { first, _ in first }
        self.place = place
    }

    /// Where a row names blobs that lie in the source itself, it names their new places afterwards. Returns how many those were.
    func give(_ rows: inout [MigratedRow]) async throws -> UInt64 {
        var wanted: [MigratedBlob] = []
        var uploads: [UploadID: Upload] = [:]
        for row in rows {
            if case .upload(let upload) = row.change { uploads[upload.id] = upload }
            for blob in row.blobs where blob.location != .file {
                switch row.change {
                case .version(let bucket, let version):
                    guard let name = names[bucket] else { continue }
                    wanted.append(
                        MigratedBlob(
                            blob: blob, bucket: name, key: version.key, contentType: version.attributes.contentType))
                case .part(let id, let part):
                    guard let upload = uploads[id], let name = names[upload.bucket] else { continue }
                    wanted.append(
                        MigratedBlob(blob: blob, bucket: name, key: upload.key, upload: id, partNumber: part.number))
                default: break
                }
            }
        }
        if wanted.isEmpty { return 0 }
        var places: [BlobID: StoredBlob] = [:]
        for blob in try await place(wanted) { places[blob.id] = blob }
        for index in rows.indices { rows[index].blobs = rows[index].blobs.map { places[$0.id] ?? $0 } }
        guard rows.allSatisfy({ $0.blobs.allSatisfy { $0.location == .file } }) else {
            throw MetadataError.broken("a blob that lay in the store got no place of its own")
        }
        return UInt64(wanted.count)
    }
}
