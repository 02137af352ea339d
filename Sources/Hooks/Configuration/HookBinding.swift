public import JSON
public import Metadata

/// Events of a bucket that set off a hook beside its own, or that a target is told of: a part of the bucket's notification
/// configuration (API/PutBucketNotificationConfiguration). A hook's `when` holds for them too.
public struct HookBinding: Sendable, Equatable {
    /// Of the bindings of a bucket each has another.
    public var id: String
    public var destination: Destination
    /// As they were written: `s3:ObjectCreated:*`.
    public var words: [String]
    public var prefix: String
    public var suffix: String
    public private(set) var events: Set<EventName>

    public enum Destination: Sendable, Equatable {
        case hook(String)
        /// As a queue, or as a topic: the two are the same here, and are shown as they were written.
        case target(TargetName, isTopic: Bool)
    }

    /// Nil where a target is told.
    public var hook: String? { if case .hook(let name) = destination { name } else { nil } }
    public var target: TargetName? { if case .target(let name, _) = destination { name } else { nil } }

    static let countMax = 100

    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let members = try JSONMembers(value, of: ["id", "hook", "target", "topic", "on", "prefix", "suffix"], at: path)
        id = try members.requiredText("id", wanted: "a text of at most 255 bytes")
        guard (1...255).contains(id.utf8.count) else {
            throw members.fault("id", wanted: "a text of at most 255 bytes")
        }
        if let text = try members.text("target", wanted: TargetName.wanted) {
            guard let target = TargetName(text) else { throw members.fault("target", wanted: TargetName.wanted) }
            guard !members.has("hook") else { throw members.fault("target", wanted: "either a hook or a target") }
            destination = .target(target, isTopic: try members.flag("topic") ?? false)
        } else {
            destination = .hook(try members.requiredText("hook", wanted: "the name of one of the hooks"))
        }
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
    public static func value(
        id: String, to destination: Destination, words: [String], prefix: String, suffix: String
    ) -> JSONValue {
        let place: [JSONValue.Member] =
            switch destination {
            case .hook(let name): [.init("hook", .string(name))]
            case .target(let name, let isTopic):
                [.init("target", .string(name.description)), .init("topic", .bool(isTopic))]
            }
        return .object(
            [.init("id", .string(id))] + place + [
                .init("on", .array(words.map { .string($0) })), .init("prefix", .string(prefix)),
                .init("suffix", .string(suffix)),
            ])
    }

    func matches(_ event: EventName, _ key: [UInt8]) -> Bool {
        events.contains(event) && key.starts(with: prefix.utf8) && key.count >= suffix.utf8.count
            && key.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
