public import JSON
public import Metadata

/// Events of a bucket that set off a hook beside its own: a part of the bucket's notification configuration
/// (API/PutBucketNotificationConfiguration). The hook's `when` holds for them too.
public struct HookBinding: Sendable, Equatable {
    /// Of the bindings of a bucket each has another.
    public var id: String
    public var hook: String
    /// As they were written: `s3:ObjectCreated:*`.
    public var words: [String]
    public var prefix: String
    public var suffix: String
    public private(set) var events: Set<EventName>

    static let countMax = 100

    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let members = try JSONMembers(value, of: ["id", "hook", "on", "prefix", "suffix"], at: path)
        id = try members.requiredText("id", wanted: "a text of at most 255 bytes")
        guard (1...255).contains(id.utf8.count) else {
            throw members.fault("id", wanted: "a text of at most 255 bytes")
        }
        hook = try members.requiredText("hook", wanted: "the name of one of the hooks")
        prefix = try members.text("prefix", wanted: "the beginning of keys") ?? ""
        suffix = try members.text("suffix", wanted: "the end of keys") ?? ""
        words = []
        events = []
        for (place, word) in try members.texts("on", countMax: 50, wanted: EventSelector.wanted) {
            guard let found = EventSelector.events(of: word) else {
                throw JSONFault(path: place, value: word, wanted: EventSelector.wanted)
            }
            words.append(word)
            events.formUnion(found)
        }
        guard !events.isEmpty else { throw members.fault("on", wanted: EventSelector.wanted) }
    }

    /// As it is read.
    public static func value(id: String, hook: String, words: [String], prefix: String, suffix: String) -> JSONValue {
        [
            "id": .string(id), "hook": .string(hook), "on": .array(words.map { .string($0) }),
            "prefix": .string(prefix), "suffix": .string(suffix),
        ]
    }

    func matches(_ event: EventName, _ key: [UInt8]) -> Bool {
        events.contains(event) && key.starts(with: prefix.utf8) && key.count >= suffix.utf8.count
            && key.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
