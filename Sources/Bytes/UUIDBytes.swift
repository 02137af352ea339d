/// The 16 bytes of a UUID (RFC 9562), and its written form.
public enum UUIDBytes {
    /// One of version 7: ids ascend with the time at which they were made. The random part is the system's.
    public static func version7(at moment: Timestamp) -> [UInt8] {
        let milliseconds = UInt64(max(0, moment.milliseconds))
        var random = SystemRandomNumberGenerator()
        let (high, low): (UInt64, UInt64) = (random.next(), random.next())
        var bytes = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - 8 * $0)) }
        bytes.append(0x70 | UInt8(truncatingIfNeeded: high) & 0x0F)
        bytes.append(UInt8(truncatingIfNeeded: high >> 8))
        bytes.append(0x80 | UInt8(truncatingIfNeeded: high >> 16) & 0x3F)
        bytes += (0..<7).map { UInt8(truncatingIfNeeded: low >> UInt64(8 * $0)) }
        return bytes
    }

    /// Reads the form with dashes, in either case; nil for anything else.
    public static func parse(_ text: some Collection<UInt8>) -> [UInt8]? {
        let dashes = [8, 13, 18, 23]
        guard text.count == 36, zip(0..., text).allSatisfy({ dashes.contains($0) == ($1 == Ascii.dash) }) else {
            return nil
        }
        return Hex.decode(text.filter { $0 != Ascii.dash })
    }

    /// 36 characters, with dashes, lower case.
    public static func text(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        for (place, digit) in Hex.encode(bytes).enumerated() {
            if [8, 12, 16, 20].contains(place) { out.append(Ascii.dash) }
            out.append(digit)
        }
        return out
    }
}
