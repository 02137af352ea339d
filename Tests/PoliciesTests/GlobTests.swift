import SimulatedDisk
import Testing

@testable import Policies

@Suite struct GlobTests {
    private func matches(_ pattern: String, _ text: String) -> Bool {
        Glob(wildcards: Array(pattern.utf8)).matches(Array(text.utf8))
    }

    @Test(arguments: [
        ("", "", true), ("", "a", false), ("*", "", true), ("*", "a/b", true), ("?", "", false),
        ("?", "\u{20AC}", true),
        ("a*", "a", true), ("*a", "ba", true), ("a*a", "a", false), ("a*a", "aa", true), ("*ab*ab*", "abab", true),
        ("*ab*ab*", "aba", false), ("*aab*", "aaab", true), ("*a?c*", "abac", false), ("*a?c*", "abaxc", true),
        ("?*?", "a", false), ("?*?", "\u{E9}a", true), ("**a**", "bab", true), ("a?", "a\u{E9}", true),
        ("a?", "a\u{E9}b", false),
    ])
    func `a star is any text and a question mark one character`(pattern: String, text: String, expected: Bool) {
        #expect(matches(pattern, text) == expected, "\(pattern) \(text)")
    }

    @Test func `random patterns match what a table of all beginnings says`() {
        var random = SplitMix64(seed: 7)
        for _ in 0..<20_000 {
            func text(_ letters: [UInt8], _ most: Int) -> [UInt8] {
                (0..<Int.random(in: 0...most, using: &random)).map { _ in
                    letters[Int.random(in: 0..<letters.count, using: &random)]
                }
            }
            let pattern = text(Array("aab*?".utf8), 8)
            let subject = text(Array("ab".utf8), 10)
            var row = [true] + subject.map { _ in false }
            for byte in pattern {
                var next = [byte == 0x2A && row[0]]
                for place in subject.indices {
                    next.append(
                        byte == 0x2A
                            ? next[place] || row[place + 1] : row[place] && (byte == 0x3F || byte == subject[place]))
                }
                row = next
            }
            #expect(Glob(wildcards: pattern).matches(subject) == row[subject.count], "\(pattern) \(subject)")
        }
    }

    @Test func `patterns made to blow up end`() {
        // With backtracking over all stars these would take longer than the universe.
        let pattern = String(repeating: "*a", count: 500) + "*b"
        #expect(!matches(pattern, String(repeating: "a", count: 16_384)))
        #expect(!matches("*" + String(repeating: "a", count: 8_000) + "b*", String(repeating: "a", count: 16_384)))
        #expect(!matches(String(repeating: "*?a", count: 300) + "*b", String(repeating: "a", count: 16_384)))
    }
}
