/// Why a query cannot be read.
public struct SearchQueryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The character at which it went wrong, counted from 1; one past the last where something is missing at the end.
    public let position: Int
    /// What would have been right there, in words.
    public let expected: String

    public var description: String { "position \(position): expected \(expected)" }
}
