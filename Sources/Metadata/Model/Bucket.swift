public import Bytes

/// The name of a bucket by AWS's rules for general purpose buckets (userguide/bucketnamingrules): 3...63 of
/// `a-z 0-9 . -`, beginning and ending with a letter or digit, no `..`, not an IPv4 address, no reserved prefix or suffix.
public struct BucketName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let utf8: [UInt8]

    public init?(_ bytes: some Collection<UInt8>) {
        let name = [UInt8](bytes)
        guard (3...63).contains(name.count), let first = name.first, let last = name.last,
            Self.isLetterOrDigit(first), Self.isLetterOrDigit(last),
            name.allSatisfy({ Self.isLetterOrDigit($0) || $0 == Ascii.dash || $0 == Ascii.dot })
        else { return nil }
        // Between dots stand DNS labels, or virtual-host style could not name the bucket.
        for (a, b) in zip(name, name.dropFirst()) {
            if a == Ascii.dot, b == Ascii.dot || b == Ascii.dash { return nil }
            if a == Ascii.dash, b == Ascii.dot { return nil }
        }
        let labels = name.split(separator: Ascii.dot)
        if labels.count == 4, labels.allSatisfy({ $0.allSatisfy(Ascii.isDigit) && $0.count <= 3 }) { return nil }
        for prefix in ["xn--", "sthree-", "amzn-s3-demo-"] where name.starts(with: prefix.utf8) { return nil }
        for suffix in ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]
        where name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) { return nil }
        utf8 = name
    }

    public static func < (a: BucketName, b: BucketName) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    public var description: String { String(decoding: utf8, as: UTF8.self) }

    private static func isLetterOrDigit(_ c: UInt8) -> Bool { Ascii.isLower(c) || Ascii.isDigit(c) }
}

/// Identifies a bucket for as long as it lives; a bucket made again under the same name has another.
public struct BucketID: Hashable, Sendable {
    public let value: Int64
    public init(_ value: Int64) { self.value = value }
}

/// Whether a bucket keeps former versions (userguide/Versioning).
public enum VersioningState: UInt8, Sendable, Equatable {
    /// Never switched on: one `null` version per key.
    case unversioned = 0
    case enabled = 1
    /// Was on: writes replace the `null` version, others stay.
    case suspended = 2
}

public struct Bucket: Sendable, Equatable {
    public let id: BucketID
    public let name: BucketName
    /// The name of the user who made it.
    public let owner: String
    public let created: Timestamp
    public let versioning: VersioningState
    /// Whether its objects are assets, where that was said; nil as the name has it.
    public let assets: Bool?
    public let configuration: BucketConfiguration

    public init(
        id: BucketID, name: BucketName, owner: String, created: Timestamp, versioning: VersioningState,
        assets: Bool? = nil, configuration: BucketConfiguration = BucketConfiguration()
    ) {
        self.id = id
        self.name = name
        self.owner = owner
        self.created = created
        self.versioning = versioning
        self.assets = assets
        self.configuration = configuration
    }

    func configured(by configuration: BucketConfiguration) -> Bucket {
        Bucket(
            id: id, name: name, owner: owner, created: created, versioning: versioning, assets: assets,
            configuration: configuration)
    }

    /// Whether its objects are assets: where nothing was said, those of the buckets that every store begins with, one for
    /// each type.
    public var hasAssets: Bool { assets ?? name.isOfTypedBucket }
}

extension BucketName {
    /// Whether this is the bucket of one type of assets.
    fileprivate var isOfTypedBucket: Bool {
        utf8.count >= 12 && utf8.suffix(7).elementsEqual("-assets".utf8)
            && AssetType.allCases.contains { $0.name.utf8.elementsEqual(utf8.dropLast(7)) }
    }
}
