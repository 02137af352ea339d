/// What is wrong with a JSON document, and where.
public struct JSONFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path of the value from the root: `hooks[0].steps.mark.scale`; empty for the whole document.
    public let path: String
    /// The value as it was given, where it is short and may be shown.
    public let value: String?
    /// What would have been right there, in words.
    public let wanted: String

    public init(path: String, value: String? = nil, wanted: String) {
        self.path = path
        self.value = value
        self.wanted = wanted
    }

    public var description: String {
        let place = path.isEmpty ? "the document" : path
        return value.map { "\(place) is \"\($0)\": wanted \(wanted)" } ?? "\(place): wanted \(wanted)"
    }
}
