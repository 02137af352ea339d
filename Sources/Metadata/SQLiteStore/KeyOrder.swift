/// The byte order of keys: neighbours, and the roll-up of keys into common prefixes.
enum KeyOrder {
    /// The least key above `key`.
    static func next(after key: [UInt8]) -> [UInt8] { key + [0] }

    /// The least key above all keys that begin with `prefix`; nil where there is none, because `prefix` is empty or all
    /// 0xFF.
    static func end(of prefix: [UInt8]) -> [UInt8]? {
        var end = prefix
        while let last = end.popLast() {
            if last < 0xFF { return end + [last + 1] }
        }
        return nil
    }

    static func later(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] { a.lexicographicallyPrecedes(b) ? b : a }

    /// `key` up to and with the first `delimiter` after `prefix`, which it begins with; nil where none follows.
    static func commonPrefix(of key: [UInt8], prefix: [UInt8], delimiter: [UInt8]?) -> [UInt8]? {
        guard let delimiter, let first = delimiter.first, delimiter.count <= key.count - prefix.count else {
            return nil
        }
        for start in prefix.count...(key.count - delimiter.count)
        where key[start] == first && key[start..<start + delimiter.count].elementsEqual(delimiter) {
            return [UInt8](key[..<(start + delimiter.count)])
        }
        return nil
    }

    /// The least key that a page may show: strictly after `marker`, and after all keys of the common prefix that `marker`
    /// names. Nil where nothing can follow.
    static func start(prefix: [UInt8], delimiter: [UInt8]?, after marker: [UInt8]?) -> [UInt8]? {
        guard let marker else { return prefix }
        if marker.starts(with: prefix), commonPrefix(of: marker, prefix: prefix, delimiter: delimiter) == marker {
            return end(of: marker)
        }
        return later(prefix, next(after: marker))
    }
}
