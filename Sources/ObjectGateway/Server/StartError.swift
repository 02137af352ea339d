import Metadata

/// Why a store could not be opened or a gateway not be started, in one sentence for the person who started it.
public struct StartError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    /// Starting again ends the same way: what the person wrote cannot be used, or what is stored is damaged.
    public let isFinal: Bool

    public init(_ description: String) {
        self.description = description
        isFinal = false
    }

    /// `what` happened because of `error`. Of a damaged database it also says what cures it.
    init(_ what: String, because error: any Error) {
        let damage: String? =
            switch error {
            case MetadataError.damaged(let reason), UserError.store(.damaged(let reason)): reason
            default: nil
            }
        description =
            damage.map { "\(what): \($0); `ogw check --rebuild` makes the database anew from its base and the log." }
            ?? "\(what): \(error)."
        isFinal = damage != nil
    }

    init(_ error: SettingError) {
        description = error.description
        isFinal = true
    }
}
