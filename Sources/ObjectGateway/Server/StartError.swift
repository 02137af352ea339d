/// Why a store could not be opened or a gateway not be started, in one sentence for the person who started it.
public struct StartError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
