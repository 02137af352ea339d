import Bytes
import Digests

/// The parts of the model that are stored as one value each, in the form of `RecordWriter`.
enum Records {
    /// The fields of `ObjectAttributes` as they are numbered in a record. The numbers never change meaning.
    private enum Field: UInt8 {
        case contentType = 1
        case cacheControl = 2
        case contentDisposition = 3
        case contentEncoding = 4
        case contentLanguage = 5
        case expires = 6
        case websiteRedirect = 7
        case storageClass = 8
        /// A name and a value; repeated.
        case userMetadata = 9
    }

    /// Fields that are nil are left out; nil where all are.
    static func encode(_ attributes: ObjectAttributes) -> [UInt8]? {
        var out = RecordWriter()
        func put(_ field: Field, _ value: [UInt8]?) {
            guard let value else { return }
            out.put(field.rawValue)
            out.put(value)
        }
        put(.contentType, attributes.contentType)
        put(.cacheControl, attributes.cacheControl)
        put(.contentDisposition, attributes.contentDisposition)
        put(.contentEncoding, attributes.contentEncoding)
        put(.contentLanguage, attributes.contentLanguage)
        put(.expires, attributes.expires)
        put(.websiteRedirect, attributes.websiteRedirect)
        put(.storageClass, attributes.storageClass)
        for pair in attributes.userMetadata {
            put(.userMetadata, pair.name)
            out.put(pair.value)
        }
        return out.bytes.isEmpty ? nil : out.bytes
    }

    static func attributes(_ record: [UInt8]?) throws(MetadataError) -> ObjectAttributes {
        var attributes = ObjectAttributes()
        guard let record else { return attributes }
        var reader = RecordReader(record)
        while !reader.isAtEnd {
            let field = Field(rawValue: try reader.byte())
            let value = try reader.field()
            switch field {
            case .contentType: attributes.contentType = value
            case .cacheControl: attributes.cacheControl = value
            case .contentDisposition: attributes.contentDisposition = value
            case .contentEncoding: attributes.contentEncoding = value
            case .contentLanguage: attributes.contentLanguage = value
            case .expires: attributes.expires = value
            case .websiteRedirect: attributes.websiteRedirect = value
            case .storageClass: attributes.storageClass = value
            case .userMetadata:
                attributes.userMetadata.append(UserMetadata(name: value, value: try reader.field()))
            case nil: throw .broken("record: an unknown attribute")
            }
        }
        return attributes
    }

    /// Nil for no tags.
    static func encode(_ tags: [Tag]) -> [UInt8]? {
        if tags.isEmpty { return nil }
        var out = RecordWriter()
        for tag in tags {
            out.put(tag.key)
            out.put(tag.value)
        }
        return out.bytes
    }

    static func tags(_ record: [UInt8]?) throws(MetadataError) -> [Tag] {
        guard let record else { return [] }
        var tags: [Tag] = []
        var reader = RecordReader(record)
        while !reader.isAtEnd {
            let key = try reader.field()
            tags.append(Tag(key: key, value: try reader.field()))
        }
        return tags
    }

    static func encode(_ parts: [StoredPart]) -> [UInt8] {
        var out = RecordWriter()
        for part in parts {
            out.put(UInt64(part.number.magnitude))
            out.put(part.blob) { $0.put($1.value) }
            out.put(part.size)
            out.put(part.checksum) { $0.put($1) }
        }
        return out.bytes
    }

    static func parts(_ record: [UInt8]) throws(MetadataError) -> [StoredPart] {
        var parts: [StoredPart] = []
        var reader = RecordReader(record)
        while !reader.isAtEnd {
            let number = try reader.count()
            let blob = try reader.optional { (r) throws(MetadataError) in BlobID(try r.number()) }
            let size = try reader.number()
            let checksum = try reader.optional { (r) throws(MetadataError) in try r.field() }
            parts.append(StoredPart(number: number, blob: blob, size: size, checksum: checksum))
        }
        return parts
    }

    static func encode(_ checksum: Checksum) -> [UInt8] {
        var out = RecordWriter()
        out.put(checksum.algorithm.rawValue)
        out.put(checksum.kind.rawValue)
        out.put(checksum.partCount) { $0.put(UInt64($1.magnitude)) }
        out.put(checksum.value)
        return out.bytes
    }

    static func checksum(_ record: [UInt8]) throws(MetadataError) -> Checksum {
        var reader = RecordReader(record)
        guard let algorithm = DigestAlgorithm(rawValue: try reader.byte()) else {
            throw .broken("record: an unknown digest algorithm")
        }
        guard let kind = Checksum.Kind(rawValue: try reader.byte()) else {
            throw .broken("record: an unknown kind of checksum")
        }
        let partCount = try reader.optional { (r) throws(MetadataError) in try r.count() }
        let value = try reader.field()
        try reader.end()
        return Checksum(algorithm: algorithm, kind: kind, value: value, partCount: partCount)
    }
}
