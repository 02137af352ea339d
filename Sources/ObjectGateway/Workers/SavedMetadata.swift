import JSON

/// What an addon found, in the free part of an asset's metadata.
enum SavedMetadata {
    /// Of the whole object as JSON, in bytes.
    static let sizeMax = 256 << 10

    /// `path` is not empty. What stands in its way and is no object gives way.
    static func custom(_ former: [UInt8]?, with value: JSONValue, at path: [String]) throws(Problem) -> [UInt8] {
        var whole = former.flatMap { JSONValue(parsing: $0) } ?? .object([])
        if case .object = whole {} else { whole = .object([]) }
        // From the inside out; a path has a few names at most.
        var objects: [JSONValue] = []
        var current = whole
        for name in path.dropLast() {
            objects.append(current)
            current = current[name] ?? .object([])
            if case .object = current {} else { current = .object([]) }
        }
        objects.append(current)
        var new = value
        for (name, object) in zip(path, objects).reversed() { new = replacing(name, in: object, by: new) }
        let text = new.text
        guard text.count <= sizeMax else {
            throw Problem(422, "Too long", "The custom metadata would have more than \(sizeMax >> 10) KiB.")
        }
        return text
    }

    private static func replacing(_ name: String, in object: JSONValue, by value: JSONValue) -> JSONValue {
        guard case .object(var members) = object else { return .object([.init(name, value)]) }
        if let place = members.firstIndex(where: { $0.name == name }) {
            members[place].value = value
        } else {
            members.append(.init(name, value))
        }
        return .object(members)
    }
}
