import Hooks
import JSON
import Metadata
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

    @Test func `a focal point decides where a preset crops by what is in the picture`() throws {
        let presets =
            #"{"s": {"width": 9, "height": 9}, "f": {"width": 9, "height": 9, "crop": "focal"}, "c": {"width": 9, "height": 9, "crop": "centre"}, "i": {"width": 9, "fit": "inside"}}"#
        let configuration = try HookConfiguration(parsing: Array(#"{"presets": \#(presets)}"#.utf8))
        func crop(_ name: String, _ focus: FocalPoint?) throws -> JSONValue? {
            MediaOptions.variant(try #require(configuration.presets[name]), focus: focus)["crop"]
        }
        let point = try #require(FocalPoint(x: 0.5, y: 0.75))
        let told = JSONValue.array([.number(0.5), .number(0.75)])
        #expect(try crop("s", point) == told && crop("f", point) == told)
        #expect(try crop("c", point) == "centre" && crop("i", point) == "smart")
        #expect(try crop("s", nil) == "smart" && crop("f", nil) == "centre")
    }

    @Test(arguments: [
        ("0.25,0.5", [0.25, 0.5]), (" 0 , 1 ", [0, 1]), ("1e-1,0.5", [0.1, 0.5]), ("0.5", []), ("0.5,0.5,0.5", []),
        ("-0.1,0.5", []), ("0.5,1.01", []), ("nan,0.5", []), ("", []), ("a,b", []), (",", []),
    ])
    func `a focal point is two parts of the picture`(text: String, wanted: [Double]) {
        let point = FocalPoint(Array(text.utf8))
        #expect(point.map { [$0.x, $0.y] } ?? [] == wanted)
    }

    @Test func `the options of a preview are told, and refused with their place`() throws {
        let told = try #require(
            try options(
                ##""preview": {"kinds": ["poster", "page"], "width": 320, "height": 200, "format": "webp", "quality": 70, "at": 1.5, "wave_width": 800, "wave_height": 90, "colour": "#00FF00", "animation_width": 64}"##
            ))
        #expect(told["width"]?.integer == 320 && told["height"]?.integer == 200 && told["quality"]?.integer == 70)
        #expect(told["format"]?.string == "webp" && told["at"]?.number == 1.5 && told["seconds"]?.integer == 0)
        #expect(told["wave_width"]?.integer == 800 && told["wave_height"]?.integer == 90)
        #expect(told["colour"]?.string == "#00ff00" && told["animation_width"]?.integer == 64)
        #expect(try options(#""preview": {"seconds": 2.5}"#)?["seconds"]?.number == 2.5)
        for (text, path) in [
            (#"{"width": 15}"#, "width"), (#"{"seconds": 11}"#, "seconds"), (#"{"colour": "red"}"#, "colour"),
            (#"{"kinds": ["poster", "sound"]}"#, "kinds[1]"), (#"{"other": 1}"#, "other"),
        ] {
            let fault = #expect(throws: JSONFault.self) { try options("\"preview\": \(text)") }
            #expect(fault?.path == "hooks[0].steps.s.preview.\(path)")
        }
        let twice = #expect(throws: JSONFault.self) { try options(#""preview": ["poster", "poster"]"#) }
        #expect(twice?.path == "hooks[0].steps.s.preview[1]")
        let number = #expect(throws: JSONFault.self) { try options(#""preview": 5"#) }
        #expect(number?.path == "hooks[0].steps.s.preview")
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
        #expect(PreviewOptions.isWanted(file, of: [.poster]) == isKept)
        #expect(PreviewOptions.isWanted(file, of: []))
    }
}
