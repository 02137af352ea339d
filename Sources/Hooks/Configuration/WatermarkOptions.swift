public import JSON

/// What a `watermark` step lays over a picture.
public struct WatermarkOptions: Sendable, Equatable {
    public enum Mark: Sendable, Equatable {
        case logo(ResourceAddress)
        /// In `colour`, `#rrggbb`.
        case text(String, colour: String)
    }

    public enum Position: String, Sendable, CaseIterable {
        case topLeft = "top-left", top, topRight = "top-right"
        case left, centre, right
        case bottomLeft = "bottom-left", bottom, bottomRight = "bottom-right"
        /// All over the picture.
        case tile
    }

    public enum Scaling: String, Sendable, CaseIterable {
        /// The mark's width is a part of the picture's width.
        case width
        /// The mark lies within a box of that part of the picture's width and height.
        case box
    }

    public var mark: Mark
    /// 0.01...1, a part of the picture.
    public var scale = 0.2
    public var scaling = Scaling.width
    public var position = Position.topRight
    /// Between mark and edge, in pixels, 0...10000.
    public var padding = 10
    /// 0...1.
    public var opacity = 1.0

    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let members = try JSONMembers(
            value, of: ["logo", "text", "colour", "scale", "fit", "at", "padding", "opacity"], at: path)
        switch (members.has("logo"), members.has("text")) {
        case (true, false):
            let text = try members.requiredText("logo", wanted: ResourceAddress.wanted)
            guard let address = ResourceAddress(text) else {
                throw members.fault("logo", wanted: ResourceAddress.wanted)
            }
            guard !members.has("colour") else { throw members.fault("colour", wanted: "no colour beside a logo") }
            mark = .logo(address)
        case (false, true):
            let wanted = "a text of 1 to 200 characters"
            let text = try members.requiredText("text", wanted: wanted)
            guard (1...200).contains(text.unicodeScalars.count) else { throw members.fault("text", wanted: wanted) }
            mark = .text(text, colour: try members.colour("colour") ?? "#ffffff")
        default: throw members.fault("logo", wanted: "either a logo or a text")
        }
        scale = try members.number("scale", in: 0.01...1) ?? scale
        scaling = try members.choice("fit", Scaling.self) ?? scaling
        position = try members.choice("at", Position.self) ?? position
        if let padding = try members.integer("padding", in: 0...10_000) { self.padding = Int(padding) }
        opacity = try members.number("opacity", in: 0...1) ?? opacity
    }
}
