import Testing

@Suite struct DocsTests {
    let tree = SourceTree.shared

    private var pages: [String] {
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
            + tree.names(in: "docs").filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }
            + tree.names(in: "docs/decisions").map { "docs/decisions/\($0)" }
    }

    @Test func `A file that a page links to or names exists`() {
        for page in pages {
            guard let text = tree.text(page) else { continue }
            let folder = page.split(separator: "/").dropLast().joined(separator: "/")
            for name in text.namedFiles {
                let beside = folder.isEmpty ? name : "\(folder)/\(name)"
                #expect(tree.exists(name) || tree.exists(beside), "\(page) names \(name), which does not exist")
            }
        }
    }

    @Test func `The make targets that a page names exist`() throws {
        let makefile = try #require(tree.text("Makefile"))
        let targets = makefile.split(separator: "\n").compactMap { line in
            line.first?.isLetter == true && line.contains(":") ? line.split(separator: ":").first : nil
        }
        for page in pages {
            for command in (tree.text(page) ?? "").split(separator: "`").filter({ $0.hasPrefix("make ") }) {
                let words = command.split(separator: " ").dropFirst().filter { !$0.contains("=") }
                guard let target = words.first, target.allSatisfy({ $0.isLetter || $0 == "-" }) else { continue }
                #expect(targets.contains(target), "\(page) names `make \(target)`, which the Makefile does not have")
            }
        }
    }
}

extension String {
    /// Paths in backticks or in links that lie in folders of this project.
    fileprivate var namedFiles: [String] {
        let quoted = split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
        let linked = split(separator: "](", omittingEmptySubsequences: false).dropFirst()
            .compactMap { $0.split(separator: ")").first.map(String.init) }
            .filter { !$0.contains("://") && !$0.hasPrefix("#") }.map { String($0.split(separator: "#")[0]) }
        let folders = ["Sources/", "Tests/", "docs/", "scripts/", "Benchmarks/", "Fuzz/", ".ci/"]
        let plain = quoted.filter { name in
            folders.contains { name.hasPrefix($0) }
                && name.allSatisfy { $0.isLetter || $0.isNumber || "/._-+".contains($0) }
        }
        return plain + linked
    }
}
