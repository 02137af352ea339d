import Vips

/// A format that pictures are written in.
public enum ImageFormat: String, Sendable, Codable, CaseIterable {
    case jpeg, png, webp, avif, gif, tiff

    /// Also takes "jpg".
    public init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let format = ImageFormat(rawValue: name == "jpg" ? "jpeg" : name) else {
            throw OptionError("format: '\(name)' is none of jpeg, png, webp, avif, gif, tiff")
        }
        self = format
    }

    init?(_ type: FileType) { self.init(rawValue: type.rawValue) }

    var fileExtension: String {
        switch self {
        case .jpeg: "jpg"
        case .tiff: "tif"
        default: rawValue
        }
    }

    var mime: String { "image/\(rawValue)" }
    var takesAlpha: Bool { self != .jpeg }
    var moves: Bool { self == .gif || self == .webp }
    var takes16Bit: Bool { self == .png || self == .tiff }

    /// What the encoder is told where nobody says a quality.
    var defaultQuality: Int {
        switch self {
        case .jpeg: 95
        case .webp: 90
        case .avif: 65
        default: 100
        }
    }

    /// How pictures are written.
    struct Settings {
        var quality: Int?
        var keepsMetadata = true
        /// Behind transparent pixels, where the format has none.
        var background: [Double] = [255, 255, 255]
        /// False where the source has its colours at half resolution already, so that nothing is lost.
        var fullColour = true
        /// Frames lie one below the other, each of this height.
        var pageHeight: Int?
    }

    /// Writes a picture to a file of the work folder. On any thread. What the picture is
    /// decoded from is read meanwhile: its errors come out here, as those of the disk do.
    func save(
        _ picture: Picture, to file: String, _ settings: Settings, _ folder: WorkFolder, _ watch: Watch
    ) throws {
        let quality = min(100, max(1, settings.quality ?? defaultQuality))
        let saver = Operation(self == .avif ? "heifsave" : "\(rawValue)save")
            .set("filename", try folder.path(of: file)).set("strip", !settings.keepsMetadata)
        if let pageHeight = settings.pageHeight { saver.set("page-height", pageHeight) }
        switch self {
        case .jpeg:
            saver.set("Q", quality).choose("subsample-mode", settings.fullColour ? "auto" : "on")
        case .webp: saver.set("Q", quality).set("effort", 4)
        case .avif: saver.set("Q", quality).choose("compression", "av1").set("bitdepth", 8).set("effort", 4)
        case .tiff: saver.choose("compression", "lzw")
        case .gif: saver.set("effort", 4)
        case .png: break
        }
        var picture = picture
        if picture.hasAlpha && !takesAlpha {
            picture = try Operation("flatten").set("in", picture).set("background", settings.background).picture()
        }
        if picture.is16Bit && !takes16Bit {
            picture = try Operation("colourspace").set("in", picture).choose("space", "srgb").picture()
        }
        try picture.save(saver, watch)
    }
}

/// An option that is not what it should be; the text names it.
struct OptionError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
