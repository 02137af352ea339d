public import JSON

/// What a `preview` step makes: `true`, kinds of previews, or an object with `kinds` and the options of docs/MEDIA.md.
public struct PreviewOptions: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A picture of a video.
        case poster
        /// A short moving picture of a video.
        case animation
        /// A picture of a sound, and its peaks as JSON.
        case waveform
        /// The first page of a document.
        case page
    }

    /// Empty for all that fit.
    public var kinds: Set<Kind> = []
    /// In pixels: the box of a still picture, the animation's width, the waveform's size.
    public var width: Int?
    public var height: Int?
    public var animationWidth: Int?
    public var waveWidth: Int?
    public var waveHeight: Int?
    /// Of stills.
    public var format: Preset.Format?
    public var quality: Int?
    /// Seconds from the start, of the poster.
    public var at: Double?
    /// How long the animation is, in seconds; 0 for none.
    public var seconds: Double?
    /// Of the waveform, `#rrggbb`.
    public var colour: String?

    static let sides: ClosedRange<Int64> = 16...4096

    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        if value == .bool(true) || value == .object([]) { return }
        guard case .object = value else {
            let members = try JSONMembers(anyOf: .object([.init("kinds", value)]), at: "")
            kinds = try Self.kinds(members, at: path)
            return
        }
        let members = try JSONMembers(
            value,
            of: [
                "kinds", "width", "height", "format", "quality", "at", "seconds", "animation_width", "wave_width",
                "wave_height", "colour",
            ], at: path)
        kinds = try Self.kinds(members, at: members.path(of: "kinds"))
        width = try members.integer("width", in: Self.sides).map { Int($0) }
        height = try members.integer("height", in: Self.sides).map { Int($0) }
        animationWidth = try members.integer("animation_width", in: Self.sides).map { Int($0) }
        waveWidth = try members.integer("wave_width", in: Self.sides).map { Int($0) }
        waveHeight = try members.integer("wave_height", in: Self.sides).map { Int($0) }
        format = try members.choice("format", Preset.Format.self)
        quality = try members.integer("quality", in: 1...100).map { Int($0) }
        at = try members.number("at", in: 0...999_999)
        seconds = try members.number("seconds", in: 0...10)
        colour = try members.colour("colour")
    }

    private static func kinds(_ members: JSONMembers, at path: String) throws(JSONFault) -> Set<Kind> {
        let wanted = Kind.allCases.map(\.rawValue).joined(separator: ", ").namingChoices()
        var found: Set<Kind> = []
        let texts: [(path: String, text: String)]
        do throws(JSONFault) {
            texts = try members.texts("kinds", countMax: Kind.allCases.count, wanted: wanted)
        } catch {
            throw JSONFault(path: path, value: error.value, wanted: wanted)
        }
        for (place, text) in texts {
            guard let kind = Kind(rawValue: text), found.insert(kind).inserted else {
                let index = place.dropFirst(members.path(of: "kinds").count)
                throw JSONFault(path: path + index, value: text, wanted: "\(wanted), each once")
            }
        }
        return found
    }

    /// As `ogw-media` takes them.
    var told: [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue?) { if let value { members.append(.init(name, value)) } }
        add("width", width.map { .integer(Int64($0)) })
        add("height", height.map { .integer(Int64($0)) })
        add("animation_width", animationWidth.map { .integer(Int64($0)) })
        add("wave_width", waveWidth.map { .integer(Int64($0)) })
        add("wave_height", waveHeight.map { .integer(Int64($0)) })
        add("format", format.map { .string($0.rawValue) })
        add("quality", quality.map { .integer(Int64($0)) })
        add("at", at.map { .number($0) })
        // What is not wanted costs time only where it is made apart.
        let isUnwanted = !kinds.isEmpty && !kinds.contains(.animation)
        add("seconds", isUnwanted ? .integer(0) : seconds.map { .number($0) })
        add("colour", colour.map { .string($0) })
        return members
    }

    /// Whether a file that a preview made is one of the kinds that were asked for. Stills of pictures are always wanted.
    public static func isWanted(_ file: String, of kinds: Set<Kind>) -> Bool {
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
