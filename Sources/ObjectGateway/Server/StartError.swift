import Metadata

/// Why a store could not be opened or a gateway not be started, in one sentence for the person who started it.
public struct StartError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    /// Starting again ends the same way: what the person wrote cannot be used, or what is stored is damaged.
    public let isFinal: Bool
    /// It may pass without anybody's doing: a server is not there yet.
    public let isPassing: Bool
    /// Another process uses the folder.
    let isHeld: Bool

    public init(_ description: String, isFinal: Bool = false, isPassing: Bool = false) {
        self.init(description, isFinal: isFinal, isPassing: isPassing, isHeld: false)
    }

    private init(_ description: String, isFinal: Bool, isPassing: Bool, isHeld: Bool) {
        self.description = description
        self.isFinal = isFinal
        self.isPassing = isPassing
        self.isHeld = isHeld
    }

    static func held(_ folder: String) -> StartError {
        StartError(
            "OGW_DATA is \"\(folder)\": wanted a folder that no other process uses (its LOCK is held).", isFinal: false,
            isPassing: false, isHeld: true)
    }

    /// `what` happened because of `error`. Of a damaged database it also says what cures it.
    init(_ what: String, because error: any Error) {
        switch error {
        case MetadataError.damaged(let reason), UserError.store(.damaged(let reason)):
            self.init(
                "\(what): \(reason); `ogw check --rebuild` makes the database anew from its base and the log.",
                isFinal: true)
        case MetadataError.unavailable(let reason), MetadataError.overloaded(let reason),
            UserError.store(.unavailable(let reason)), UserError.store(.overloaded(let reason)):
            self.init("\(what): \(reason).", isPassing: true)
        case let error as StartError: self = error
        default: self.init("\(what): \(error).")
        }
    }

    /// The key file at `path` opens no secrets of the store.
    init(wrongKey path: String) {
        self.init(
            "\(path) is another key than the one that the users' secret keys are sealed with: put the key file of the store there, or name it in OGW_KEY_FILE.",
            isFinal: true)
    }

    /// What MongoDB said.
    init(mongoDB error: MetadataError) {
        switch error {
        case .unavailable(let reason), .overloaded(let reason):
            self.init("OGW_METADATA: \(reason).", isPassing: true)
        case .broken(let reason): self.init("OGW_METADATA: \(reason).", isFinal: true)
        default: self.init("OGW_METADATA: \(error).")
        }
    }

    init(_ error: SettingError) {
        self.init(error.description, isFinal: true)
    }
}
