import Bytes
import Testing

@Suite struct HexTests {
    @Test func `bytes are written in lower case and read in both`() {
        #expect(Hex.string([0x00, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(Hex.decode("000fA5Ff".utf8) == [0x00, 0x0F, 0xA5, 0xFF])
        #expect(Hex.decode("".utf8) == [])
    }

    @Test(arguments: ["0", "000", "0g", "g0", " 0", "0x", "٠٠", "0 0 "]) func `anything else is refused`(_ text: String)
    {
        #expect(Hex.decode(text.utf8) == nil)
    }

    @Test func `every byte comes back`() {
        for byte in UInt8.min...UInt8.max {
            #expect(Hex.decode(Hex.encode([byte])) == [byte])
        }
    }

    @Test func `a character that is no digit has no value`() {
        for c in UInt8.min...UInt8.max {
            #expect(Hex.value(of: c).map(Int.init) == Character(Unicode.Scalar(c)).asciiHexDigit, "\(c)")
        }
    }

    @Test(
        arguments: [
            (0, 4, "0000"), (0x1F, 4, "001f"), (0x12345, 4, "2345"), (.max, 16, "ffffffffffffffff"),
            (1, 20, "00000000000000000001"), (5, 0, ""),
        ] as [(UInt64, Int, String)]) func `a number is written in a fixed width`(
            _ value: UInt64, _ width: Int, _ text: String
        )
    {
        #expect(String(ascii: Hex.encode(value, width: width)) == text)
    }
}

extension Character {
    fileprivate var asciiHexDigit: Int? { isASCII ? hexDigitValue : nil }
}
