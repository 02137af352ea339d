import Testing

@testable import ObjectGateway

@Suite struct ByteRangeTests {
    @Test(arguments: [
        ("bytes=0-0", ByteRange.from(0, through: 0)), ("bytes=1-", .from(1, through: nil)), ("bytes=-5", .suffix(5)),
        ("Bytes=2-3", .from(2, through: 3)), ("bytes= 2-3 ", .from(2, through: 3)),
        ("bytes=0-18446744073709551615", .from(0, through: .max)),
    ])
    func `one range is read`(text: String, range: ByteRange) {
        #expect(ByteRange.parse(bytes(text)) == range)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=3-2", "bytes=0-1,2-3", "items=0-1", "bytes=a-", "bytes=-a",
        "bytes=1-b",
        "bytes=+1-2", "bytes=--1", "bytes=1--2", "bytes=18446744073709551616-", "bytes:0-1", "0-1",
    ])
    func `anything else is none`(text: String) {
        #expect(ByteRange.parse(bytes(text)) == nil)
    }

    @Test(
        arguments: [
            (ByteRange.from(0, through: nil), 0, nil), (.suffix(1), 0, nil), (.from(0, through: 0), 1, 0..<1),
            (.from(5, through: 9), 5, nil), (.from(4, through: 9), 5, 4..<5), (.from(1, through: 3), 5, 1..<4),
            (.from(2, through: nil), 5, 2..<5), (.suffix(0), 5, nil), (.suffix(2), 5, 3..<5), (.suffix(9), 5, 0..<5),
            (.from(0, through: .max), .max, 0 ..< .max), (.suffix(.max), .max, 0 ..< .max),
            (.from(.max, through: .max), .max, nil),
        ] as [(ByteRange, UInt64, Range<UInt64>?)])
    func `a range is cut to the object`(range: ByteRange, size: UInt64, resolved: Range<UInt64>?) {
        #expect(range.resolve(size: size) == resolved)
    }

    @Test func `what is resolved lies inside the object, whatever is asked for`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Generator(state: seed)
        for _ in 0..<20_000 {
            let size = UInt64.random(in: 0...20, using: &random)
            let (a, b) = (UInt64.random(in: 0...25, using: &random), UInt64.random(in: 0...25, using: &random))
            let range: ByteRange =
                switch Int.random(in: 0..<3, using: &random) {
                case 0: .from(a, through: a + b)
                case 1: .from(a, through: nil)
                default: .suffix(a)
                }
            guard let resolved = range.resolve(size: size) else { continue }
            #expect(!resolved.isEmpty && resolved.upperBound <= size, "seed \(seed): \(range) of \(size)")
        }
    }

    /// A generator that a test can repeat from its seed.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 33
        }
    }
}
