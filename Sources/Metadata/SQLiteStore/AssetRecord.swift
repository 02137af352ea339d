import Bytes

extension Records {
    /// The fields of `AssetDetails` as they are numbered in a record. The numbers never change meaning.
    private enum DetailField: UInt8, CaseIterable {
        case duration = 1, width, height, name, originalFilename, title, description, folder, category, custom
        case focalPoint, media, text
    }

    /// Fields that are nil are left out; nil where all are.
    static func encode(_ details: AssetDetails) -> [UInt8]? {
        var out = RecordWriter()
        func put(_ field: DetailField, _ value: Int64?) {
            guard let value else { return }
            var number = RecordWriter()
            number.put(value)
            out.put(field.rawValue)
            out.put(number.bytes)
        }
        func put(_ field: DetailField, _ value: [UInt8]?) {
            guard let value else { return }
            out.put(field.rawValue)
            out.put(value)
        }
        put(.duration, details.duration)
        put(.width, details.width)
        put(.height, details.height)
        put(.name, details.name)
        put(.originalFilename, details.originalFilename)
        put(.title, details.title)
        put(.description, details.description)
        put(.folder, details.folder)
        put(.category, details.category)
        put(.custom, details.custom)
        if let point = details.focalPoint {
            var number = RecordWriter()
            number.put(point.x.bitPattern)
            number.put(point.y.bitPattern)
            put(.focalPoint, number.bytes)
        }
        put(.media, details.media)
        put(.text, details.text)
        return out.bytes.isEmpty ? nil : out.bytes
    }

    static func assetDetails(_ record: [UInt8]?) throws(MetadataError) -> AssetDetails {
        var details = AssetDetails()
        guard let record else { return details }
        var reader = RecordReader(record)
        func number(_ field: [UInt8]) throws(MetadataError) -> Int64 {
            var reader = RecordReader(field)
            return try reader.signed()
        }
        while !reader.isAtEnd {
            let field = DetailField(rawValue: try reader.byte())
            let value = try reader.field()
            switch field {
            case .duration: details.duration = try number(value)
            case .width: details.width = try number(value)
            case .height: details.height = try number(value)
            case .name: details.name = value
            case .originalFilename: details.originalFilename = value
            case .title: details.title = value
            case .description: details.description = value
            case .folder: details.folder = value
            case .category: details.category = value
            case .custom: details.custom = value
            case .focalPoint: details.focalPoint = try focalPoint(value)
            case .media: details.media = value
            case .text: details.text = value
            case nil: throw .broken("record: an unknown field of an asset")
            }
        }
        return details
    }

    private static func focalPoint(_ field: [UInt8]) throws(MetadataError) -> FocalPoint {
        var reader = RecordReader(field)
        let x = Double(bitPattern: try reader.number())
        let y = Double(bitPattern: try reader.number())
        guard let point = FocalPoint(x: x, y: y) else { throw .broken("record: a focal point outside its picture") }
        return point
    }

    static func encode(_ asset: Asset) -> [UInt8] {
        var out = RecordWriter()
        out.put(asset.id.bytes)
        out.put(asset.bucket.value)
        out.put(asset.key.utf8)
        out.put(asset.customer) { $0.put($1.utf8) }
        out.put(asset.user.utf8)
        out.put(asset.type.rawValue)
        out.put(asset.created.milliseconds)
        out.put(asset.updated.milliseconds)
        out.put(asset.deleted) { $0.put($1.milliseconds) }
        out.put(encode(asset.details)) { $0.put($1) }
        return out.bytes
    }

    static func asset(_ record: [UInt8]) throws(MetadataError) -> Asset {
        var reader = RecordReader(record)
        let id = try assetID(try reader.field())
        let bucket = BucketID(try reader.signed())
        guard let key = ObjectKey(try reader.field()) else { throw .broken("record: a key of a wrong length") }
        let customer = try reader.optional { (r) throws(MetadataError) in
            String(decoding: try r.field(), as: UTF8.self)
        }
        let user = String(decoding: try reader.field(), as: UTF8.self)
        guard let type = AssetType(rawValue: try reader.byte()) else {
            throw .broken("record: an unknown type of asset")
        }
        let created = Timestamp(milliseconds: try reader.signed())
        let updated = Timestamp(milliseconds: try reader.signed())
        let deleted = try reader.optional { (r) throws(MetadataError) in Timestamp(milliseconds: try r.signed()) }
        let details = try assetDetails(try reader.optional { (r) throws(MetadataError) in try r.field() })
        try reader.end()
        return Asset(
            id: id, bucket: bucket, key: key, customer: customer, user: user, type: type, created: created,
            updated: updated, deleted: deleted, details: details)
    }

    static func assetID(_ bytes: [UInt8]) throws(MetadataError) -> AssetID {
        guard let id = AssetID(bytes: bytes) else { throw .broken("record: a malformed asset id") }
        return id
    }
}
