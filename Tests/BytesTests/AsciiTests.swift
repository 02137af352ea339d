import Bytes
import Testing

@Suite struct AsciiTests {
    @Test func `the classes of characters hold exactly their members`() {
        for c in UInt8.min...UInt8.max {
            let isDigit = "0123456789".utf8.contains(c)
            let isUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8.contains(c)
            let isLower = "abcdefghijklmnopqrstuvwxyz".utf8.contains(c)
            #expect(Ascii.isDigit(c) == isDigit, "\(c)")
            #expect(Ascii.isUpper(c) == isUpper, "\(c)")
            #expect(Ascii.isLower(c) == isLower, "\(c)")
            #expect(Ascii.isLetter(c) == (isUpper || isLower), "\(c)")
            #expect(Ascii.lowered(c) == (isUpper ? c + 32 : c), "\(c)")
        }
    }

    @Test func `comparison ignores the case of letters and nothing else`() {
        #expect(Ascii.equalIgnoringCase("Content-MD5".utf8, "cONTENT-md5".utf8))
        #expect(!Ascii.equalIgnoringCase("a".utf8, "ab".utf8))
        #expect(!Ascii.equalIgnoringCase("[".utf8, "{".utf8))
        #expect(!Ascii.equalIgnoringCase("@".utf8, "`".utf8))
        #expect(Ascii.equalIgnoringCase("".utf8, "".utf8))
    }

    @Test(arguments: [("", ""), (" \t ", ""), ("a", "a"), (" a b\t", "a b"), ("\u{B}a", "\u{B}a")])
    func `outer spaces and tabs are trimmed`(_ text: String, _ trimmed: String) {
        #expect(String(ascii: Ascii.trimmed([UInt8](text.utf8))) == trimmed)
    }

    @Test(
        arguments: [
            ("0", 0), ("007", 7), ("18446744073709551615", UInt64.max), ("00000000000000000000000000001", 1),
        ] as [(String, UInt64)]) func `decimal numbers are read`(_ text: String, _ value: UInt64)
    {
        #expect(Ascii.decimal(text.utf8) == value)
    }

    @Test(arguments: ["", "-1", "+1", " 1", "1 ", "1.0", "0x1", "18446744073709551616", "99999999999999999999", "١"])
    func `anything else is no decimal number`(_ text: String) { #expect(Ascii.decimal(text.utf8) == nil) }

    @Test(arguments: [0, 7, 10, 99, 1000, UInt64.max]) func `decimal digits are those of String`(_ value: UInt64) {
        #expect(String(ascii: Ascii.decimal(of: value)) == String(value))
        var out = [UInt8]("x".utf8)
        Ascii.appendDecimal(value, to: &out)
        #expect(String(ascii: out) == "x\(value)")
    }

    @Test(arguments: [
        ("", [""]), ("a", ["a"]), (",", ["", ""]), ("a,b", ["a", "b"]), (",a,,b,", ["", "a", "", "b", ""]),
    ]) func `splitting keeps empty parts`(_ text: String, _ parts: [String]) {
        #expect(Ascii.split([UInt8](text.utf8)[...], at: Ascii.comma).map { String(ascii: $0) } == parts)
    }

    @Test func `splitting works on a slice in the middle`() {
        let bytes = [UInt8]("x,a,b,y".utf8)
        #expect(Ascii.split(bytes[2..<5], at: Ascii.comma).map { String(ascii: $0) } == ["a", "b"])
    }
}
