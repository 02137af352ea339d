import Bytes
import Metadata

/// What the listings share: prefix, delimiter, page size, and how keys are written.
struct ListingParameters: Sendable {
    static let keysMax = 1000

    var prefix: [UInt8]
    var delimiter: [UInt8]?
    /// As answered; the page never holds more than 1000.
    var limit: Int
    var encodesKeys: Bool

    init(_ request: S3Request, limitName: StaticString) throws(S3Error) {
        let query = request.query
        prefix = query["prefix"] ?? []
        delimiter = query["delimiter"].flatMap { $0.isEmpty ? nil : $0 }
        limit = min(Self.keysMax, try request.number(limitName, in: 0...Int(Int32.max)) ?? Self.keysMax)
        encodesKeys = false
        if let encoding = query["encoding-type"] {
            guard encoding.elementsEqual("url".utf8) else {
                throw .invalidArgument("encoding-type", encoding, "Invalid Encoding Method specified in Request")
            }
            encodesKeys = true
        }
    }

    /// A key, prefix, delimiter or marker as the document shows it (S3-TRAPS 15).
    func written(_ bytes: [UInt8]) -> [UInt8] {
        encodesKeys ? PercentEncoding.encodeForListing(bytes) : bytes
    }
}

extension S3Document {
    mutating func commonPrefixes(_ prefixes: [[UInt8]], _ parameters: ListingParameters) {
        for prefix in prefixes {
            open("CommonPrefixes")
            element("Prefix", parameters.written(prefix))
            close("CommonPrefixes")
        }
    }

    /// The `Contents` of a listing.
    mutating func contents(_ objects: [ObjectVersion], _ parameters: ListingParameters, showsOwner: Bool) {
        for object in objects {
            open("Contents")
            element("Key", parameters.written(object.key.utf8))
            described(object)
            if showsOwner { owner("Owner", object.owner) }
            close("Contents")
        }
    }

    /// Date, ETag, checksum, size and class of one entry.
    mutating func described(_ object: ObjectVersion) {
        element("LastModified", DateFormats.iso8601(object.modified))
        element("ETag", object.etag.quoted)
        if let checksum = object.checksum {
            element("ChecksumAlgorithm", checksum.algorithm.s3Name)
            element("ChecksumType", checksum.kind.s3Name)
        }
        element("Size", object.size)
        if let storageClass = object.attributes.storageClass {
            element("StorageClass", storageClass)
        } else {
            element("StorageClass", "STANDARD" as StaticString)
        }
    }
}
