import Testing

@testable import MediaSteps

@Suite struct SVGCheckTests {
    @Test(arguments: [
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'><use xlink:href='#a'/></svg>",
        "<svg><image href=\"data:image/png;base64,AAAA\"/><rect fill=\"url(#g)\" style='fill:url( \"#g\" )'/></svg>",
        "<svg><text>a src of hrefs = nothing</text></svg>",
    ])
    func `Drawings that carry all they show pass`(text: String) {
        #expect(SVGCheck.refusal(Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        "<!DOCTYPE svg [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><svg>&b;</svg>",
        "<svg><image xlink:href=\"file:///etc/passwd\"/></svg>",
        "<svg><image HREF = 'http://example.org/a.png'/></svg>",
        "<svg><rect fill='url(http://example.org/#g)'/></svg>", "<svg><style>@import 'a.css';</style></svg>",
        "<?xml-stylesheet href='a.css'?><svg/>", "<svg><script src='a.js'/></svg>",
        "<svg><use href='other.svg#part'/></svg>",
    ])
    func `Drawings that refer outside or declare entities are refused with the reason`(text: String) {
        #expect(SVGCheck.refusal(Array(text.utf8)) != nil)
    }
}

@Suite struct PlainTextTests {
    @Test func `Text in its usual encodings is read`() {
        #expect(PlainText.decode(Array("grüße".utf8), bytesMax: 100) == "grüße")
        #expect(PlainText.decode([0xff, 0xfe, 0x68, 0, 0xfc, 0], bytesMax: 100) == "hü")
        #expect(PlainText.decode([0xfe, 0xff, 0, 0x68, 0, 0xfc], bytesMax: 100) == "hü")
        #expect(PlainText.decode([0x68, 0xfc, 0x21], bytesMax: 100) == "hü!")
        #expect(PlainText.decode(Array("aü".utf8).dropLast(), bytesMax: 100, isPart: true) == "a")
        #expect(PlainText.decode([0x61, 0xe9], bytesMax: 100) == "aé")
    }

    @Test func `A cut never splits a character`() {
        #expect(PlainText.cut("aüb", bytesMax: 2) == "a")
        #expect(PlainText.cut("aüb", bytesMax: 3) == "aü")
        #expect(PlainText.cut("abc", bytesMax: 3) == "abc")
    }

    @Test func `White space is squeezed`() {
        #expect(PlainText.squeezed("  a\n\n b\u{0}\tc ") == "a b c")
    }
}

@Suite struct WorkFolderTests {
    @Test(arguments: ["a", "photo.jpg", "A-1_b.c", String(repeating: "a", count: 128)])
    func `Plain names are names`(name: String) { #expect(WorkFolder.isName(name)) }

    @Test(arguments: [
        "", ".", "..", "../a", "a/b", "/a", ".hidden", "-i", "a b", "a[n=-1]", "a\u{0}b", "ü",
        String(repeating: "a", count: 129),
    ])
    func `Paths, options and the like are none`(name: String) { #expect(!WorkFolder.isName(name)) }
}

@Suite struct ExifTests {
    @Test func `A value is told apart from what the library adds to it`() {
        #expect(Exif.plain("Canon (Canon, ASCII, 6 components, 6 bytes)") == "Canon")
        #expect(Exif.plain("A (b), c (A (b), c, ASCII, 8 components, 8 bytes)") == "A (b), c")
        #expect(Exif.plain("10/600 (1/60 sec., Rational, 1 components, 8 bytes)") == "1/60 sec.")
        #expect(Exif.plain("odd") == "odd")
        #expect(Exif.plain(", bytes)") == ", bytes)")
        #expect(Exif.plain(",,, bytes)") == "")
    }
}

@Suite struct WaveformTests {
    @Test func `Stretches hold their lowest and highest sample`() {
        var wave = Waveform()
        wave.take((0..<64).flatMap { _ in [0x00, 0x40] }[...])
        wave.take((0..<32).flatMap { _ in [0x00, 0x80] }[...])
        wave.end()
        #expect(wave.data == [0x4000, 0x4000, -0x8000, -0x8000])
        #expect((wave.length, wave.samples, wave.samples_per_pixel) == (2, 96, 64))
    }

    @Test func `Long sound takes no more room, and pieces may be of any size`() {
        var whole = Waveform()
        var pieces = Waveform()
        let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 4) }
        whole.take(bytes[...])
        var rest = bytes[...]
        while !rest.isEmpty {
            pieces.take(rest.prefix(4_097))
            rest = rest.dropFirst(4_097)
        }
        whole.end()
        pieces.end()
        #expect(whole.data == pieces.data)
        #expect(whole.length <= Waveform.lengthMax && whole.length > Waveform.lengthMax / 4)
    }

    @Test func `Silence is a line in the middle, loudness fills the picture`() {
        var wave = Waveform()
        wave.take([UInt8](repeating: 0, count: 128)[...])
        wave.take((0..<64).flatMap { [0xff, $0 % 2 == 0 ? 0x7f : 0x80] as [UInt8] }[...])
        wave.end()
        let pixels = wave.pixels(width: 2, height: 10, Colour.white)
        func opaque(_ x: Int) -> [Int] { (0..<10).filter { pixels[($0 * 2 + x) * 4 + 3] == 255 } }
        #expect(opaque(0) == [5])
        #expect(opaque(1) == Array(0..<10))
    }
}

@Suite struct ColourTests {
    @Test func `Colours are read and written as six digits`() {
        #expect(Colour("#0a0B0c") == Colour(red: 10, green: 11, blue: 12))
        #expect(Colour(red: 10, green: 11, blue: 255).text == "#0a0bff")
        for wrong in ["", "#", "0a0b0c0", "#12345", "#1234567", "#gggggg", "red", "#+12345"] {
            #expect(Colour(wrong) == nil, "\(wrong)")
        }
    }
}
