import Bytes
import Digests

extension Records {
    /// All of a version in one record.
    static func encode(_ version: ObjectVersion) -> [UInt8] {
        var out = RecordWriter()
        out.put(version.key.utf8)
        out.put(version.versionID.utf8)
        out.put(version.isLatest)
        out.put(version.isDeleteMarker)
        out.put(version.modified.milliseconds)
        out.put(version.sequence)
        out.put(version.owner.utf8)
        out.put(version.size)
        out.put(version.etag.md5)
        out.put(version.etag.partCount) { $0.put(UInt64($1.magnitude)) }
        out.put(encode(version.attributes)) { $0.put($1) }
        out.put(version.checksum) { $0.put(encode($1)) }
        out.put(encode(version.tags)) { $0.put($1) }
        switch version.content {
        case .empty: out.put(UInt8(0))
        case .blob(let id):
            out.put(UInt8(1))
            out.put(id.value)
        case .parts(let parts):
            out.put(UInt8(2))
            out.put(encode(parts))
        }
        return out.bytes
    }

    static func version(_ record: [UInt8]) throws(MetadataError) -> ObjectVersion {
        var reader = RecordReader(record)
        guard let key = ObjectKey(try reader.field()) else { throw .broken("record: a key of a wrong length") }
        guard let id = VersionID(try reader.field()) else { throw .broken("record: a malformed version id") }
        let isLatest = try reader.flag()
        let isDeleteMarker = try reader.flag()
        let modified = Timestamp(milliseconds: try reader.signed())
        let sequence = try reader.signed()
        let owner = String(decoding: try reader.field(), as: UTF8.self)
        let size = try reader.number()
        let md5 = try reader.field()
        let partCount = try reader.optional { (r) throws(MetadataError) in try r.count() }
        let attributes = try Records.attributes(try reader.optional { (r) throws(MetadataError) in try r.field() })
        let checksum = try reader.optional { (r) throws(MetadataError) in try Records.checksum(try r.field()) }
        let tags = try Records.tags(try reader.optional { (r) throws(MetadataError) in try r.field() })
        let content: Content
        switch try reader.byte() {
        case 0: content = .empty
        case 1: content = .blob(BlobID(try reader.number()))
        case 2: content = .parts(try Records.parts(try reader.field()))
        default: throw .broken("record: an unknown kind of content")
        }
        try reader.end()
        return ObjectVersion(
            key: key, versionID: id, isLatest: isLatest, isDeleteMarker: isDeleteMarker, modified: modified,
            sequence: sequence, owner: owner, size: size, etag: ETag(md5: md5, partCount: partCount),
            attributes: attributes, checksum: checksum, tags: tags, content: content)
    }
}
