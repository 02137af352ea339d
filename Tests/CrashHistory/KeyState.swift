/// What the store holds of one key.
public struct KeyState: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public var id: EntryID
        public var isMarker: Bool
        /// The number that the tag set carries.
        public var tag: EntryID

        public init(id: EntryID, isMarker: Bool = false, tag: EntryID? = nil) {
            self.id = id
            self.isMarker = isMarker
            self.tag = tag ?? id
        }
    }

    /// The oldest first. At most one where the bucket is not versioned.
    public var entries: [Entry]

    public init(_ entries: [Entry] = []) { self.entries = entries }

    private var latest: Entry? { entries.last.flatMap { $0.isMarker ? nil : $0 } }

    /// The state after the call took effect here; nil where it cannot have taken effect, or seen what it saw, here.
    func after(_ action: Call.Action, isVersioned: Bool) -> KeyState? {
        var next = self
        switch action {
        case .write(let id, let ifAbsent):
            if ifAbsent, latest != nil { return nil }
            if !isVersioned { next.entries = [] }
            next.entries.append(Entry(id: id))
        case .delete(let id):
            if isVersioned { next.entries.append(Entry(id: id, isMarker: true)) } else { next.entries = [] }
        case .remove(let id): next.entries.removeAll { $0.id == id }
        case .tag(let tag):
            guard latest != nil else { return nil }
            next.entries[next.entries.count - 1].tag = tag
        case .sees(let seen): return matches(seen) ? self : nil
        case .seesVersion(let id, let isThere):
            return entries.contains { $0.id == id && !$0.isMarker } == isThere ? self : nil
        case .seesTag(let tag): return latest?.tag == tag ? self : nil
        case .seesAll(let listed): return matches(listed) ? self : nil
        }
        return next
    }

    private func matches(_ seen: Call.Latest) -> Bool {
        switch seen {
        case .absent: latest == nil
        case .present: latest != nil
        case .oneOf(let ids): latest.map { ids.contains($0.id) } ?? false
        }
    }

    private func matches(_ listed: [Call.Listed]) -> Bool {
        guard listed.count == entries.count else { return false }
        return zip(listed, entries.reversed()).allSatisfy { line, entry in
            switch line {
            case .write(let ids, let tag): !entry.isMarker && ids.contains(entry.id) && entry.tag == tag ?? entry.tag
            case .marker(let ids): entry.isMarker && ids.contains(entry.id)
            }
        }
    }
}

extension KeyState: CustomStringConvertible {
    public var description: String {
        "[" + entries.map { $0.isMarker ? "marker \($0.id)" : "write \($0.id)" }.joined(separator: ", ") + "]"
    }
}
