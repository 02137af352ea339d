import Testing

@testable import HTTPServer

struct ChunkedDecoderTests {
    private static let good: [(wire: String, body: String, rest: String)] = [
        ("0\r\n\r\n", "", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello", ""),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET", "hello world", "GET"),
        ("00000A;name=value;\"q\"\r\n0123456789\r\n000\r\n\r\n", "0123456789", ""),
        ("1\r\na\r\n0\r\nx-amz-checksum-crc32: AAAAAA==\r\nX: y\r\n\r\nnext", "a", "next"),
    ]

    private static let bad = [
        "\r\n", "g\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "1\na\r\n0\r\n\r\n",
        "1\r\nab\r\n", "1\r\na\n0\r\n\r\n", "1\r\na\rb", "1\r\na0\r\n\r\n", "1;\0\r\na\r\n", "1;a\nb\r\n", "1\r\ra",
        "ffffffffffffffff\r\n", "0000000000000001\r\na\r\n", "0\r\n\n", "0\r\n x: y\r\n\r\n", "0\r\nx y: z\r\n\r\n",
        "0\r\nx\r\n\r\n", "0\r\nx: a\0\r\n\r\n", "0\r\nx: a\ny: b\r\n\r\n", "0\r\n\rx", "0;\u{7F}\r\n\r\n",
    ]

    @Test func `framing is taken off, and the rest is left`() {
        for (wire, body, rest) in Self.good {
            #expect(decode([[UInt8](wire.utf8)]) == .init(body: [UInt8](body.utf8), rest: [UInt8](rest.utf8)))
        }
    }

    @Test(arguments: bad)
    func `broken framing is malformed`(_ wire: String) {
        #expect(decode([[UInt8](wire.utf8)]).isMalformed)
    }

    @Test func `the outcome is the same for every split`() {
        for wire in Self.good.map(\.wire) + Self.bad {
            let bytes = [UInt8](wire.utf8)
            let whole = decode([bytes])
            for split in 0...bytes.count {
                let pieces = decode([Array(bytes[..<split]), Array(bytes[split...])])
                #expect(pieces == whole, "split at \(split) of \(wire.debugDescription)")
            }
            #expect(decode(bytes.map { [$0] }) == whole, "byte by byte: \(wire.debugDescription)")
        }
    }

    @Test func `a size line, extensions and trailers are bounded`() {
        let long = "1;" + String(repeating: "x", count: 300) + "\r\na\r\n0\r\n\r\n"
        #expect(decode([[UInt8](long.utf8)]).isMalformed)
        let many = String(repeating: "1;" + String(repeating: "x", count: 200) + "\r\na\r\n", count: 100) + "0\r\n\r\n"
        #expect(decode([[UInt8](many.utf8)]).isMalformed)
        let trailer = "0\r\n" + String(repeating: "x: y\r\n", count: 2000) + "\r\n"
        #expect(decode([[UInt8](trailer.utf8)]).isMalformed)
    }

    private struct Outcome: Equatable {
        var body: [UInt8] = []
        var rest: [UInt8] = []
        var isMalformed = false
    }

    private func decode(_ pieces: [[UInt8]]) -> Outcome {
        var decoder = ChunkedDecoder()
        var outcome = Outcome()
        var hasEnded = false
        for piece in pieces {
            var left = piece[...]
            while !left.isEmpty {
                if hasEnded || outcome.isMalformed { break }
                switch decoder.next(Array(left).span) {
                case .needsMore(let consumed): left = left.dropFirst(consumed)
                case .data(let range):
                    outcome.body += left.dropFirst(range.lowerBound).prefix(range.count)
                    left = left.dropFirst(range.upperBound)
                case .end(let consumed):
                    left = left.dropFirst(consumed)
                    hasEnded = true
                case .malformed:
                    outcome.isMalformed = true
                    outcome.body = []
                }
            }
            if hasEnded { outcome.rest += left }
        }
        return outcome
    }
}
