/// A text with placeholders in braces: `{bucket}/{key}`.
public struct Pattern: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case text([UInt8])
        case name(String)
    }

    private var parts: [Part] = []

    /// Nil where a brace is not closed, or opens within another.
    public init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let plain = rest.prefix { $0 != 0x7B && $0 != 0x7D }
            if !plain.isEmpty { parts.append(.text(Array(plain))) }
            rest = rest.dropFirst(plain.count)
            guard let brace = rest.first else { break }
            let name = rest.dropFirst().prefix { $0 != 0x7B && $0 != 0x7D }
            guard brace == 0x7B, !name.isEmpty, rest.dropFirst(name.count + 1).first == 0x7D else { return nil }
            parts.append(.name(String(decoding: Array(name), as: UTF8.self)))
            rest = rest.dropFirst(name.count + 2)
        }
    }

    public var names: [String] {
        parts.compactMap { if case .name(let name) = $0 { name } else { nil } }
    }

    /// A name without a value gives nothing.
    public func filled(_ values: [String: [UInt8]]) -> [UInt8] {
        parts.reduce(into: []) { out, part in
            switch part {
            case .text(let text): out += text
            case .name(let name): out += values[name] ?? []
            }
        }
    }
}
