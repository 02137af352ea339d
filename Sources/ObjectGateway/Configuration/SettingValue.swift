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
        let wanted = "a size such as 1048576, 64MiB or 5GiB"
        let digits = text.utf8.prefix { Ascii.isDigit($0) }
        let units: [(String, UInt64)] = [
            ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
            ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ]
        let suffix = String(text.dropFirst(digits.count))
        guard let number = Ascii.decimal(digits), let unit = units.first(where: { $0.0 == suffix }) else {
            throw error(wanted: wanted)
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit.1)
        guard !overflow, range.contains(value) else {
            throw error(wanted: "\(wanted), from \(range.lowerBound) to \(range.upperBound) bytes")
        }
        return value
    }

    /// `500ms`, `30s`, `5m`, `1h`; a bare number is seconds.
    func duration(_ range: ClosedRange<Duration>) throws(SettingError) -> Duration {
        let wanted = "a duration such as 500ms, 30s, 5m or 1h"
        let digits = text.utf8.prefix { Ascii.isDigit($0) }
        let units: [(String, UInt64)] = [("ms", 1), ("", 1000), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
        let suffix = String(text.dropFirst(digits.count))
        guard let number = Ascii.decimal(digits), number <= 1_000_000_000,
            let unit = units.first(where: { $0.0 == suffix })
        else { throw error(wanted: wanted) }
        let value = Duration.milliseconds(Int64(number * unit.1))
        guard range.contains(value) else {
            throw error(wanted: "\(wanted), from \(range.lowerBound) to \(range.upperBound)")
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
