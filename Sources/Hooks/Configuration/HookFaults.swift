public import JSON

/// All that is wrong with the hooks of a bucket, as far as one fault does not hide another.
///
/// The reader stops at the first fault. So what it found is taken out of the document, or replaced by something harmless where other parts
/// refer to it, and the document is read again.
public struct HookFaults {
    private var document: JSONValue
    private var faults: [JSONFault] = []
    /// Places that were taken out or replaced.
    private var mended: Set<String> = []
    /// Places with a stand-in that were taken out after all.
    private var takenOut: Set<String> = []
    /// Indexes of items that were taken out, by the path of their list, in the order in which that was done.
    private var removed: [String: [Int]] = [:]

    static let countMax = 100
    private static let roundsMax = 300

    private init(_ document: JSONValue) { self.document = document }

    /// In the order in which they were found; none where the document can be used in these surroundings.
    public static func all(
        in document: JSONValue, within surroundings: HookConfiguration.Surroundings
    ) -> [JSONFault] {
        var search = HookFaults(document)
        for _ in 0..<roundsMax where search.faults.count < countMax {
            do throws(JSONFault) {
                try HookConfiguration(reading: search.document).check(within: surroundings)
                break
            } catch {
                search.note(error)
                guard search.mend(error.path) || search.mendHolder(of: error.path) else { break }
            }
        }
        return search.faults
    }

    /// Unless it is what mending another left.
    private mutating func note(_ fault: JSONFault) {
        let isConsequence =
            removed[fault.path] != nil
            || mended.contains { $0 == fault.path || Self.holds($0, fault.path) || Self.holds(fault.path, $0) }
        if isConsequence { return }
        faults.append(JSONFault(path: originalPath(fault.path), value: fault.value, wanted: fault.wanted))
    }

    private static func holds(_ outer: String, _ inner: String) -> Bool {
        guard inner.hasPrefix(outer) else { return false }
        let next = inner.dropFirst(outer.count).first
        return next == "." || next == "["
    }

    /// As the item was called before others of its list were taken out.
    private func originalPath(_ path: String) -> String {
        guard let (list, index) = Self.item(path) else { return path }
        var original = index
        for gone in (removed[list] ?? []).reversed() where gone <= original { original += 1 }
        return "\(list)[\(original)]"
    }

    private static func item(_ path: String) -> (list: String, index: Int)? {
        guard path.last == "]", let open = path.lastIndex(of: "["),
            let index = Int(path[path.index(after: open)...].dropLast())
        else { return nil }
        return (String(path[..<open]), index)
    }

    /// False where that is of no use any more.
    private mutating func mend(_ path: String) -> Bool {
        guard let place = document.place(of: path), !place.isEmpty else { return false }
        let standIn = Self.standIn(at: place)
        if mended.contains(path) {
            // The stand-in did not help either: the fault is in the name.
            guard standIn != nil, case .name? = place.last, takenOut.insert(path).inserted else { return false }
            document = document.replacing(place[...], by: nil)
            return true
        }
        if standIn == nil, let (list, index) = Self.item(path) {
            // The next item has this path from now on.
            removed[list, default: []].append(index)
        } else {
            mended.insert(path)
        }
        document = document.replacing(place[...], by: standIn)
        return true
    }

    /// What is missing is mended by what should hold it.
    private mutating func mendHolder(of path: String) -> Bool {
        mended.insert(path)
        var holder = path
        while let cut = holder.lastIndex(where: { $0 == "." || $0 == "[" }) {
            holder = String(holder[..<cut])
            if let place = document.place(of: holder), Self.standIn(at: place) != nil, mend(holder) { return true }
        }
        return false
    }

    /// What takes the place of something that others refer to by name or number, or that may not be missing.
    private static func standIn(at place: [JSONPlace]) -> JSONValue? {
        let url: JSONValue = "https://example.com/"
        return switch (place.count, place.first, place.last) {
        case (2, .name("presets"), _): ["width": .integer(100)]
        case (3, .name("presets"), .name("width")): .integer(100)
        case (2, .name("hooks"), .index(let index)):
            ["name": name(index), "on": "object.created", "steps": ["a": ["probe": .bool(true)]]]
        case (3, .name("hooks"), .name("name")): if case .index(let index) = place[1] { name(index) } else { nil }
        case (3, .name("hooks"), .name("on")): "object.created"
        case (4, .name("hooks"), .name) where place[2] == .name("steps"): ["preview": .bool(true)]
        case (5, .name("hooks"), .name("deliver")): url
        case (5, .name("hooks"), .name("watermark")): ["logo": url]
        case (6, .name("hooks"), .name("logo")): url
        default: nil
        }
    }

    /// One that nobody gives.
    private static func name(_ index: Int) -> JSONValue { .string(String(repeating: "x", count: 60) + "\(index)") }
}

/// One step on the way from a document's root to a value.
private enum JSONPlace: Equatable {
    case name(String)
    case index(Int)
}

extension JSONValue {
    /// Reads a path such as `hooks[0].steps.mark`; nil where no value is there, nor an object that lacks the last name only. Empty for
    /// the root.
    fileprivate func place(of path: String) -> [JSONPlace]? {
        var (value, rest, place) = (self, path[...], [JSONPlace]())
        while !rest.isEmpty {
            if rest.first == "[" {
                guard let close = rest.firstIndex(of: "]"),
                    let index = Int(rest[rest.index(after: rest.startIndex)..<close]),
                    let items = value.array, items.indices.contains(index)
                else { return nil }
                (value, rest) = (items[index], rest[rest.index(after: close)...])
                place.append(.index(index))
            } else {
                if rest.first == "." { rest = rest.dropFirst() }
                guard case .object(let members) = value else { return nil }
                // A name may hold what divides a path: the longest that fits is meant.
                let fitting = members.filter { member in
                    guard rest.hasPrefix(member.name) else { return false }
                    let next = rest.dropFirst(member.name.count).first
                    return next == nil || next == "." || next == "["
                }
                guard let member = fitting.max(by: { $0.name.count < $1.name.count }), !member.name.isEmpty else {
                    return rest.contains { $0 == "." || $0 == "[" } ? nil : place + [.name(String(rest))]
                }
                (value, rest) = (member.value, rest.dropFirst(member.name.count))
                place.append(.name(member.name))
            }
        }
        return place
    }

    /// With `new` at that place, or without it. As deep as the place, which is one of a document of hooks.
    fileprivate func replacing(_ place: ArraySlice<JSONPlace>, by new: JSONValue?) -> JSONValue {
        guard let step = place.first else { return new ?? .null }
        let rest = place.dropFirst()
        switch (self, step) {
        case (.object(var members), .name(let name)):
            guard let at = members.firstIndex(where: { $0.name == name }) else {
                return rest.isEmpty && new != nil ? .object(members + [Member(name, new ?? .null)]) : self
            }
            if rest.isEmpty, new == nil {
                members.remove(at: at)
            } else {
                members[at].value = members[at].value.replacing(rest, by: new)
            }
            return .object(members)
        case (.array(var items), .index(let index)):
            guard items.indices.contains(index) else { return self }
            if rest.isEmpty, new == nil {
                items.remove(at: index)
            } else {
                items[index] = items[index].replacing(rest, by: new)
            }
            return .array(items)
        default: return self
        }
    }
}
