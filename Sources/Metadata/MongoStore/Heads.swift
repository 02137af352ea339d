import Mongo

/// Names a head: a key of a bucket.
struct HeadKey: Hashable, Sendable {
    let bucket: BucketID
    let key: ObjectKey

    var id: BSONValue { ["b": .int64(bucket.value), "k": .text(KeyText.encode(key.utf8))] }

    /// The `_id` of a row of `versions`.
    func row(_ sequence: Int64) -> BSONValue {
        ["b": .int64(bucket.value), "k": .text(KeyText.encode(key.utf8)), "s": .int64(sequence)]
    }

    init(_ bucket: BucketID, _ key: ObjectKey) { (self.bucket, self.key) = (bucket, key) }

    /// Nil for an id that no head has.
    init?(id: BSONView?) {
        guard let id, let bucket = id["b"]?.integer, let text = id["k"]?.text, let bytes = KeyText.decode(text),
            let key = ObjectKey(bytes)
        else { return nil }
        self.init(BucketID(bucket), key)
    }
}

/// The one document of a key, in every versioning state.
///
/// - `seq` ascends with every change: one more than before, or the cluster's time where that is later. A head that was removed and made
///   again therefore goes on above its former numbers.
/// - `latest` is the latest version, absent where there is none: a tombstone, or a key that was never written.
/// - `live` is true where `latest` is an object and no delete marker; else it is absent.
/// - `outbox` holds what changes left to be moved, oldest first; `due` since when it holds anything; `gone` since when the head is a
///   tombstone with nothing to move, after which the server removes it.
/// - `events` holds events that have no position yet, oldest first, see `HeadEvent`; `told` since when it holds any.
/// - `asset` is what the key's asset is by itself, see `AssetHeads.swift`; absent where there is none.
/// - `w` is the id of the last write.
struct Head: Sendable {
    let key: HeadKey
    let sequence: Int64
    let latest: VersionDocument?
    let outbox: [OutboxEntry]
    let eventCount: Int
    let write: Int64?
    let assetFields: BSONView?

    init(_ view: BSONView) throws(MetadataError) {
        guard let key = HeadKey(id: view["_id"]?.document) else { throw .broken("heads: a malformed key") }
        self.key = key
        sequence = view["seq"]?.integer ?? 0
        latest = view["latest"]?.document.map { VersionDocument(view: $0) }
        write = view["w"]?.integer
        assetFields = view["asset"]?.document
        var entries: [OutboxEntry] = []
        for value in view["outbox"]?.array ?? [] {
            guard let entry = value.document.flatMap({ OutboxEntry($0) }) else {
                throw .broken("heads: an unknown entry of an outbox")
            }
            entries.append(entry)
        }
        outbox = entries
        eventCount = view["events"]?.array?.count ?? 0
    }
}

/// What a change left to be moved. `sequence` is that of the change.
struct OutboxEntry: Sendable {
    enum Kind: Sendable {
        /// Was the latest version, and is a former one now (`v`).
        case archived(VersionDocument)
        /// Was the latest version, and is gone (`g`).
        case dropped(VersionDocument)
        /// The former version of that sequence is gone (`d`).
        case removed(Int64)
        /// Former versions with the id `null` below that sequence are gone (`n`).
        case nullsRemoved(below: Int64)
        /// The former version of that sequence has other tags (`t`).
        case tagged(Int64, VersionDocument.Patch)
        /// The asset is another than its row says (`a`).
        case asset
        /// That asset is gone (`z`).
        case assetRemoved(AssetID)
    }

    let sequence: Int64
    let write: Int64?
    let kind: Kind

    init?(_ view: BSONView) {
        guard let sequence = view["s"]?.integer, let name = view["t"]?.text, name.count == 1 else { return nil }
        self.sequence = sequence
        write = view["w"]?.integer
        let version = view["v"]?.document.map { VersionDocument(view: $0) }
        let target = view["x"]?.integer
        switch (name[0], version, target) {
        case (UInt8(ascii: "v"), .some(let version), _): kind = .archived(version)
        case (UInt8(ascii: "g"), .some(let version), _): kind = .dropped(version)
        case (UInt8(ascii: "d"), _, .some(let target)): kind = .removed(target)
        case (UInt8(ascii: "n"), _, _): kind = .nullsRemoved(below: sequence)
        case (UInt8(ascii: "t"), _, .some(let target)):
            kind = .tagged(target, VersionDocument.Patch(record: view["r"]?.binary))
        case (UInt8(ascii: "a"), _, _): kind = .asset
        case (UInt8(ascii: "z"), _, _):
            guard let id = view["i"]?.binary.flatMap({ AssetID(bytes: $0) }) else { return nil }
            kind = .assetRemoved(id)
        default: return nil
        }
    }

    /// The version that the entry carries.
    var version: VersionDocument? {
        switch kind {
        case .archived(let version), .dropped(let version): version
        default: nil
        }
    }
}

/// What a head says about the former versions of its key, over what the rows of `versions` say: they follow later.
struct FormerVersions: Sendable {
    /// By sequence; they replace rows.
    private(set) var archived: [Int64: VersionDocument] = [:]
    private(set) var hidden: Set<Int64> = []
    private(set) var nullsBelow = Int64.min
    private var tags: [Int64: VersionDocument.Patch] = [:]

    init(_ head: Head) {
        for entry in head.outbox {
            switch entry.kind {
            case .archived(let version):
                archived[version.sequence] = version
                tags[version.sequence] = nil
            case .dropped(let version): hidden.insert(version.sequence)
            case .removed(let sequence): hidden.insert(sequence)
            case .nullsRemoved(let below): nullsBelow = below
            case .tagged(let sequence, let patch): tags[sequence] = patch
            case .asset, .assetRemoved: break
            }
        }
        // One that is the latest again may have a row, or an entry, from when it was not.
        if let latest = head.latest { hidden.insert(latest.sequence) }
        archived = archived.filter { isShown($0.value) }
    }

    /// Whether a former version is still there.
    func isShown(_ version: VersionDocument) -> Bool {
        !hidden.contains(version.sequence) && !(version.isNull && version.sequence < nullsBelow)
    }

    func patch(of sequence: Int64) -> VersionDocument.Patch? { tags[sequence] }

    /// The rows and the outbox as one, newest first. `rows` are newest first too.
    func merged(with rows: [VersionDocument]) -> [VersionDocument] {
        let others = rows.filter { archived[$0.sequence] == nil && isShown($0) }
        return (archived.values + others).sorted { $0.sequence > $1.sequence }
    }
}
