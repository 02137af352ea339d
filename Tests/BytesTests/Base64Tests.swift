import Bytes
import Testing

@Suite struct Base64Tests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]) func `the examples of RFC 4648 hold both ways`(_ plain: String, _ encoded: String) {
        #expect(Base64.string([UInt8](plain.utf8)) == encoded)
        #expect(Base64.decode(encoded.utf8) == [UInt8](plain.utf8))
    }

    @Test func `all 64 characters are used and read`() {
        let bytes = (0..<48).map { UInt8($0 * 5 % 256) } + [0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF]
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        #expect(Base64.string([0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF]) == "++++////")
    }

    @Test(arguments: [
        "A", "AA", "AAA", "A===", "====", "=", "AA=A", "A=AA", "=AAA", "AAAA=", "AAAA==", "AAAA====", "AAA=AAAA",
        "AA==AA==", "AB==", "AAB=", "AAA-", "AAA_", "AA A", "AAA\n", "AAAé",
    ]) func `wrong padding, foreign characters and stray bits are refused`(_ text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test func `what is encoded decodes, and what decodes was encoded so`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(state: seed)
        for round in 0..<1000 {
            let bytes = random.bytes(count: Int.random(in: 0..<40, using: &random))
            let text = Base64.encode(bytes)
            #expect(Base64.decode(text) == bytes, "seed \(seed) round \(round)")
            var changed = text
            guard !changed.isEmpty else { continue }
            changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            if let decoded = Base64.decode(changed) {
                #expect(Base64.encode(decoded) == changed, "seed \(seed) round \(round)")
            }
        }
    }
}
