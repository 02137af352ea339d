public import JSON

/// The options of a step in the form that `ogw-media` reads (docs/MEDIA.md): checked there again, since it trusts nobody.
public enum MediaOptions {
    /// The name of the logo's file, for a watermark.
    public static let logoFile = "logo"

    /// Nil for steps that decode nothing.
    public static func options(of action: StepAction, presets: [String: Preset]) -> JSONValue? {
        switch action {
        case .watermark(let options): watermark(options)
        case .variants(let names):
            [
                "presets": .object(
                    names.compactMap { name in presets[name].map { .init(name, variant($0)) } })
            ]
        case .preview(let kinds):
            // What is not wanted costs time only where it is made apart.
            kinds.isEmpty || kinds.contains(.animation) ? .object([]) : ["seconds": .integer(0)]
        case .probe: .object([])
        case .transcode(let profiles): ["profiles": .array(profiles.map { .string($0.rawValue) })]
        case .addon, .deliver, .tag: nil
        }
    }

    private static func watermark(_ options: WatermarkOptions) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("scale", .number(options.scale)), .init("fit", .string(options.scaling.rawValue)),
            .init("at", .string(options.position.rawValue)), .init("padding", .integer(Int64(options.padding))),
            .init("opacity", .number(options.opacity)),
        ]
        switch options.mark {
        case .logo: members.append(.init("logo", .string(logoFile)))
        case .text(let text, let colour):
            members += [.init("text", .string(text)), .init("colour", .string(colour))]
        }
        return .object(members)
    }

    private static func variant(_ preset: Preset) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("fit", .string(preset.fit.rawValue)),
            // An asset has no focal point of its own yet, which the middle stands for.
            .init("crop", .string(preset.crop == .smart ? "smart" : "centre")),
            .init("quality", .integer(Int64(preset.quality))), .init("background", .string(preset.background)),
            .init("metadata", .string(preset.keepsMetadata ? "keep" : "strip")),
            .init("enlarge", .bool(preset.enlarges)),
        ]
        if let width = preset.width { members.append(.init("width", .integer(Int64(width)))) }
        if let height = preset.height { members.append(.init("height", .integer(Int64(height)))) }
        if let ratio = preset.ratio { members.append(.init("ratio", .string("\(ratio.width):\(ratio.height)"))) }
        if !preset.formats.isEmpty {
            members.append(.init("format", .array(preset.formats.map { .string($0.rawValue) })))
        }
        return .object(members)
    }

    /// Whether a file that a preview made is one of the kinds that were asked for. Stills of pictures are always wanted.
    public static func isWanted(_ file: String, of kinds: Set<StepAction.Preview>) -> Bool {
        if kinds.isEmpty { return true }
        let stem = file.prefix { $0 != "." }
        switch stem {
        case "poster": return kinds.contains(.poster)
        case "animation": return kinds.contains(.animation)
        case "waveform": return kinds.contains(.waveform)
        default: return stem.hasPrefix("page") ? kinds.contains(.page) : true
        }
    }
}
