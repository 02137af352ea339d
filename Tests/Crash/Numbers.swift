/// Random numbers that a seed repeats (SplitMix64).
struct Numbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ end: Int) -> Int { Int.random(in: 0..<max(1, end), using: &self) }

    /// True in `percent` of 100 cases.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// Several sources from one seed.
    func fork(_ number: Int) -> Numbers {
        var numbers = Numbers(seed: state ^ UInt64(truncatingIfNeeded: number) &* 0xD6E8_FEB8_6659_FD93)
        _ = numbers.next()
        return numbers
    }
}
