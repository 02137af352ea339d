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
    private var version: [UInt8] {
        if case .id(let id)? = event.versionID { return id }
        return Hex.encode(UInt64(bitPattern: event.sequence), width: 16)
    }
}
