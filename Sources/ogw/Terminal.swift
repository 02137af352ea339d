import Glibc

/// Text for the person at the terminal.
enum Terminal {
    static func print(_ text: String) { write(text, to: STDOUT_FILENO) }
    static func error(_ text: String) { write(text, to: STDERR_FILENO) }

    /// One line of the error output that the next one replaces; an empty one takes it away.
    static func progress(_ text: String) { write("\r\u{1B}[K" + text, to: STDERR_FILENO, endsLine: false) }

    /// Rows under a heading, columns as wide as their widest cell.
    static func table(_ heading: [String], _ rows: [[String]]) -> String {
        let all = [heading] + rows
        let widths = heading.indices.map { column in
            all.map { row in column < row.count ? row[column].count : 0 }.max() ?? 0
        }
        return all.map { row in
            var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    /// A reader that went away is no failure of the command.
    private static func write(_ text: String, to descriptor: Int32, endsLine: Bool = true) {
        var rest = [UInt8]((!endsLine || text.hasSuffix("\n") ? text : text + "\n").utf8)[...]
        while !rest.isEmpty {
            // SAFETY: the pointer is used within the call only.
            let written = unsafe rest.withUnsafeBufferPointer {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                return
            }
        }
    }
}
