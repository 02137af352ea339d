import JSON

/// One step of a hook.
public struct Step: Sendable, Equatable {
    public enum OnError: String, Sendable, CaseIterable {
        /// The steps after it are not run, and the hook has failed.
        case stop
        /// The steps after it run without its output.
        case proceed = "continue"
    }

    public var name: String
    public var action: StepAction
    /// The step that must have ended before, and whose files this one takes; nil takes the object.
    public var after: String?
    public var onError = OnError.stop
    /// Of one try.
    public var timeout: Duration
    public var retry: RetryPolicy

    static let timeoutMax = Duration.seconds(24 * 3600)
    private static let common = ["after", "on_error", "timeout", "retry"]

    init(_ name: String, reading value: JSONValue, at path: String, presets: Set<String>) throws(JSONFault) {
        let all = StepAction.names + Self.common + StepAction.ownMembers.values.flatMap { $0 }
        let members = try JSONMembers(value, of: all, at: path)
        let actions = StepAction.names.filter(members.has)
        guard actions.count == 1, let kind = actions.first else {
            throw JSONFault(
                path: path, wanted: "exactly one of \(StepAction.names.joined(separator: ", ").namingChoices())")
        }
        for (owner, names) in StepAction.ownMembers where owner != kind {
            for name in names where members.has(name) {
                throw members.fault(name, wanted: "no such member of a step of kind \(kind)")
            }
        }
        self.name = name
        action = try StepAction(kind, in: members, presets: presets)
        after = try members.name("after")
        onError = try members.choice("on_error", OnError.self) ?? onError
        timeout =
            try members.duration("timeout", in: .milliseconds(100)...Self.timeoutMax)
            ?? (kind == "addon" ? .seconds(30 * 60) : .seconds(3600))
        retry =
            try members["retry"].map { (value) throws(JSONFault) in
                try RetryPolicy(reading: value, at: members.path(of: "retry"))
            } ?? RetryPolicy()
    }
}
