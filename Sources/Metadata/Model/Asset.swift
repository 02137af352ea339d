public import Bytes

/// Names an asset for as long as it lives, over its versions and moves: a UUID of version 7 (RFC 9562 section 5.7), so ids
/// ascend with the time at which assets were made.
public struct AssetID: Hashable, Comparable, Sendable {
    /// 16 bytes.
    public let bytes: [UInt8]

    /// Nil unless there are 16.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// A new one.
    public init(at moment: Timestamp) { bytes = UUIDBytes.version7(at: moment) }

    /// Reads the form with dashes, in either case; nil for anything else.
    public init?(_ text: some Collection<UInt8>) {
        guard let bytes = UUIDBytes.parse(text) else { return nil }
        self.bytes = bytes
    }

    /// 36 characters, with dashes, lower case.
    public var text: [UInt8] { UUIDBytes.text(bytes) }

    public static func < (a: AssetID, b: AssetID) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

/// What an asset is, by its content type, or by the extension of its name where that says nothing.
public enum AssetType: UInt8, Sendable, CaseIterable {
    case audio = 1, image, video, document

    public var name: String {
        switch self {
        case .audio: "audio"
        case .image: "image"
        case .video: "video"
        case .document: "document"
        }
    }

    /// What neither tells is a document.
    public init(contentType: [UInt8]?, key: [UInt8]) {
        let essence = Ascii.lowered(Ascii.split((contentType ?? [])[...], at: Ascii.semicolon)[0])
        let group = Ascii.split(essence[...], at: Ascii.slash)[0]
        if let type = [Self.audio, .image, .video].first(where: { $0.name.utf8.elementsEqual(group) }) {
            self = type
        } else if essence.isEmpty || essence.elementsEqual("application/octet-stream".utf8)
            || essence.elementsEqual("binary/octet-stream".utf8)
        {
            self = Self.byExtension[AssetName.fileExtension(of: key)] ?? .document
        } else {
            self = .document
        }
    }

    private static let byExtension: [[UInt8]: AssetType] = {
        let lists: [(AssetType, String)] = [
            (.audio, "wav mp3 ogg oga opus flac aac m4a aif aiff wma"),
            (.image, "png jpg jpeg webp svg gif avif heic heif tif tiff bmp ico psd"),
            (.video, "mp4 m4v webm avi mov mkv mpg mpeg ogv wmv 3gp"),
        ]
        var types: [[UInt8]: AssetType] = [:]
        for (type, list) in lists {
            for name in list.utf8.split(separator: Ascii.space) { types[[UInt8](name)] = type }
        }
        return types
    }()
}

/// The parts of a key that assets are named by.
public enum AssetName {
    /// Behind the last slash; the whole key where nothing is behind it.
    public static func last(of key: [UInt8]) -> [UInt8] {
        let name = key[((key.lastIndex(of: Ascii.slash) ?? -1) + 1)...]
        return name.isEmpty ? key : [UInt8](name)
    }

    /// Behind the name's last dot, lower case; empty where there is none, or nothing before it.
    static func fileExtension(of key: [UInt8]) -> [UInt8] {
        let name = last(of: key)
        guard let dot = name.lastIndex(of: Ascii.dot), dot > 0 else { return [] }
        return Ascii.lowered(name[(dot + 1)...])
    }

    /// Before the last slash, without the customer's name at its beginning; empty for none.
    static func folder(of key: [UInt8], customer: [UInt8]?) -> [UInt8] {
        guard let slash = key.lastIndex(of: Ascii.slash) else { return [] }
        var parts = key[..<slash].split(separator: Ascii.slash)[...]
        if let customer, let first = parts.first, first.elementsEqual(customer) { parts = parts.dropFirst() }
        return [UInt8](parts.joined(separator: [Ascii.slash]))
    }
}

/// What is known of an asset beside its object: what a probe found, and what people wrote. Carried to new versions.
public struct AssetDetails: Sendable, Equatable {
    /// In milliseconds.
    public var duration: Int64?
    /// In pixels.
    public var width: Int64?
    public var height: Int64?
    /// Where it is another than that in the key.
    public var name: [UInt8]?
    public var originalFilename: [UInt8]?
    public var title: [UInt8]?
    public var description: [UInt8]?
    /// Where it is another than that in the key.
    public var folder: [UInt8]?
    public var category: [UInt8]?
    /// One JSON object; nil for none.
    public var custom: [UInt8]?
    /// Where it was set; `AssetDocument.focalPoint` has that of the object too.
    public var focalPoint: FocalPoint?
    /// What else a probe found: one JSON object; nil for none.
    public var media: [UInt8]?
    /// What a probe found to search by: words of the content, white space squeezed.
    public var text: [UInt8]?

    public init() {}

    /// With what a probe found in place of what was found before.
    public func with(_ found: AssetFindings) -> AssetDetails {
        var details = self
        (details.duration, details.width, details.height) = (found.duration, found.width, found.height)
        (details.media, details.text) = (found.media, found.text)
        return details
    }
}

/// What a probe found of a version.
public struct AssetFindings: Sendable, Equatable {
    /// In milliseconds.
    public var duration: Int64?
    /// In pixels.
    public var width: Int64?
    public var height: Int64?
    /// See `AssetDetails`.
    public var media: [UInt8]?
    /// Of at most `textMax` bytes.
    public var text: [UInt8]?

    /// It is part of each record of the asset.
    public static let textMax = 16 << 10

    public init() {}
}

/// The face of an object that makes it an asset. Its size, content type, tags and versions are those of the object.
public struct Asset: Sendable, Equatable {
    public var id: AssetID
    public var bucket: BucketID
    public var key: ObjectKey
    /// Of the user who made it.
    public var customer: String?
    /// The name of the user who made it.
    public var user: String
    public var type: AssetType
    public var created: Timestamp
    public var updated: Timestamp
    /// When it was deleted, which a delete marker does; it can be restored.
    public var deleted: Timestamp?
    public var details: AssetDetails

    public init(
        id: AssetID, bucket: BucketID, key: ObjectKey, customer: String?, user: String, type: AssetType,
        created: Timestamp, updated: Timestamp, deleted: Timestamp?, details: AssetDetails
    ) {
        self.id = id
        self.bucket = bucket
        self.key = key
        self.customer = customer
        self.user = user
        self.type = type
        self.created = created
        self.updated = updated
        self.deleted = deleted
        self.details = details
    }
}
