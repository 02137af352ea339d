import Bytes
public import JSON

/// The names of hooks, steps, presets, addons and queues: 1 to 64 letters, digits, `-` and `_`, the first a letter or digit.
public enum HookName {
    public static let wanted = "a name of 1 to 64 letters, digits, - and _, that begins with a letter or digit"

    public static func isName(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...64).contains(bytes.count), let first = bytes.first, isLetterOrDigit(first) else { return false }
        return bytes.allSatisfy { isLetterOrDigit($0) || $0 == Ascii.dash || $0 == 0x5F }
    }

    private static func isLetterOrDigit(_ c: UInt8) -> Bool {
        Ascii.isLetter(c) || Ascii.isDigit(c)
    }
}

extension JSONMembers {
    func name(_ name: String) throws(JSONFault) -> String? {
        guard let text = try text(name, wanted: HookName.wanted) else { return nil }
        guard HookName.isName(text) else { throw fault(name, wanted: HookName.wanted) }
        return text
    }

    public func duration(_ name: String, in range: ClosedRange<Duration>) throws(JSONFault) -> Duration? {
        let wanted =
            "\(DurationText.wanted), from \(DurationText.write(range.lowerBound)) to \(DurationText.write(range.upperBound))"
        guard let value = self[name] else { return nil }
        let duration =
            value.string.flatMap { DurationText.parse($0.utf8) }
            ?? value.integer.flatMap { $0 >= 0 && $0 < 1 << 31 ? Duration.seconds($0) : nil }
        guard let duration, range.contains(duration) else { throw fault(name, wanted: wanted) }
        return duration
    }

    /// A fault of a URL: without the value, where a password may stand in it.
    public func secretFault(_ name: String, wanted: String) -> JSONFault {
        let mayHoldSecret = self[name]?.string?.contains("@") ?? false
        return JSONFault(
            path: path(of: name), value: mayHoldSecret ? nil : fault(name, wanted: wanted).value, wanted: wanted)
    }

    /// A whole number of bytes, or a text such as `5MiB`.
    func size(_ name: String) throws(JSONFault) -> UInt64? {
        guard let value = self[name] else { return nil }
        let size = value.string.flatMap { SizeText.parse($0.utf8) } ?? value.integer.flatMap { UInt64(exactly: $0) }
        guard let size else { throw fault(name, wanted: SizeText.wanted) }
        return size
    }
}
