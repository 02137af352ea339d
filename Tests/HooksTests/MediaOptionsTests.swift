import Hooks
import JSON
import Testing

@Suite struct MediaOptionsTests {
    private func options(_ step: String, presets: String = "{}") throws -> JSONValue? {
        let text =
            #"{"presets": \#(presets), "hooks": [{"name": "h", "on": "object.created", "steps": {"s": {\#(step)}}}]}"#
        let configuration = try HookConfiguration(parsing: Array(text.utf8))
        return MediaOptions.options(of: configuration.hooks[0].steps[0].action, presets: configuration.presets)
    }

    @Test func `a watermark is told as ogw-media takes it, its logo by the name of the file`() throws {
        let logo = try #require(
            try options(
                #""watermark": {"logo": "s3://brand/logo.png", "scale": 0.2, "at": "top-right", "padding": 10}"#))
        #expect(logo["logo"]?.string == MediaOptions.logoFile && logo["scale"]?.number == 0.2)
        #expect(logo["at"]?.string == "top-right" && logo["padding"]?.integer == 10 && logo["fit"]?.string == "width")
        #expect(logo["text"] == nil)
        let text = try #require(try options(##""watermark": {"text": "mine", "colour": "#FF0000", "fit": "box"}"##))
        #expect(text["text"]?.string == "mine" && text["colour"]?.string == "#ff0000" && text["logo"] == nil)
    }

    @Test func `variants are told with what their presets say`() throws {
        let presets =
            #"{"square": {"ratio": "1:1", "width": 1080, "format": ["jpeg", "webp"], "quality": 95, "enlarge": true}, "other": {"width": 1}}"#
        let told = try #require(try options(#""variants": "square""#, presets: presets)?["presets"])
        #expect(told["other"] == nil)
        let square = try #require(told["square"])
        #expect(square["ratio"]?.string == "1:1" && square["width"]?.integer == 1080 && square["height"] == nil)
        #expect(square["format"]?.array?.compactMap(\.string) == ["jpeg", "webp"])
        #expect(
            square["quality"]?.integer == 95 && square["enlarge"]?.bool == true && square["crop"]?.string == "smart")
    }

    @Test func `a preview without animation makes none, and steps that decode nothing have no options`() throws {
        #expect(try options(#""preview": ["poster"]"#)?["seconds"]?.integer == 0)
        #expect(try options(#""preview": true"#) == .object([]))
        #expect(try options(#""deliver": "https://example.com/""#) == nil)
    }

    @Test(arguments: [
        ("poster.jpg", true), ("animation.webp", false), ("waveform.json", false), ("page-1.jpg", false),
        ("preview.jpg", true),
    ])
    func `only previews of the kinds that were asked for are kept`(file: String, isKept: Bool) {
        #expect(MediaOptions.isWanted(file, of: [.poster]) == isKept)
        #expect(MediaOptions.isWanted(file, of: []))
    }
}
