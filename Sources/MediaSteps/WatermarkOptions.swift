/// What the step `watermark` is told.
public struct WatermarkOptions: Sendable, Decodable {
    /// One of nine places, or all over.
    public enum Place: String, Sendable, Decodable, CaseIterable {
        case topLeft = "top-left"
        case top = "top"
        case topRight = "top-right"
        case left = "left"
        case centre = "centre"
        case right = "right"
        case bottomLeft = "bottom-left"
        case bottom = "bottom"
        case bottomRight = "bottom-right"
        case tile = "tile"
    }

    /// How the mark is sized.
    public enum Fit: String, Sendable, Decodable {
        /// Its width is `scale` of the picture's.
        case width
        /// It fits into a box of `scale` of the picture's width and `scale` of its height.
        case box
    }

    /// A file in the work folder. Either this or `text`.
    public var logo: String?
    public var text: String?
    public var font = "sans bold"
    var colour = Colour.white
    /// 0 to 1, of the picture.
    public var scale = 0.2
    public var fit = Fit.width
    public var at = Place.topRight
    /// Pixels from the edge; between marks where they are tiled.
    public var padding = 10
    /// 0 to 1.
    public var opacity = 1.0
    /// The input's format where this is nil.
    public var format: ImageFormat?
    public var quality: Int?
    public var metadata = MetadataRule.keep
    /// Of the output, without its ending.
    public var name = "watermarked"

    enum CodingKeys: String, CodingKey {
        case logo, text, font, colour, scale, fit, at, padding, opacity, format, quality, metadata, name
    }

    public init(logo: String) { self.logo = logo }
    public init(text: String) { self.text = text }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        logo = try values.decodeIfPresent(String.self, forKey: .logo)
        text = try values.decodeIfPresent(String.self, forKey: .text)
        font = try values.decodeIfPresent(String.self, forKey: .font) ?? font
        colour = try values.decodeIfPresent(Colour.self, forKey: .colour) ?? colour
        scale = try values.decodeIfPresent(Double.self, forKey: .scale) ?? scale
        fit = try values.decodeIfPresent(Fit.self, forKey: .fit) ?? fit
        if let place = try values.decodeIfPresent(String.self, forKey: .at) {
            guard let known = Place(rawValue: place == "center" ? "centre" : place) else {
                throw OptionError(
                    "at: '\(place)' is none of \(Place.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            at = known
        }
        padding = try values.decodeIfPresent(Int.self, forKey: .padding) ?? padding
        opacity = try values.decodeIfPresent(Double.self, forKey: .opacity) ?? opacity
        format = try values.decodeIfPresent(ImageFormat.self, forKey: .format)
        quality = try values.decodeIfPresent(Int.self, forKey: .quality)
        metadata = try values.decodeIfPresent(MetadataRule.self, forKey: .metadata) ?? metadata
        name = try values.decodeIfPresent(String.self, forKey: .name) ?? name
    }

    func check() throws(MediaError) {
        func require(_ holds: Bool, _ what: String) throws(MediaError) {
            if !holds { throw MediaError(.options, what) }
        }
        try require((logo == nil) != (text == nil), "either logo or text is wanted")
        try require(scale > 0 && scale <= 1, "scale: \(scale) is not above 0 and at most 1")
        try require(opacity > 0 && opacity <= 1, "opacity: \(opacity) is not above 0 and at most 1")
        try require((0...10_000).contains(padding), "padding: \(padding) is not in 0...10000")
        try require(quality.map((1...100).contains) != false, "quality: \(quality ?? 0) is not in 1...100")
        try require((text?.utf8.count ?? 1) <= 500 && text != "", "text: 1 to 500 bytes are wanted")
        try require(font.utf8.count <= 100, "font: at most 100 bytes are wanted")
    }
}

/// What becomes of EXIF, XMP, IPTC and the colour profile.
public enum MetadataRule: String, Sendable, Decodable {
    case strip, keep
}
