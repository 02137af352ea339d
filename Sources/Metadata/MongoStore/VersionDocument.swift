import Bytes
import Digests
import Mongo

/// A version as a document, inside a head or a row of `versions`:
///
/// `s` sequence, `r` the sequence of the change that made it what it is, `v` version id, `d` true for a delete marker, `m` modified
/// (ms), `o` owner, `z` size (64 bits), `e` unquoted ETag (empty for a marker), `b` and `f` the one blob and its CRC, `i` true where the
/// blob lies in `contents`, `p` the manifest of parts, `a` attributes, `c` storage class, `k` checksum, `t` tags, `w` the id of the write that made it, `h` true where a row of
/// `versions` may exist for it. Binary values are in the form of `Records`.
struct VersionDocument: Sendable {
    let view: BSONView

    var sequence: Int64 { view["s"]?.integer ?? 0 }
    var revision: Int64 { view["r"]?.integer ?? 0 }
    var modified: Int64 { view["m"]?.integer ?? 0 }
    var write: Int64? { view["w"]?.integer }
    var size: UInt64 { UInt64(bitPattern: view["z"]?.integer ?? 0) }
    var isDeleteMarker: Bool { view["d"]?.isTrue == true }
    var isNull: Bool { view["v"]?.text == VersionID.null.utf8 }
    var mayHaveRow: Bool { view["h"]?.isTrue == true }
    var versionID: VersionID? { view["v"]?.text.flatMap { VersionID($0) } }
    var blob: BlobID? { view["b"]?.integer.map { BlobID(UInt64(bitPattern: $0)) } }

    /// All that the version owns, in order.
    func blobs() throws(MetadataError) -> [BlobID] {
        if let blob { return [blob] }
        guard let manifest = view["p"]?.binary else { return [] }
        return try Records.parts(manifest).compactMap(\.blob)
    }

    /// What conditions look at.
    func head() throws(MetadataError) -> VersionHead {
        VersionHead(
            sequence: sequence, versionID: try id(), isLatest: true, isDeleteMarker: isDeleteMarker,
            modified: Timestamp(milliseconds: modified), size: size,
            etag: try etag(), blob: blob, hasManifest: view["p"] != nil)
    }

    /// `tags` replaces those of the document, where it is not nil.
    func version(
        of key: ObjectKey, isLatest: Bool, withContent: Bool = true, tags: Patch? = nil
    ) throws(MetadataError) -> ObjectVersion {
        var attributes = try Records.attributes(view["a"]?.binary)
        attributes.storageClass = view["c"]?.binary
        var content = Content.empty
        var stored: StoredBlob?
        if withContent {
            if let blob {
                content = .blob(blob)
                stored = StoredBlob(id: blob, size: size, crc32c: crc32c, location: location)
            } else if let manifest = view["p"]?.binary {
                content = .parts(try Records.parts(manifest))
            }
        }
        let checksum = try view["k"]?.binary.map { (record) throws(MetadataError) in try Records.checksum(record) }
        return ObjectVersion(
            key: key, versionID: try id(), isLatest: isLatest, isDeleteMarker: isDeleteMarker,
            modified: Timestamp(milliseconds: modified), sequence: sequence,
            owner: String(decoding: view["o"]?.text ?? [], as: UTF8.self), size: size, etag: try etag(),
            attributes: attributes, checksum: checksum, tags: try Records.tags(tags.map(\.record) ?? view["t"]?.binary),
            content: content, blob: stored)
    }

    var crc32c: UInt32? { view["f"]?.integer.map { UInt32(truncatingIfNeeded: $0) } }

    /// Of the one blob.
    var location: BlobLocation { view["i"]?.isTrue == true ? .metadata : .file }

    private func id() throws(MetadataError) -> VersionID {
        guard let id = versionID else { throw .broken("versions: a malformed version id") }
        return id
    }

    private func etag() throws(MetadataError) -> ETag {
        let text = view["e"]?.text ?? []
        if text.isEmpty { return ETag(md5: []) }
        let fields = text.split(separator: Ascii.dash, maxSplits: 1)
        guard let hex = fields.first, let md5 = Hex.decode([UInt8](hex)) else {
            throw .broken("versions: a malformed ETag")
        }
        return ETag(md5: md5, partCount: fields.count > 1 ? Int(String(decoding: fields[1], as: UTF8.self)) : nil)
    }

    /// New tags of a former version: nil for none.
    struct Patch: Sendable {
        var record: [UInt8]?
    }

    /// The fields that are known before the commit: all but `s`, `r`, `m`.
    static func fields(of version: ObjectVersion, blob: NewBlob?, write: Int64) -> BSONDocument {
        var fields: BSONDocument = [
            "v": .text(version.versionID.utf8), "o": .text(version.owner),
            "z": .int64(Int64(bitPattern: version.size)), "w": .int64(write),
            "e": .text(version.isDeleteMarker ? [] : version.etag.unquoted),
        ]
        if version.isDeleteMarker { fields.append("d", true) }
        var attributes = version.attributes
        attributes.storageClass = nil
        fields.append("a", Records.encode(attributes).map { .binary($0) })
        fields.append("c", version.attributes.storageClass.map { .binary($0) })
        fields.append("k", version.checksum.map { .binary(Records.encode($0)) })
        fields.append("t", Records.encode(version.tags).map { .binary($0) })
        switch version.content {
        case .empty: break
        case .blob(let id):
            fields.append("b", .int64(Int64(bitPattern: id.value)))
            fields.append("f", blob?.crc32c.map { .int64(Int64($0)) })
            if blob?.bytes != nil { fields.append("i", true) }
        case .parts(let parts): fields.append("p", .binary(Records.encode(parts)))
        }
        return fields
    }
}
