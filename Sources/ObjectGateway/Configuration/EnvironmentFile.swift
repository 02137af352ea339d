import Bytes
import Files
import Glibc

/// A file of settings: lines `NAME=value`, blank lines, and comments that begin with `#`.
///
/// `export ` before a name is allowed. A value may stand in single or double quotes; nothing is expanded inside. Without
/// quotes it ends at ` #` or the end of the line, and spaces around it are dropped.
public struct EnvironmentFile: Sendable {
    public struct Entry: Sendable, Equatable {
        public var name: String
        public var value: String
        /// From 1.
        public var line: Int
    }

    public let path: String
    public let entries: [Entry]
    private static let sizeMax = 1 << 20

    public init(text: [UInt8], path: String) throws(SettingError) {
        self.path = path
        var entries: [Entry] = []
        var number = 0
        for line in text.split(separator: Ascii.lineFeed, omittingEmptySubsequences: false) {
            number += 1
            if let entry = try Self.entry(line, number: number, path: path) { entries.append(entry) }
        }
        self.entries = entries
    }

    /// May block.
    public static func read(_ path: String) throws(SettingError) -> EnvironmentFile {
        let text: [UInt8]
        do {
            text = try OpenFile.open(path, flags: O_RDONLY).read(at: 0, count: sizeMax + 1)
        } catch {
            throw SettingError(place: "--env-file", value: path, wanted: "a readable file (\(error))")
        }
        guard text.count <= sizeMax else {
            throw SettingError(place: "--env-file", value: path, wanted: "a file of at most 1 MiB")
        }
        return try EnvironmentFile(text: text, path: path)
    }

    private static func entry(_ raw: ArraySlice<UInt8>, number: Int, path: String) throws(SettingError) -> Entry? {
        let place = "\(path) line \(number)"
        var line = Ascii.trimmed(raw.last == Ascii.carriageReturn ? raw.dropLast() : raw)
        if line.isEmpty || line.first == 0x23 { return nil }
        if line.starts(with: "export ".utf8) { line = Ascii.trimmed(line.dropFirst("export ".utf8.count)) }
        guard let equals = line.firstIndex(of: Ascii.equals) else {
            throw SettingError(place: place, value: nil, wanted: "a line NAME=value")
        }
        let name = Ascii.trimmed(line[..<equals])
        let isName = { (c: UInt8) in Ascii.isLetter(c) || Ascii.isDigit(c) || c == Ascii.underscore }
        guard !name.isEmpty, name.allSatisfy(isName), !line.contains(0) else {
            throw SettingError(place: place, value: nil, wanted: "a name of letters, digits and _ before the =")
        }
        let value = Ascii.trimmed(line[(equals + 1)...])
        guard let text = unquoted(value) else {
            throw SettingError(place: place, value: nil, wanted: "the closing quote to end the value")
        }
        return Entry(name: String(ascii: name), value: String(ascii: text), line: number)
    }

    /// Nil for a quote that is not closed, or text after the closing one that is no comment.
    private static func unquoted(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let quote = value.first, quote == Ascii.quote || quote == 0x27 else {
            var previous = Ascii.space
            for index in value.indices {
                if value[index] == 0x23, previous == Ascii.space || previous == Ascii.tab {
                    return Ascii.trimmed(value[..<index])
                }
                previous = value[index]
            }
            return value
        }
        let rest = value.dropFirst()
        guard let end = rest.firstIndex(of: quote) else { return nil }
        let after = Ascii.trimmed(rest[(end + 1)...])
        return after.isEmpty || after.first == 0x23 ? rest[..<end] : nil
    }
}
