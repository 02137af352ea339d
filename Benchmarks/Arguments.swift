import Glibc

/// `--name value` pairs after the command's name.
struct Arguments {
    private var values: [String: String] = [:]

    init(_ words: [String]) throws(BenchError) {
        var rest = words[...]
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else {
                throw BenchError("expected --name value, found \(name)")
            }
            values[String(name.dropFirst(2))] = value
        }
    }

    func text(_ name: String, default fallback: String? = nil) throws(BenchError) -> String {
        guard let value = values[name] ?? fallback else { throw BenchError("--\(name) is missing") }
        return value
    }

    /// A number of 1 or more.
    func number(_ name: String, default fallback: Int? = nil) throws(BenchError) -> Int {
        guard let text = values[name] else {
            guard let fallback else { throw BenchError("--\(name) is missing") }
            return fallback
        }
        guard let value = Int(text), value >= 1 else {
            throw BenchError("--\(name) \(text): expected a number of 1 or more")
        }
        return value
    }
}
