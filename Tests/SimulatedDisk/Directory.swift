/// What a name leads to: a place in the volume's tables.
enum Node: Hashable, Sendable {
    case file(Int)
    case directory(Int)
}

/// The name of a file, compared as bytes.
struct FileName: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    /// A part of a path, which is UTF-8 as a whole and was cut at slashes.
    init(_ bytes: Span<UInt8>) {
        // SAFETY: the bytes are lent for the closure, and copied within it.
        text = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    static func == (a: FileName, b: FileName) -> Bool {
        let (first, second) = (a.text.utf8.span, b.text.utf8.span)
        if first.count != second.count { return false }
        return first.indices.allSatisfy { first[$0] == second[$0] }
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        // SAFETY: the buffer is read within the closure only.
        text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

/// The names of a directory as the running system sees them. Their order follows from the calls, not from hashes.
struct Directory: Sendable {
    private(set) var entries: [(name: FileName, node: Node)] = []
    private var places: [FileName: Int] = [:]

    subscript(name: FileName) -> Node? {
        get { places[name].map { entries[$0].node } }
        set {
            switch (places[name], newValue) {
            case (let place?, let node?):
                entries[place].node = node
            case (let place?, nil):
                places[name] = nil
                let last = entries.removeLast()
                if place < entries.count {
                    entries[place] = last
                    places[last.name] = place
                }
            case (nil, let node?):
                places[name] = entries.count
                entries.append((name, node))
            case (nil, nil):
                break
            }
        }
    }
}
