public import JSON

/// A form in which pictures are made: `{"ratio": "1:1", "width": 1080, "crop": "smart", "format": "jpeg", "quality": 95}`.
public struct Preset: Sendable, Equatable {
    public enum Fit: String, Sendable, CaseIterable {
        /// Fills the box; what does not fit is cropped.
        case cover
        /// Lies within the box, at its own ratio.
        case inside
        /// Lies within the box, which `background` fills up.
        case contain
        /// Stretched to the box.
        case fill
    }

    public enum Crop: String, Sendable, CaseIterable {
        /// Where the picture draws attention, or around the asset's focal point where it has one.
        case smart
        case centre
        /// Around the asset's focal point; the middle where it has none.
        case focal
    }

    public enum Format: String, Sendable, CaseIterable {
        case jpeg, png, webp, avif
    }

    /// Of width to height; nil for that of the picture, or as `width` and `height` say.
    public var ratio: Ratio?
    /// In pixels, 1...16384. At least one of width and height is there.
    public var width: Int?
    public var height: Int?
    public var fit = Fit.cover
    public var crop = Crop.smart
    /// Several give a file each. Empty for that of the picture.
    public var formats: [Format] = []
    /// 1...100.
    public var quality = 85
    /// `#rrggbb`: under what is transparent where the format has no transparency, and around `contain`.
    public var background = "#ffffff"
    /// Whether EXIF and the like stay; the colour profile always does where it is not sRGB.
    public var keepsMetadata = false
    /// Whether a picture smaller than the box is made larger.
    public var enlarges = false

    /// Two whole numbers, 1...1000.
    public struct Ratio: Sendable, Equatable {
        public var width: Int
        public var height: Int

        public init?(_ text: String) {
            let parts = text.utf8.split(separator: 0x3A, omittingEmptySubsequences: false).map { part in
                part.count <= 4 ? Int(String(decoding: Array(part), as: UTF8.self)) : nil
            }
            guard parts.count == 2, let width = parts[0], let height = parts[1], (1...1000).contains(width),
                (1...1000).contains(height)
            else { return nil }
            self.width = width
            self.height = height
        }
    }

    static let sideMax: Int64 = 16_384

    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let members = try JSONMembers(
            value,
            of: [
                "ratio", "width", "height", "fit", "crop", "format", "quality", "background", "metadata", "enlarge",
            ], at: path)
        if members.has("ratio") {
            let wanted = "a ratio of two whole numbers such as 16:9"
            guard let ratio = Ratio(try members.requiredText("ratio", wanted: wanted)) else {
                throw members.fault("ratio", wanted: wanted)
            }
            self.ratio = ratio
        }
        width = try members.integer("width", in: 1...Self.sideMax).map { Int($0) }
        height = try members.integer("height", in: 1...Self.sideMax).map { Int($0) }
        guard width != nil || height != nil else { throw members.fault("width", wanted: "width, height or both") }
        if ratio != nil, width != nil, height != nil {
            throw members.fault("ratio", wanted: "no ratio beside both width and height")
        }
        fit = try members.choice("fit", Fit.self) ?? fit
        crop = try members.choice("crop", Crop.self) ?? crop
        let wanted = Format.allCases.map(\.rawValue).joined(separator: ", ").namingChoices()
        for (place, text) in try members.texts("format", countMax: Format.allCases.count, wanted: wanted) {
            guard let format = Format(rawValue: text), !formats.contains(format) else {
                throw JSONFault(path: place, value: text, wanted: "\(wanted), each once")
            }
            formats.append(format)
        }
        if let quality = try members.integer("quality", in: 1...100) { self.quality = Int(quality) }
        if let colour = try members.colour("background") { background = colour }
        enum Metadata: String, CaseIterable { case strip, keep }
        keepsMetadata = try members.choice("metadata", Metadata.self) == .keep
        enlarges = try members.flag("enlarge") ?? enlarges
    }
}

extension JSONMembers {
    /// `#rrggbb`, in lower case.
    func colour(_ name: String) throws(JSONFault) -> String? {
        let wanted = "a colour such as #ffffff"
        guard let text = try text(name, wanted: wanted) else { return nil }
        let digits = text.utf8.dropFirst()
        guard text.utf8.first == 0x23, digits.count == 6,
            digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) })
        else { throw fault(name, wanted: wanted) }
        return text.lowercased()
    }
}
