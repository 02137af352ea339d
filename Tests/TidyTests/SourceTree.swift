import Glibc
import TestSupport
import Testing

/// The project's own files, as they lie in the work tree.
struct SourceTree {
    struct File {
        /// Relative to the root, such as "Sources/Bytes/Hex.swift".
        let path: String
        let lines: [Substring]

        var components: [Substring] { path.split(separator: "/") }
        var name: String { String(components.last ?? "") }
        /// The folder below Sources, which is the module.
        var module: String { components.count > 1 ? String(components[1]) : "" }

        /// Numbered from 1, without comments and the insides of string literals.
        var code: [(number: Int, text: String)] { parts.map { ($0.number, $0.code) } }

        /// Numbered from 1, from the slashes on; lines without a comment are left out.
        var comments: [(number: Int, text: Substring)] {
            parts.compactMap { part in part.comment.map { (part.number, $0) } }
        }

        private var parts: [(number: Int, code: String, comment: Substring?)] {
            var literal = false
            return lines.enumerated().map { place, line in
                let (code, comment) = Self.split(line, literal: &literal)
                return (place + 1, code, comment)
            }
        }

        /// `literal` is true within a literal of several lines.
        private static func split(_ line: Substring, literal: inout Bool) -> (code: String, comment: Substring?) {
            var code = ""
            var inString = false
            var rest = line
            while let character = rest.first {
                if rest.hasPrefix("\"\"\"") {
                    literal.toggle()
                    rest = rest.dropFirst(3)
                    continue
                }
                if !literal && !inString && rest.hasPrefix("//") { return (code, rest) }
                rest = rest.dropFirst()
                if literal { continue }
                if inString && character == "\\" {
                    rest = rest.dropFirst()
                } else if character == "\"" {
                    inString.toggle()
                } else if !inString {
                    code.append(character)
                }
            }
            return (code, nil)
        }
    }

    static let shared = SourceTree()

    let root: String
    let swift: [File]

    private init() {
        // This file lies in Tests/TidyTests of the root.
        root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let root = root
        swift = ["Sources", "Tests", "Benchmarks", "Fuzz"].flatMap { Self.files(below: $0, root: root) }
            .filter { $0.hasSuffix(".swift") }.sorted()
            .map {
                File(
                    path: $0, lines: Self.read("\(root)/\($0)").split(separator: "\n", omittingEmptySubsequences: false)
                )
            }
    }

    var sources: [File] { swift.filter { $0.path.hasPrefix("Sources/") } }

    func exists(_ path: String) -> Bool { unsafe access("\(root)/\(path)", F_OK) == 0 }

    /// Nil where there is no such file.
    func text(_ path: String) -> String? { exists(path) ? Self.read("\(root)/\(path)") : nil }

    func write(_ path: String, _ text: String) throws {
        guard let file = unsafe fopen("\(root)/\(path)", "w") else {
            throw TestSupportError("cannot write \(path): errno \(errno)")
        }
        let failed = unsafe fputs(text, file) < 0
        // What is buffered may fail at the end only.
        guard unsafe fclose(file) == 0, !failed else {
            throw TestSupportError("cannot write \(path): errno \(errno)")
        }
    }

    func names(in folder: String) -> [String] { Self.entries("\(root)/\(folder)").sorted() }

    private static func read(_ path: String) -> String {
        String(decoding: (try? TemporaryFolder.read(path)) ?? [], as: UTF8.self)
    }

    private static func files(below folder: String, root: String) -> [String] {
        entries("\(root)/\(folder)").flatMap { name in
            let path = "\(folder)/\(name)"
            let below = files(below: path, root: root)
            return below.isEmpty ? [path] : below
        }
    }

    private static func entries(_ path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            // SAFETY: the name is NUL-terminated within the entry, which lives until the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}

extension SourceTree: CustomTestStringConvertible {
    /// The content of all files would bury the sentence that a failure says.
    var testDescription: String { "the source tree" }
}

extension SourceTree.File: CustomTestStringConvertible {
    var testDescription: String { path }
}
