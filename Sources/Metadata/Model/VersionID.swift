/// Names a version of a key: `null`, or an id of 32 lower-case hexadecimal digits that the store gave.
public enum VersionID: Hashable, Sendable {
    case null
    case id([UInt8])

    /// Nil for text that no version can have.
    public init?(_ text: some Collection<UInt8>) {
        if text.elementsEqual("null".utf8) {
            self = .null
        } else if text.count == 32, text.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }) {
            self = .id([UInt8](text))
        } else {
            return nil
        }
    }

    public var utf8: [UInt8] {
        switch self {
        case .null: [UInt8]("null".utf8)
        case .id(let bytes): bytes
        }
    }
}
