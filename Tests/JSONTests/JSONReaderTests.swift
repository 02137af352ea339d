import JSON
import Testing

@Suite struct JSONReaderTests {
    private func read(_ text: String, depthMax: Int = 4) throws -> JSONValue {
        try JSONReader.read(Array(text.utf8), depthMax: depthMax)
    }

    @Test func `members keep their order`() throws {
        let value = try read(#" {"b": [1, -2.5e1, true, null], "a": "x"} "#)
        #expect(value == .object([.init("b", [.integer(1), .number(-25), .bool(true), .null]), .init("a", "x")]))
    }

    @Test func `escapes are what they stand for`() throws {
        #expect(try read(#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#) == .string("\"\\/\u{8}\u{c}\n\r\t\u{E9}\u{1F600}"))
    }

    @Test(arguments: [
        ("", 0, "unexpected end"), ("{}x", 2, "unexpected text behind the document"),
        (#"{"a":1,}"#, 7, "expected the name of a member"),
        (#"{"a" 1}"#, 5, "expected a colon"), ("[1 2]", 3, "expected a comma or a closing bracket"),
        ("[1", 2, "expected a comma or a closing bracket"),
        (#"{"a":1,"a":2}"#, 7, "a member named twice"), ("01", 0, "a number with a leading zero"),
        ("-01", 0, "a number with a leading zero"),
        ("1.", 2, "expected a digit"), ("1e999", 0, "a number too large"), ("nul", 0, "expected a value"),
        (#""a"#, 0, "a text without end"),
        (#""\x""#, 1, "an unknown escape"), (#""\ud83d""#, 1, "half a surrogate pair"),
        (#""\ude00""#, 1, "half a surrogate pair"),
        (#""\u12g4""#, 5, "expected four hex digits"), ("\"\n\"", 1, "a control character in a text"),
        ("[[[[[1]]]]]", 4, "nested too deep"),
    ])
    func `what is no JSON is refused with its place`(text: String, offset: Int, reason: String) {
        do {
            _ = try read(text)
            Issue.record("\(text) was read")
        } catch let fault as JSONReader.Fault {
            #expect(fault.offset == offset && fault.reason == reason, "\(text): \(fault)")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func `a text that is not UTF-8 is refused`() {
        #expect(throws: JSONReader.Fault.self) { try JSONReader.read([0x22, 0xFF, 0x22], depthMax: 1) }
    }
}
