import Bytes
import Testing

@Suite struct ConstantTimeTests {
    @Test func `equal bytes are equal, and one other bit or length is not`() {
        let bytes = [UInt8](0..<32)
        #expect(ConstantTime.equal(bytes, bytes))
        #expect(ConstantTime.equal([UInt8](), [UInt8]()))
        #expect(!ConstantTime.equal(bytes, [UInt8](0..<31)))
        #expect(!ConstantTime.equal(bytes, bytes + [0]))
        for bit in 0..<256 {
            var other = bytes
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!ConstantTime.equal(bytes, other))
        }
    }

    @Test func `slices compare by content`() {
        let bytes = [UInt8]("abcabc".utf8)
        #expect(ConstantTime.equal(bytes[0..<3], bytes[3..<6]))
    }
}
