/// One size and form in which a picture is wanted; hooks call it by name.
public struct VariantPreset: Sendable, Decodable {
    /// How a picture of another shape fills the wanted size.
    public enum Fit: String, Sendable, Decodable {
        /// Fills it; what stands over is cropped.
        case cover
        /// Lies inside it, on a ground of `background`.
        case contain
        /// Is stretched to it.
        case fill
        /// As large as lies inside it; the output has the picture's shape.
        case inside
        /// As small as covers it; the output has the picture's shape.
        case outside
    }

    /// What is kept where `cover` crops.
    public enum Crop: Sendable, Equatable, Decodable {
        /// Where libvips' attention finds most: edges, skin, saturated colours.
        case smart
        case centre
        /// As near to the middle as can be: 0 to 1 from the left and the top.
        case focus(x: Double, y: Double)

        public init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let point = try? value.decode([Double].self) {
                guard point.count == 2, point.allSatisfy({ (0...1).contains($0) }) else {
                    throw OptionError("crop: a point is [x, y], each from 0 to 1")
                }
                self = .focus(x: point[0], y: point[1])
                return
            }
            switch try value.decode(String.self) {
            case "smart", "attention": self = .smart
            case "centre", "center": self = .centre
            case let other: throw OptionError("crop: '\(other)' is neither smart, centre nor a point [x, y]")
            }
        }
    }

    /// Width to height.
    public struct Ratio: Sendable, Equatable, Decodable {
        public let width: Double
        public let height: Double

        init(_ width: Double, to height: Double) { (self.width, self.height) = (width, height) }

        public init(from decoder: any Decoder) throws {
            let text = try decoder.singleValueContainer().decode(String.self)
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) ?? 0 }
            guard parts.count == 2, parts.allSatisfy({ $0 > 0 && $0 <= 1_000 }) else {
                throw OptionError("ratio: '\(text)' is not like 16:9")
            }
            (width, height) = (parts[0], parts[1])
        }
    }

    public var ratio: Ratio?
    /// Pixels. At least one of width, height and ratio.
    public var width: Int?
    public var height: Int?
    /// `cover` where a shape is given by a ratio or by both sides, `inside` where one side is.
    public var fit: Fit?
    public var crop = Crop.smart
    /// One output of each; the input's where none is named, or JPEG where that is not written.
    public var formats: [ImageFormat] = []
    public var quality: Int?
    /// The ground of `contain`, and behind transparent pixels in JPEG.
    var background = Colour.white
    public var metadata = MetadataRule.strip
    public var enlarge = false

    enum CodingKeys: String, CodingKey {
        case ratio, width, height, fit, crop, format, quality, background, metadata, enlarge
    }

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        ratio = try values.decodeIfPresent(Ratio.self, forKey: .ratio)
        width = try values.decodeIfPresent(Int.self, forKey: .width)
        height = try values.decodeIfPresent(Int.self, forKey: .height)
        fit = try values.decodeIfPresent(Fit.self, forKey: .fit)
        crop = try values.decodeIfPresent(Crop.self, forKey: .crop) ?? crop
        if values.contains(.format) {
            if let several = try? values.decode([ImageFormat].self, forKey: .format) {
                formats = several
            } else {
                formats = [try values.decode(ImageFormat.self, forKey: .format)]
            }
        }
        quality = try values.decodeIfPresent(Int.self, forKey: .quality)
        background = try values.decodeIfPresent(Colour.self, forKey: .background) ?? background
        metadata = try values.decodeIfPresent(MetadataRule.self, forKey: .metadata) ?? metadata
        enlarge = try values.decodeIfPresent(Bool.self, forKey: .enlarge) ?? enlarge
    }

    /// Pixels of a side, at most.
    static let sideMax = 16_384

    func check(_ name: String) throws(MediaError) {
        func require(_ holds: Bool, _ what: String) throws(MediaError) {
            if !holds { throw MediaError(.options, "preset \(name): \(what)") }
        }
        try require(width != nil || height != nil || ratio != nil, "width, height or ratio is wanted")
        for side in [width, height].compactMap({ $0 }) {
            try require((1...Self.sideMax).contains(side), "\(side) pixels are not in 1...\(Self.sideMax)")
        }
        try require(quality.map((1...100).contains) != false, "quality: \(quality ?? 0) is not in 1...100")
        try require(formats.count <= ImageFormat.allCases.count && Set(formats).count == formats.count, "format twice")
    }
}
