import Testing

/// The rules of the house that a tool can keep. Each failure names the place and what to do.
@Suite struct RuleTests {
    let tree = SourceTree.shared

    @Test func `There are files to look at`() {
        #expect(tree.sources.count > 20)
    }

    @Test func `Nothing that comes from outside can trap`() {
        let traps = ["try!", "as!", "fatalError(", "preconditionFailure(", "assertionFailure(", "unowned(unsafe)"]
        for file in tree.sources {
            for (number, text) in file.code {
                for trap in traps where text.contains(trap) {
                    Issue.record("\(file.path):\(number) uses \(trap): throw a typed error instead")
                }
                #expect(!text.hasForcedUnwrap, "\(file.path):\(number) unwraps by force: use guard let")
            }
        }
    }

    @Test func `An unchecked Sendable says why it is sound`() {
        for file in tree.sources {
            for (number, text) in file.code where text.contains("@unchecked Sendable") {
                #expect(
                    file.comment(around: number, before: 6).contains("@unchecked"),
                    "\(file.path):\(number): a comment `// @unchecked: ...` above it says what makes it sound")
            }
        }
    }

    @Test func `A file with unsafe code says why it is sound`() {
        for file in tree.sources where file.code.contains(where: { $0.text.hasPrefixedWord("unsafe") }) {
            let said = file.lines.contains { $0.contains("SAFETY:") }
            #expect(said, "\(file.path) uses `unsafe`: a line `// SAFETY: ...` says what makes it sound")
        }
    }

    @Test func `Tasks that leave the pool are started in Threads only`() {
        for file in tree.sources where file.module != "Threads" {
            for (number, text) in file.code {
                for start in ["Task {", "Task.detached", "Task(priority", "Task(name"] where text.contains(start) {
                    Issue.record("\(file.path):\(number) uses \(start): run it on the pool (Threads)")
                }
            }
        }
    }

    @Test func `Locks are those of Threads`() {
        for file in tree.sources {
            for (number, text) in file.code where text.hasPrefixedWord("Mutex") {
                Issue.record("\(file.path):\(number) uses Mutex, slow under contention on Linux: use Threads.Lock")
            }
        }
    }

    @Test func `No lock holds a bare closure, which each look at it would wrap once more`() {
        let bare = #/Lock<\(*@?[^<>]*->/#
        for file in tree.sources {
            for (number, text) in file.code where text.contains(bare) {
                Issue.record(
                    "\(file.path):\(number) has a closure in a lock of its own: make it a property of a structure")
            }
        }
    }

    @Test func `A file above 400 lines says why at its head`() {
        for file in tree.swift where file.lines.count > 401 {
            let head = file.lines.prefix(12).joined(separator: " ").lowercased()
            #expect(
                head.contains("one file"),
                "\(file.path) has \(file.lines.count - 1) lines: split it, or say at its head why it is one file")
        }
    }

    @Test func `Comments speak of the code that stands there`() {
        // Assembled, so that this file does not find itself.
        let words = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X"]
        for file in tree.swift {
            for (number, comment) in file.comments {
                for word in words where comment.split(whereSeparator: { !$0.isLetter }).contains(Substring(word)) {
                    Issue.record("\(file.path):\(number) says \(word): do it, or open an issue")
                }
                let text = comment.drop { $0 == "/" || $0 == " " }
                let banner = ["----", "====", "****", "MARK: -"].contains { text.hasPrefix($0) }
                #expect(!banner, "\(file.path):\(number) is a banner line")
            }
        }
    }
}

extension SourceTree.File {
    /// The text of the comments from `before` lines above the line to the line itself.
    func comment(around number: Int, before: Int) -> String {
        lines[max(0, number - 1 - before)..<min(lines.count, number)]
            .compactMap { line in line.firstRange(of: "//").map { line[$0.upperBound...] } }.joined(separator: " ")
    }
}

extension String {
    /// A `!` behind a value, which is neither `!=` nor a negation.
    var hasForcedUnwrap: Bool {
        let characters = Array(self)
        return characters.indices.contains { place in
            guard characters[place] == "!", place > 0 else { return false }
            let before = characters[place - 1]
            let after = place + 1 < characters.count ? characters[place + 1] : " "
            let follows = before.isLetter || before.isNumber || ")]_}`".contains(before)
            return follows && after != "=" && !(after == "(" && before.isLetter == false && before.isNumber == false)
        }
    }

    /// Whether `word` stands here as a word of its own.
    func hasPrefixedWord(_ word: String) -> Bool {
        split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" }).contains(Substring(word))
    }
}
