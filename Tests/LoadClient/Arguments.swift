/// `--name value` pairs after the command's name.
public struct Arguments {
    private var values: [String: String] = [:]

    public init(_ words: [String]) throws(ClientError) {
        var rest = words[...]
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else {
                throw ClientError("expected --name value, found \(name)")
            }
            values[String(name.dropFirst(2))] = value
        }
    }

    public var names: Set<String> { Set(values.keys) }

    public func text(_ name: String, default fallback: String? = nil) throws(ClientError) -> String {
        guard let value = values[name] ?? fallback else { throw ClientError("--\(name) is missing") }
        return value
    }

    /// A number of 1 or more.
    public func number(_ name: String, default fallback: Int? = nil) throws(ClientError) -> Int {
        guard let text = values[name] else {
            guard let fallback else { throw ClientError("--\(name) is missing") }
            return fallback
        }
        guard let value = Int(text), value >= 1 else {
            throw ClientError("--\(name) \(text): expected a number of 1 or more")
        }
        return value
    }
}
