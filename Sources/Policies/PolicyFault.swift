/// Why a policy was refused.
public struct PolicyFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// In AWS's words.
    public let message: String
    /// Where it stands: `Statement[0].Condition.StringEquals`, or `byte 17` for what is not JSON; empty for the whole document.
    public let place: String

    init(_ message: String, at place: String = "") {
        self.message = message
        self.place = place
    }

    public var description: String { place.isEmpty ? message : "\(message) (\(place))" }
}
