import Bytes
public import Metadata

/// The keys of the files that a step makes: the same for the same event, so that a second try replaces what the first one made.
public struct OutputKeys: Sendable {
    private let place: OutputPlace
    private let event: ObjectEvent
    private let step: String

    public init(_ place: OutputPlace, event: ObjectEvent, step: String) {
        (self.place, self.event, self.step) = (place, event, step)
    }

    /// Why a file can have no key.
    public enum Fault: Error, Sendable, Equatable {
        case tooLong(name: String)
        /// Two files of one step would have the same.
        case twice(key: String)
    }

    /// In the order of `names`.
    public func keys(of names: [String], hashing: ([UInt8]) -> [UInt8]) throws(Fault) -> [ObjectKey] {
        var keys: [ObjectKey] = []
        for name in names {
            guard
                let key = key(of: name, source: event.key.utf8)
                    // Of a source whose key leaves no room its digest stands in its place.
                    ?? key(of: name, source: Hex.encode(hashing(event.key.utf8)))
            else { throw .tooLong(name: name) }
            guard !keys.contains(key) else { throw .twice(key: key.text) }
            keys.append(key)
        }
        return keys
    }

    private func key(of name: String, source: [UInt8]) -> ObjectKey? {
        let bytes = Array(name.utf8)
        let stem = bytes.lastIndex(of: Ascii.dot).map { $0 > 0 ? Array(bytes[..<$0]) : bytes } ?? bytes
        return ObjectKey(
            place.key([
                "bucket": Array(event.draft.bucketName.description.utf8), "key": source, "version": version,
                "step": Array(step.utf8), "name": bytes, "stem": stem,
            ]))
    }

    /// An object that is replaced in place has the version `null` each time; its place among the changes tells one from another.
    private var version: [UInt8] { Self.name(of: event.versionID, sequence: event.sequence) }

    private static func name(of version: VersionID?, sequence: Int64) -> [UInt8] {
        if case .id(let id)? = version { return id }
        return Hex.encode(UInt64(bitPattern: sequence), width: 16)
    }

    /// What the keys of all files begin with that hooks without a place of their own make of a version; behind it stand the step, a
    /// slash and the file's name. Hashed, where the key leaves no room.
    public static func prefix(
        of version: ObjectVersion, in bucket: BucketName, hashing: (([UInt8]) -> [UInt8])? = nil
    ) -> [UInt8] {
        let source = hashing.map { Hex.encode($0(version.key.utf8)) } ?? version.key.utf8
        let parts = [bucket.utf8, source, name(of: version.versionID, sequence: version.sequence)]
        return Array(parts.joined(separator: [Ascii.slash])) + [Ascii.slash]
    }
}
