import Vips

/// The loudness of sound over time: the lowest and the highest sample of each of some hundred equal stretches.
struct Waveform: Encodable {
    /// Those of the JSON of BBC's audiowaveform, which peaks.js and others read.
    let version = 2
    let channels = 1
    let sample_rate = 8_000
    private(set) var samples_per_pixel = 64
    let bits = 16
    private(set) var length = 0
    /// Lowest and highest in turn.
    private(set) var data: [Int16] = []

    enum CodingKeys: String, CodingKey {
        case version, channels, sample_rate, samples_per_pixel, bits, length, data
    }

    /// Stretches, at most; there are more than half as many unless the sound is shorter than 64 times that.
    static let lengthMax = 2_000

    private var filled = 0
    private var low = Int16.max
    private var high = Int16.min
    private var odd: UInt8?
    private(set) var samples = 0

    /// Samples of 16 bits, little-endian, in pieces of any size.
    mutating func take(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            guard let first = odd else {
                odd = byte
                continue
            }
            odd = nil
            add(Int16(bitPattern: UInt16(byte) << 8 | UInt16(first)))
        }
    }

    /// Ends the last stretch.
    mutating func end() {
        if filled > 0 { close() }
        length = data.count / 2
    }

    private mutating func add(_ sample: Int16) {
        samples += 1
        low = min(low, sample)
        high = max(high, sample)
        filled += 1
        if filled == samples_per_pixel { close() }
    }

    private mutating func close() {
        data += [low, high]
        (filled, low, high) = (0, .max, .min)
        guard data.count >= 2 * Self.lengthMax else { return }
        // Twice as long stretches, half as many.
        data = stride(from: 0, to: data.count, by: 4).flatMap { place in
            [min(data[place], data[place + 2]), max(data[place + 1], data[place + 3])]
        }
        samples_per_pixel *= 2
    }

    /// Bars of one colour on a transparent ground, from the middle up and down.
    func pixels(width: Int, height: Int, _ colour: Colour) -> [UInt8] {
        var rgba = [UInt8](repeating: 0, count: width * height * 4)
        let stretches = data.count / 2
        for x in 0..<width where stretches > 0 {
            let from = x * stretches / width
            let to = max(from + 1, (x + 1) * stretches / width)
            let low = (from..<to).map { data[2 * $0] }.min() ?? 0
            let high = (from..<to).map { data[2 * $0 + 1] }.max() ?? 0
            func line(_ sample: Int16) -> Int {
                let place = (1 - Double(sample) / 32_768) / 2 * Double(height)
                return min(height - 1, max(0, Int(place.rounded(.down))))
            }
            for y in line(high)...max(line(high), line(low)) {
                let place = (y * width + x) * 4
                (rgba[place], rgba[place + 1], rgba[place + 2], rgba[place + 3]) =
                    (colour.red, colour.green, colour.blue, 255)
            }
        }
        return rgba
    }
}
