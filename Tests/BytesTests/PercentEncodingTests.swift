import Bytes
import Testing

@Suite struct PercentEncodingTests {
    @Test(arguments: [
        ("", ""), ("AZaz09-._~", "AZaz09-._~"), ("a b", "a%20b"), ("a+b", "a%2Bb"), ("a/b", "a%2Fb"), ("%", "%25"),
        ("!'()*", "%21%27%28%29%2A"), ("ä", "%C3%A4"), ("\0\n", "%00%0A"), ("a=b&c", "a%3Db%26c"),
    ]) func `all but the unreserved characters are encoded`(_ plain: String, _ encoded: String) {
        #expect(String(ascii: PercentEncoding.encode(plain.utf8)) == encoded)
        #expect(PercentEncoding.decode(encoded.utf8) == [UInt8](plain.utf8))
    }

    @Test func `a slash stays where it is asked to`() {
        #expect(String(ascii: PercentEncoding.encode("a/b c".utf8, keepingSlash: true)) == "a/b%20c")
    }

    /// S3-TRAPS 15.
    @Test(arguments: [
        ("a b", "a+b"), ("a+b", "a%2Bb"), ("a/b", "a/b"), ("a*b", "a*b"), ("~", "~"), ("%", "%25"), ("ä", "%C3%A4"),
    ]) func `listings write a space as plus and keep slashes`(_ plain: String, _ encoded: String) {
        #expect(String(ascii: PercentEncoding.encodeForListing(plain.utf8)) == encoded)
        #expect(PercentEncoding.decode(encoded.utf8, plusIsSpace: true) == [UInt8](plain.utf8))
    }

    @Test(arguments: ["%", "%4", "%4g", "%g4", "a%", "%%41", "%2", "% 1", "%+1"])
    func `a percent sign without two digits is refused`(_ text: String) {
        #expect(PercentEncoding.decode(text.utf8) == nil)
    }

    @Test func `decoding happens once`() { #expect(PercentEncoding.decode("%2541".utf8) == [UInt8]("%41".utf8)) }

    @Test func `a plus is a space only where it is said to be`() {
        #expect(PercentEncoding.decode("a+b".utf8) == [UInt8]("a+b".utf8))
        #expect(PercentEncoding.decode("a+b%2B".utf8, plusIsSpace: true) == [UInt8]("a b+".utf8))
    }

    @Test func `any bytes come back`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(state: seed)
        for round in 0..<500 {
            let bytes = random.bytes(count: Int.random(in: 0..<60, using: &random))
            #expect(PercentEncoding.decode(PercentEncoding.encode(bytes)) == bytes, "seed \(seed) round \(round)")
            let listed = PercentEncoding.encodeForListing(bytes)
            #expect(PercentEncoding.decode(listed, plusIsSpace: true) == bytes, "seed \(seed) round \(round)")
        }
    }
}
