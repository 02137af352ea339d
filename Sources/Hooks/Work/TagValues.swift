import Bytes
public import JSON
public import Metadata

/// The tags of a `tag` step, with what earlier steps found in place of `{step.path}`.
public enum TagValues {
    /// `results` are by the names of steps. Nothing stands for what is not there; a value is cut at 256 characters.
    public static func fill(_ tags: [Tag], from results: [String: JSONValue]) -> [Tag] {
        tags.map { tag in
            guard let pattern = Pattern(String(decoding: tag.value, as: UTF8.self)) else { return tag }
            var values: [String: [UInt8]] = [:]
            for name in pattern.names { values[name] = found(at: name, in: results) }
            let filled = String(decoding: pattern.filled(values), as: UTF8.self)
            let kept = filled.unicodeScalars.filter(isAllowed).prefix(256)
            return Tag(key: tag.key, value: Array(String(String.UnicodeScalarView(kept)).utf8))
        }
    }

    private static func found(at path: String, in results: [String: JSONValue]) -> [UInt8] {
        let parts = path.split(separator: ".").map(String.init)
        guard let first = parts.first, var value = results[first] else { return [] }
        for part in parts.dropFirst() {
            guard let next = value[part] else { return [] }
            value = next
        }
        switch value {
        case .string(let text): return Array(text.utf8)
        case .null, .array, .object: return []
        case .bool, .integer, .number: return value.text
        }
    }

    /// What AWS takes in tags (userguide/tagging-managing); all else goes.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        if properties.isAlphabetic || properties.numericType != nil { return true }
        return " +-=._:/@".unicodeScalars.contains(scalar)
    }
}
