import Digests
import Testing

@Suite struct SecretSealingTests {
    private func sealing(_ byte: UInt8 = 1) throws -> SecretSealing {
        try #require(SecretSealing(key: [UInt8](repeating: byte, count: 32)))
    }

    @Test(arguments: [0, 1, 40, 5000]) func `what is sealed opens again`(_ count: Int) throws {
        let secret = pseudorandom(count: count, seed: 9)
        let sealed = try #require(try sealing().seal(secret, context: [7]))
        #expect(sealed.count == count + 28)
        #expect(try sealing().open(sealed, context: [7]) == secret)
    }

    @Test func `sealing twice gives different bytes`() throws {
        #expect(try sealing().seal([1, 2, 3], context: []) != sealing().seal([1, 2, 3], context: []))
    }

    @Test func `another key, another context or any changed bit does not open`() throws {
        let sealed = try #require(try sealing().seal([1, 2, 3], context: [7]))
        #expect(try sealing(2).open(sealed, context: [7]) == nil)
        #expect(try sealing().open(sealed, context: [8]) == nil)
        #expect(try sealing().open(sealed, context: []) == nil)
        for bit in 0..<(sealed.count * 8) {
            var changed = sealed
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try sealing().open(changed, context: [7]) == nil)
        }
        for length in 0..<sealed.count {
            #expect(try sealing().open([UInt8](sealed.prefix(length)), context: [7]) == nil)
        }
    }

    @Test(arguments: [0, 16, 31, 33]) func `a key of another length is refused`(_ length: Int) {
        #expect(SecretSealing(key: [UInt8](repeating: 0, count: length)) == nil)
    }

    @Test func `a secret above the bound is refused`() throws {
        #expect(try sealing().seal([UInt8](repeating: 0, count: SecretSealing.lengthMax + 1), context: []) == nil)
    }
}
