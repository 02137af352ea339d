public import Bytes

/// One value of a condition key, as the request has it.
public enum Fact: Sendable, Equatable {
    case text([UInt8])
    case number(Int64)
    case flag(Bool)
    case moment(Timestamp)
    case address(IPAddress)

    /// As conditions on texts and policy variables see it.
    var bytes: [UInt8] {
        switch self {
        case .text(let text): text
        case .number(let number): Array("\(number)".utf8)
        case .flag(let flag): Array((flag ? "true" : "false").utf8)
        case .moment(let moment): DateFormats.iso8601(moment)
        case .address(let address): address.text
        }
    }

    var number: Double? {
        switch self {
        case .number(let number): Double(number)
        case .text(let text): PolicyNumber.parse(text)
        case .flag, .moment, .address: nil
        }
    }

    var moment: Timestamp? {
        switch self {
        case .moment(let moment): moment
        case .number(let seconds): Timestamp(seconds: seconds)
        case .text(let text): PolicyDate.parse(text)
        case .flag, .address: nil
        }
    }

    var flag: Bool? {
        switch self {
        case .flag(let flag): flag
        case .text(let text): PolicyFlag.parse(text)
        case .number, .moment, .address: nil
        }
    }

    var address: IPAddress? {
        switch self {
        case .address(let address): address
        case .text(let text): IPAddress(text)
        case .number, .flag, .moment: nil
        }
    }
}

/// What is known of a request under each key. An absent key is one that the request does not have.
public struct Facts: Sendable {
    private var entries: [(key: ConditionKey, values: [Fact])] = []

    public init() {}

    /// The last value set for a key counts.
    public subscript(key: ConditionKey) -> [Fact]? {
        get {
            for entry in entries where entry.key == key { return entry.values }
            return nil
        }
        set {
            entries.removeAll { $0.key == key }
            if let newValue { entries.append((key, newValue)) }
        }
    }
}
