import Metadata

/// Why a store could not be opened or a gateway not be started, in one sentence for the person who started it.
public struct StartError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    /// What the person wrote cannot be used, rather than what the machine has.
    public let isWrongSetting: Bool
    /// It may pass without anybody's doing: a server is not there yet.
    public let isPassing: Bool

    public init(_ description: String, isWrongSetting: Bool = false, isPassing: Bool = false) {
        self.description = description
        self.isWrongSetting = isWrongSetting
        self.isPassing = isPassing
    }

    /// What happened while `doing`, a sentence without its end.
    init(_ doing: String, _ error: any Error) {
        switch error {
        case MetadataError.unavailable(let reason), MetadataError.overloaded(let reason),
            UserError.store(.unavailable(let reason)), UserError.store(.overloaded(let reason)):
            self.init("\(doing): \(reason).", isPassing: true)
        case let error as StartError: self = error
        default: self.init("\(doing): \(error).")
        }
    }

    /// The key file at `path` opens no secrets of the store.
    init(wrongKey path: String) {
        self.init(
            "\(path) is another key than the one that the users' secret keys are sealed with: put the key file of the store there, or name it in OGW_KEY_FILE.",
            isWrongSetting: true)
    }

    /// What MongoDB said.
    init(mongoDB error: MetadataError) {
        switch error {
        case .unavailable(let reason), .overloaded(let reason):
            self.init("OGW_METADATA: \(reason).", isPassing: true)
        case .broken(let reason): self.init("OGW_METADATA: \(reason).", isWrongSetting: true)
        default: self.init("OGW_METADATA: \(error).")
        }
    }

    init(_ error: SettingError) {
        self.init(error.description, isWrongSetting: true)
    }
}
