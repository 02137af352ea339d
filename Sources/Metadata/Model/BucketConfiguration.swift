/// What a bucket is configured with beside its versioning: at most one document of each kind, as the operation that sets it keeps it.
///
/// Documents are checked by who sets them, and are at most a few KiB long, as their operations say.
public struct BucketConfiguration: Sendable, Equatable {
    /// The numbers are stored, and never change meaning.
    public enum Kind: UInt8, Sendable, CaseIterable, Comparable {
        case tags = 1
        case cors
        case policy
        case publicAccessBlock

        public static func < (a: Kind, b: Kind) -> Bool { a.rawValue < b.rawValue }
    }

    private var documents: [Kind: [UInt8]] = [:]

    public init() {}

    /// Nil where nothing of the kind was set.
    public subscript(_ kind: Kind) -> [UInt8]? {
        get { documents[kind] }
        set { documents[kind] = newValue }
    }

    public var isEmpty: Bool { documents.isEmpty }

    /// In order of kind.
    var all: [(kind: Kind, document: [UInt8])] {
        documents.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
