import Glibc
import LoadClient
import Threads

/// Counts the cycles of a harness, says what failed, and ends with one line.
final class Tally {
    let harness: String
    private let options: Options
    private let start = Monotonic.milliseconds
    private(set) var passed = 0
    private(set) var failed = 0
    private var cases: [(name: String, failure: String?)] = []
    private var skipped: String?

    init(_ harness: String, _ options: Options) {
        self.harness = harness
        self.options = options
        print("\(harness): --seed \(options.seed)")
    }

    /// Whether another cycle may begin.
    var hasTime: Bool { Monotonic.milliseconds - start < UInt64(options.seconds) * 1000 }

    func count(_ name: String, _ findings: [String], note: String = "") {
        if findings.isEmpty {
            passed += 1
        } else {
            failed += 1
            print("\(harness) \(name) failed (--seed \(options.seed)):")
            for finding in findings.prefix(12) { print("  \(finding)") }
            if findings.count > 12 { print("  and \(findings.count - 12) more") }
        }
        if !note.isEmpty { print("\(harness) \(name): \(note)") }
        cases.append((name, findings.isEmpty ? nil : findings.joined(separator: "\n")))
        fflush(nil)
    }

    var isSkipped: Bool { skipped != nil }

    func skip(_ reason: String) { skipped = reason }

    /// Prints the summary and writes the results. Returns the exit status.
    func finish(note: String = "") throws -> Int32 {
        let seconds = (Monotonic.milliseconds - start) / 1000
        if let skipped {
            print("\(harness): skipped: \(skipped)")
        } else {
            print("\(harness): \(note.isEmpty ? "" : note + "; ")\(seconds) s")
        }
        // Once more and in full, so that the end of the output is enough to know what was found.
        for (name, failure) in cases {
            if let failure { print("failed: \(harness) \(name) (--seed \(options.seed)):\n\(failure)") }
        }
        print("\(passed) passed, \(failed) failed")
        if let path = options.xunit { try write(path) }
        return failed == 0 && (passed > 0 || skipped != nil) ? 0 : 1
    }

    private func write(_ path: String) throws {
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites><testsuite name=\"\(harness)\">\n"
        if skipped != nil { text += "<testcase classname=\"Crash\" name=\"\(harness)\"><skipped/></testcase>\n" }
        for (name, failure) in cases {
            let inner = failure.map { "<failure message=\"\($0.escaped)\"/>" } ?? ""
            text += "<testcase classname=\"Crash\" name=\"\(harness) \(name.escaped)\">\(inner)</testcase>\n"
        }
        text += "</testsuite></testsuites>\n"
        // SAFETY: the file is opened, written and closed here.
        guard let file = unsafe fopen(path, "w") else { throw ClientError.system("fopen") }
        let isWritten = unsafe fputs(text, file) >= 0
        guard unsafe fclose(file) == 0, isWritten else { throw ClientError("cannot write \(path)") }
    }
}

extension String {
    /// As it stands in an attribute of XML; control characters are left out.
    fileprivate var escaped: String {
        reduce(into: "") { text, character in
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "\n": text += "&#10;"
            default: if character.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) { text.append(character) }
            }
        }
    }
}
