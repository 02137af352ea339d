public import JSON
public import Metadata

/// The options of a step in the form that `ogw-media` reads (docs/MEDIA.md): checked there again, since it trusts nobody.
public enum MediaOptions {
    /// The name of the logo's file, for a watermark.
    public static let logoFile = "logo"

    /// Nil for steps that decode nothing. `focus` is the focal point of the picture that is read, where it has one.
    public static func options(
        of action: StepAction, presets: [String: Preset], focus: FocalPoint? = nil
    ) -> JSONValue? {
        switch action {
        case .watermark(let options): watermark(options)
        case .variants(let names):
            [
                "presets": .object(
                    names.compactMap { name in presets[name].map { .init(name, variant($0, focus: focus)) } })
            ]
        case .preview(let options): .object(options.told)
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

    /// All that decides how a variant of a picture looks: two that are told the same are the same.
    public static func variant(_ preset: Preset, focus: FocalPoint?) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("fit", .string(preset.fit.rawValue)), .init("crop", crop(preset, focus)),
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

    /// Whether a focal point makes another picture of it.
    public static func usesFocus(_ preset: Preset) -> Bool { preset.fit == .cover && preset.crop != .centre }

    private static func crop(_ preset: Preset, _ focus: FocalPoint?) -> JSONValue {
        // What is not cropped looks the same wherever its focal point is.
        if let focus, usesFocus(preset) { return .array([.number(focus.x), .number(focus.y)]) }
        return preset.crop == .smart ? "smart" : "centre"
    }
}
