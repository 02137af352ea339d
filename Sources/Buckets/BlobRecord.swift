import Bytes
import Metadata
import RedoLog

/// What a blob's file says of itself beside its content, for salvage: fields that say their own kind and length, so that later
/// versions can add some. FORMATS.md lists them.
struct BlobRecord: Equatable {
    enum Field: UInt8 {
        case blob = 1
        case store = 2
        case moment = 3
        case size = 4
        case bucket = 5
        case key = 6
        case upload = 7
        case part = 8
        case contentType = 9
    }

    var blob: BlobID
    /// Of the content, in bytes.
    var size: UInt64
    /// 16 bytes.
    var storeID: [UInt8]
    /// When the file was written.
    var moment: Timestamp
    var label: BlobLabel?

    var bytes: [UInt8] {
        var out: [UInt8] = []
        func add(_ field: Field, _ value: [UInt8]) {
            // The longest is a key of 1,024 bytes; a content type that does not fit is left out.
            guard value.count <= Self.fieldLengthMax else { return }
            out.append(field.rawValue)
            out.append(littleEndian: UInt16(value.count))
            out += value
        }
        func add(_ field: Field, _ number: UInt64) {
            var value: [UInt8] = []
            value.append(littleEndian: number)
            add(field, value)
        }
        add(.blob, blob.value)
        add(.store, storeID)
        add(.moment, UInt64(bitPattern: moment.milliseconds))
        add(.size, size)
        guard let label else { return out }
        add(.bucket, label.bucket.utf8)
        add(.key, label.key.utf8)
        if let upload = label.upload {
            add(.upload, upload.utf8)
            add(.part, UInt64(max(0, label.partNumber)))
        }
        if let contentType = label.contentType { add(.contentType, contentType) }
        return out
    }

    private static let fieldLengthMax = 2048

    init(blob: BlobID, size: UInt64, storeID: [UInt8], moment: Timestamp, label: BlobLabel?) {
        (self.blob, self.size, self.storeID, self.moment) = (blob, size, storeID, moment)
        self.label = label
    }

    /// Nil where the fields do not fill the bytes, or the first four are not among them. Fields of other kinds are passed over.
    init?(_ bytes: Span<UInt8>) {
        var fields: [Field: [UInt8]] = [:]
        var offset = 0
        while offset < bytes.count {
            guard let length = bytes.littleEndian(offset + 1, as: UInt16.self),
                bytes.count - offset - 3 >= Int(length)
            else { return nil }
            let start = offset + 3
            if let field = Field(rawValue: bytes[offset]) {
                fields[field] = (start..<start + Int(length)).map { bytes[$0] }
            }
            offset = start + Int(length)
        }
        func number(_ field: Field) -> UInt64? {
            fields[field].flatMap { $0.count == 8 ? $0.span.littleEndian(0, as: UInt64.self) : nil }
        }
        guard let blob = number(.blob), let size = number(.size), let moment = number(.moment),
            let storeID = fields[.store], storeID.count == 16
        else { return nil }
        var label: BlobLabel?
        if let bucket = fields[.bucket].flatMap({ BucketName($0) }), let key = fields[.key].flatMap({ ObjectKey($0) }) {
            label = BlobLabel(
                bucket: bucket, key: key, upload: fields[.upload].flatMap { UploadID($0) },
                partNumber: number(.part).flatMap { Int(exactly: $0) } ?? 0, contentType: fields[.contentType])
        }
        self.init(
            blob: BlobID(blob), size: size, storeID: storeID,
            moment: Timestamp(milliseconds: Int64(bitPattern: moment)), label: label)
    }
}
