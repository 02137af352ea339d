/// What is told of a file.
public struct ProbeResult: Sendable, Equatable, Encodable {
    public enum Kind: String, Sendable, Encodable {
        case image, audio, video, document
    }

    public struct Dimensions: Sendable, Equatable, Encodable {
        public let width: Int
        public let height: Int
    }

    public let type: Kind
    /// Such as "jpeg" or "mp3", by the content.
    public let format: String
    public let mime: String
    /// Bytes.
    public let size: Int
    /// Pixels, as it is seen.
    public var dimensions: Dimensions?
    /// Seconds.
    public var duration: Double?
    public var frames: Int?
    public var pages: Int?
    public var alpha: Bool?
    /// 1 to 8, as EXIF has it.
    public var orientation: Int?
    public var colourSpace: String?
    /// Bits in a second.
    public var bitrate: Int?
    public var sampleRate: Int?
    public var channels: Int?
    public var frameRate: Double?
    public var audioCodec: String?
    public var videoCodec: String?
    /// Title, artist and the like, from within the file.
    public var tags: [String: String]?
    public var exif: [String: String]?
    /// As #rrggbb.
    public var dominantColour: String?
    /// Base 64 of a ThumbHash.
    public var placeholder: String?
    /// For search; its beginning, where it is long.
    public var text: String?

    enum CodingKeys: String, CodingKey {
        case type, format, mime, size, dimensions, duration, frames, pages, alpha, orientation, bitrate, channels, tags
        case exif, placeholder, text
        case colourSpace = "colour_space"
        case sampleRate = "sample_rate"
        case frameRate = "frame_rate"
        case audioCodec = "audio_codec"
        case videoCodec = "video_codec"
        case dominantColour = "dominant_colour"
    }

    init(_ type: Kind, _ format: FileType, size: Int) {
        self.type = type
        self.format = format.rawValue
        mime = format.mime
        self.size = size
    }
}
