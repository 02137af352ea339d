/// Gathers the text of a WordprocessingML part as it comes in: what stands in `w:t`, with a space for each paragraph, tab
/// and break. It declares nothing and resolves nothing, so that no entity can grow.
struct WordText {
    private(set) var text: [UInt8] = []
    private let bytesMax: Int
    /// The tag or the entity that is being read.
    private var tag: [UInt8]?
    private var entity: [UInt8]?
    private var isText = false

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    var isFull: Bool { text.count >= bytesMax }

    /// False when the text is full.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> Bool {
        for byte in bytes {
            if tag != nil {
                if byte == UInt8(ascii: ">") {
                    end(tag ?? [])
                    tag = nil
                } else if (tag?.count ?? 0) < 64 {
                    tag?.append(byte)
                }
            } else if byte == UInt8(ascii: "<") {
                (tag, entity) = ([], nil)
            } else if !isText {
                continue
            } else if entity != nil {
                if byte == UInt8(ascii: ";") {
                    append(Self.resolve(entity ?? []))
                    entity = nil
                } else if (entity?.count ?? 0) < 12 {
                    entity?.append(byte)
                }
            } else if byte == UInt8(ascii: "&") {
                entity = []
            } else {
                append([byte])
            }
            if isFull { return false }
        }
        return true
    }

    private mutating func append(_ bytes: [UInt8]) { text += bytes.prefix(max(0, bytesMax - text.count)) }

    private mutating func end(_ tag: [UInt8]) {
        let isClosing = tag.first == UInt8(ascii: "/")
        let name = tag.drop { $0 == UInt8(ascii: "/") }.prefix { $0 > 0x20 && $0 != UInt8(ascii: "/") }
        switch String(decoding: name, as: UTF8.self) {
        case "w:t": isText = !isClosing && tag.last != UInt8(ascii: "/")
        case "w:p" where isClosing, "w:tab", "w:br", "w:cr": append([0x20])
        default: break
        }
    }

    private static func resolve(_ entity: [UInt8]) -> [UInt8] {
        switch String(decoding: entity, as: UTF8.self) {
        case "amp": return [UInt8(ascii: "&")]
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "quot": return [UInt8(ascii: "\"")]
        case "apos": return [UInt8(ascii: "'")]
        case let name where name.hasPrefix("#x"): return scalar(UInt32(name.dropFirst(2), radix: 16))
        case let name where name.hasPrefix("#"): return scalar(UInt32(name.dropFirst()))
        default: return []
        }
    }

    private static func scalar(_ value: UInt32?) -> [UInt8] {
        value.flatMap(Unicode.Scalar.init).map { Array(String($0).utf8) } ?? []
    }
}
