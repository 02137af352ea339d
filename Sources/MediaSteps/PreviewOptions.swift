/// What the step `preview` is told. Which of it matters depends on the input.
public struct PreviewOptions: Sendable, Decodable {
    /// The box, in pixels, that a still picture fits.
    public var width = 640
    public var height = 640
    public var format = ImageFormat.jpeg
    public var quality = 85
    /// The second of a film that the poster is taken near; a tenth of its length, at most 5, where nobody says.
    public var at: Double?
    /// Seconds of the short animation; 0 for none.
    public var seconds = 3.0
    /// Pixels of the animation's width.
    public var animationWidth = 320
    /// Pixels of the waveform, and its colour.
    public var waveWidth = 1200
    public var waveHeight = 200
    var colour = Colour(red: 0x33, green: 0x66, blue: 0xcc)

    enum CodingKeys: String, CodingKey {
        case width, height, format, quality, at, seconds, colour
        case animationWidth = "animation_width"
        case waveWidth = "wave_width"
        case waveHeight = "wave_height"
    }

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        width = try values.decodeIfPresent(Int.self, forKey: .width) ?? width
        height = try values.decodeIfPresent(Int.self, forKey: .height) ?? height
        format = try values.decodeIfPresent(ImageFormat.self, forKey: .format) ?? format
        quality = try values.decodeIfPresent(Int.self, forKey: .quality) ?? quality
        at = try values.decodeIfPresent(Double.self, forKey: .at)
        seconds = try values.decodeIfPresent(Double.self, forKey: .seconds) ?? seconds
        animationWidth = try values.decodeIfPresent(Int.self, forKey: .animationWidth) ?? animationWidth
        waveWidth = try values.decodeIfPresent(Int.self, forKey: .waveWidth) ?? waveWidth
        waveHeight = try values.decodeIfPresent(Int.self, forKey: .waveHeight) ?? waveHeight
        colour = try values.decodeIfPresent(Colour.self, forKey: .colour) ?? colour
    }

    func check() throws(MediaError) {
        let sides = [width, height, animationWidth, waveWidth, waveHeight]
        guard sides.allSatisfy({ (16...4096).contains($0) }) else {
            throw MediaError(.options, "sides of a preview are 16 to 4096 pixels")
        }
        guard (1...100).contains(quality), (0...10).contains(seconds), at.map({ $0 >= 0 && $0 < 1e6 }) != false else {
            throw MediaError(.options, "quality is 1 to 100, seconds 0 to 10, at 0 or more")
        }
    }
}
