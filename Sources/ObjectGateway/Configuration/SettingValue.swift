import Bytes
import HTTPServer

/// A value as the person wrote it, and where. Each reading gives a value of the range asked for, or a sentence.
struct SettingValue: Sendable {
    let text: String
    let place: String
    let isSecret: Bool

    func error(wanted: String) -> SettingError {
        SettingError(place: place, value: isSecret ? nil : text, wanted: wanted)
    }

    func nonEmpty(wanted: String) throws(SettingError) -> String {
        guard !text.isEmpty, !text.utf8.contains(0) else { throw error(wanted: wanted) }
        return text
    }

    func integer(_ range: ClosedRange<Int>, unit: String = "") throws(SettingError) -> Int {
        guard let number = Ascii.decimal(text.utf8), let value = Int(exactly: number), range.contains(value) else {
            throw error(wanted: "a whole number from \(range.lowerBound) to \(range.upperBound)\(unit)")
        }
        return value
    }

    func choice<Choice: CaseIterable & RawRepresentable>(
        _ type: Choice.Type
    ) throws(SettingError) -> Choice where Choice.RawValue == String {
        guard let value = Choice(rawValue: text) else {
            throw error(wanted: Choice.allCases.map { $0.rawValue }.joined(separator: " or "))
        }
        return value
    }

    func onOff() throws(SettingError) -> Bool {
        switch text {
        case "on", "true", "1", "yes": return true
        case "off", "false", "0", "no": return false
        default: throw error(wanted: "on or off")
        }
    }

    /// Bytes: `1048576`, `5MiB`, `5GiB`, `5GB`.
    func size(_ range: ClosedRange<UInt64>) throws(SettingError) -> UInt64 {
        guard let value = SizeText.parse(text.utf8) else { throw error(wanted: SizeText.wanted) }
        guard range.contains(value) else {
            throw error(wanted: "\(SizeText.wanted), from \(range.lowerBound) to \(range.upperBound) bytes")
        }
        return value
    }

    /// `500ms`, `30s`, `5m`, `1h`; a bare number is seconds.
    func duration(_ range: ClosedRange<Duration>) throws(SettingError) -> Duration {
        guard let value = DurationText.parse(text.utf8) else { throw error(wanted: DurationText.wanted) }
        guard range.contains(value) else {
            throw error(wanted: "\(DurationText.wanted), from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A list with commas; spaces around the parts are dropped, empty parts refused.
    func list(wanted: String) throws(SettingError) -> [String] {
        var parts: [String] = []
        for part in text.utf8.split(separator: Ascii.comma, omittingEmptySubsequences: false) {
            let trimmed = Ascii.trimmed(part)
            guard !trimmed.isEmpty else { throw error(wanted: wanted) }
            parts.append(String(ascii: trimmed))
        }
        return parts
    }

    /// `host:port,...`, `[v6]:port` and `unix:/path`; `off` is the empty list where `mayBeOff`.
    func addresses(mayBeOff: Bool) throws(SettingError) -> [ListenAddress] {
        if mayBeOff, text == "off" { return [] }
        let wanted =
            "addresses such as 127.0.0.1:9000, [::1]:9000 or unix:/run/ogw.sock, separated by commas"
            + (mayBeOff ? ", or off" : "")
        var addresses: [ListenAddress] = []
        for part in try list(wanted: wanted) {
            guard let address = ListenAddress(part) else { throw error(wanted: wanted) }
            if case .unix(let path) = address, !path.hasPrefix("/") { throw error(wanted: wanted) }
            addresses.append(address)
        }
        return addresses
    }
}
