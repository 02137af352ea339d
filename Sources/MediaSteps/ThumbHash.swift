import Glibc

/// A picture in about 25 bytes, drawn as a blur while the picture itself is on its way: ThumbHash (evanw.github.io/thumbhash).
/// It holds the shape, the mean colour, a few cosines of the lightness, fewer of two colour axes, and alpha.
enum ThumbHash {
    /// Pixels of a side, at most.
    static let sideMax = 100

    private struct Channel {
        var mean = 0.0
        var waves: [Double] = []
        var scale = 0.0
    }

    /// `rgba` holds `width` x `height` pixels, each side at most `sideMax`. Nil for anything else.
    static func encode(rgba: [UInt8], width: Int, height: Int) -> [UInt8]? {
        guard (1...sideMax).contains(width), (1...sideMax).contains(height), rgba.count == width * height * 4 else {
            return nil
        }
        let count = width * height
        var mean = (red: 0.0, green: 0.0, blue: 0.0, alpha: 0.0)
        for pixel in 0..<count {
            let alpha = Double(rgba[pixel * 4 + 3]) / 255
            mean.red += alpha / 255 * Double(rgba[pixel * 4])
            mean.green += alpha / 255 * Double(rgba[pixel * 4 + 1])
            mean.blue += alpha / 255 * Double(rgba[pixel * 4 + 2])
            mean.alpha += alpha
        }
        if mean.alpha > 0 {
            mean.red /= mean.alpha
            mean.green /= mean.alpha
            mean.blue /= mean.alpha
        }
        let hasAlpha = mean.alpha < Double(count)
        let limit = hasAlpha ? 5.0 : 7.0
        let longer = Double(max(width, height))
        let across = max(1, round(limit * Double(width) / longer))
        let down = max(1, round(limit * Double(height) / longer))

        // Lightness, yellow to blue, red to green, alpha; over the mean colour where it shines through.
        var planes = [[Double]](repeating: [Double](repeating: 0, count: count), count: 4)
        for pixel in 0..<count {
            let alpha = Double(rgba[pixel * 4 + 3]) / 255
            let red = mean.red * (1 - alpha) + alpha / 255 * Double(rgba[pixel * 4])
            let green = mean.green * (1 - alpha) + alpha / 255 * Double(rgba[pixel * 4 + 1])
            let blue = mean.blue * (1 - alpha) + alpha / 255 * Double(rgba[pixel * 4 + 2])
            planes[0][pixel] = (red + green + blue) / 3
            planes[1][pixel] = (red + green) / 2 - blue
            planes[2][pixel] = red - green
            planes[3][pixel] = alpha
        }
        let lightness = channel(planes[0], width, height, max(3, across), max(3, down))
        let yellow = channel(planes[1], width, height, 3, 3)
        let red = channel(planes[2], width, height, 3, 3)
        let alpha = hasAlpha ? channel(planes[3], width, height, 5, 5) : Channel()

        let isLandscape = width > height
        let head =
            round(63 * lightness.mean) | round(31.5 + 31.5 * yellow.mean) << 6 | round(31.5 + 31.5 * red.mean) << 12
            | round(31 * lightness.scale) << 18 | (hasAlpha ? 1 << 23 : 0)
        let shape =
            (isLandscape ? down : across) | round(63 * yellow.scale) << 3 | round(63 * red.scale) << 9
            | (isLandscape ? 1 << 15 : 0)
        var hash = [head, head >> 8, head >> 16, shape, shape >> 8].map { UInt8(truncatingIfNeeded: $0) }
        if hasAlpha { hash.append(UInt8(truncatingIfNeeded: round(15 * alpha.mean) | round(15 * alpha.scale) << 4)) }
        let waves = lightness.waves + yellow.waves + red.waves + (hasAlpha ? alpha.waves : [])
        for place in stride(from: 0, to: waves.count, by: 2) {
            let high = place + 1 < waves.count ? round(15 * waves[place + 1]) : 0
            hash.append(UInt8(truncatingIfNeeded: round(15 * waves[place]) | high << 4))
        }
        return hash
    }

    /// The mean, and the triangle of low cosines, scaled to 0...1.
    private static func channel(_ plane: [Double], _ width: Int, _ height: Int, _ across: Int, _ down: Int) -> Channel {
        var channel = Channel()
        var row = [Double](repeating: 0, count: width)
        for y in 0..<down {
            var x = 0
            while x * down < across * (down - y) {
                for column in 0..<width { row[column] = cos(.pi / Double(width) * Double(x) * (Double(column) + 0.5)) }
                var sum = 0.0
                for line in 0..<height {
                    let factor = cos(.pi / Double(height) * Double(y) * (Double(line) + 0.5))
                    for column in 0..<width { sum += plane[column + line * width] * row[column] * factor }
                }
                sum /= Double(width * height)
                if x > 0 || y > 0 {
                    channel.waves.append(sum)
                    channel.scale = max(channel.scale, abs(sum))
                } else {
                    channel.mean = sum
                }
                x += 1
            }
        }
        if channel.scale > 0 { channel.waves = channel.waves.map { 0.5 + 0.5 / channel.scale * $0 } }
        return channel
    }

    /// As JavaScript rounds, halves up. The values are all small.
    private static func round(_ value: Double) -> Int { Int((value + 0.5).rounded(.down)) }
}
