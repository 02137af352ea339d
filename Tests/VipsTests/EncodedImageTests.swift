import Testing
import Vips

@Suite struct EncodedImageTests {
    let vips: VipsLibrary

    init() throws { vips = try VipsLibrary.start() }

    @Test func `The library that runs is of the series built for`() {
        #expect(vips.version.hasPrefix("8."))
    }

    @Test func `The header of a PNG tells its size, format and alpha`() throws {
        let image = try vips.open(Pictures.png(width: 37, height: 23, alpha: true))
        #expect((image.width, image.height) == (37, 23))
        #expect(image.format == "png")
        #expect(image.hasAlpha)
    }

    @Test func `A thumbnail is a JPEG that fits into its box`() throws {
        let jpeg = try vips.open(Pictures.png(width: 400, height: 200)).jpegThumbnail(width: 100, height: 100)
        #expect(jpeg.starts(with: [0xff, 0xd8, 0xff]))
        let thumbnail = try vips.open(jpeg)
        #expect((thumbnail.width, thumbnail.height) == (100, 50))
        #expect(thumbnail.format == "jpeg")
    }

    @Test func `A small image is not enlarged, and alpha becomes a colour`() throws {
        let jpeg = try vips.open(Pictures.png(width: 8, height: 4, alpha: true)).jpegThumbnail(width: 100, height: 100)
        let thumbnail = try vips.open(jpeg)
        #expect((thumbnail.width, thumbnail.height) == (8, 4))
        #expect(!thumbnail.hasAlpha)
    }

    @Test func `More pixels than the limit are refused by the header alone`() throws {
        // The pixels themselves are missing, so reading them would be another error.
        let bomb = Array(Pictures.png(width: 1000, height: 1000).prefix(100))
        #expect(throws: VipsError.tooManyPixels(1_000_000)) { try vips.open(bomb, pixelsMax: 999_999) }
    }

    @Test func `Damaged pixels are an error, not a grey picture`() throws {
        let half = Array(Pictures.png(width: 400, height: 400).prefix(200_000))
        #expect {
            try vips.open(half).jpegThumbnail(width: 10, height: 10)
        } throws: { error in
            if case .undecodable = error as? VipsError { true } else { false }
        }
    }

    @Test(arguments: [
        "", "no image",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\" height=\"10\"><rect width=\"9\" height=\"9\"/></svg>",
        "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>", "push graphic-context\nviewbox 0 0 9 9",
    ])
    func `Unknown bytes and untrusted formats are refused`(text: String) {
        #expect {
            try vips.open(Array(text.utf8))
        } throws: { error in
            if case .undecodable = error as? VipsError { true } else { false }
        }
    }
}
