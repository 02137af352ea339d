import TestSupport
import Testing
import Vips

@Suite struct PictureTests {
    let vips: VipsLibrary
    let folder: TemporaryFolder

    init() throws {
        vips = try VipsLibrary.start()
        folder = try TemporaryFolder()
    }

    private func load(_ bytes: [UInt8], by loader: String = "pngload") throws -> Picture {
        let path = try folder.write("picture", bytes)
        return try Operation(loader).set("filename", path).choose("access", "sequential").choose("fail-on", "error")
            .picture()
    }

    @Test func `The library that runs is of the series built for`() {
        #expect(vips.version.hasPrefix("8."))
    }

    @Test func `The header of a PNG tells its size and alpha`() throws {
        let picture = try load(Pictures.png(width: 37, height: 23, alpha: true))
        #expect((picture.width, picture.height, picture.bands) == (37, 23, 4))
        #expect(picture.hasAlpha && picture.is8Bit && picture.pages == 1 && picture.orientation == 1)
    }

    @Test func `Pixels go in and come out`() throws {
        let pixels = (0..<24).map { UInt8($0) }
        let picture = try Picture.make(pixels: pixels, width: 4, height: 2, bands: 3)
        #expect(try picture.pixels(Watch.none) == pixels)
        #expect(try picture.inMemory(Watch.none).pixels(Watch.none) == pixels)
        #expect(throws: VipsError.self) { try Picture.make(pixels: pixels, width: 5, height: 2, bands: 3) }
    }

    @Test func `A header's fields can be changed on a copy, and the original keeps its own`() throws {
        let picture = try Picture.make(pixels: [1, 2, 3], width: 1, height: 1, bands: 3)
        let copy = try picture.copy()
        copy.set("orientation", 6)
        copy.set("icc-profile-data", bytes: [1, 2, 3])
        #expect(copy.orientation == 6 && copy.blob("icc-profile-data") == [1, 2, 3])
        #expect(picture.orientation == 1 && picture.blob("icc-profile-data") == nil)
        copy.remove("icc-profile-data")
        #expect(!copy.has("icc-profile-data"))
    }

    @Test func `Damaged pixels are an error, not a grey picture`() throws {
        let half = Array(Pictures.png(width: 400, height: 400).prefix(200_000))
        let picture = try load(half)
        #expect {
            try picture.inMemory(Watch.none)
        } throws: { error in
            if case .failed = error as? VipsError { true } else { false }
        }
    }

    @Test func `A watcher sees how far the work is, and can stop it`() throws {
        var seen: [Double] = []
        _ = try load(Pictures.png(width: 500, height: 3_000)).inMemory(
            Watch { fraction in
                seen.append(fraction)
                return true
            })
        #expect(seen.last == 1 && seen == seen.sorted() && seen.allSatisfy { (0...1).contains($0) })
        let picture = try load(Pictures.png(width: 500, height: 3_000))
        #expect(throws: VipsError.stopped) { try picture.inMemory(Watch { $0 < 0.3 }) }
    }

    @Test func `What the library does not have is an error of its own`() {
        #expect {
            try Operation("no-such-operation").set("in", 1).run()
        } throws: { error in
            if case .missing = error as? VipsError { true } else { false }
        }
        #expect {
            try Operation("smartcrop").choose("interesting", "nonsense").run()
        } throws: { error in
            if case .missing = error as? VipsError { true } else { false }
        }
    }

    @Test(arguments: ["magickload", "fitsload", "openexrload", "csvload", "vipsload"])
    func `Loaders that nobody asked for are blocked`(loader: String) throws {
        #expect(throws: VipsError.self) { try load(Array("1,2,3\n4,5,6\n".utf8), by: loader) }
    }
}
