import Glibc
import TestSupport
import Vips

@testable import MediaSteps

/// A work folder with pictures of known pixels, and steps that run on it in this process.
final class Studio {
    let folder: TemporaryFolder
    let vips: VipsLibrary
    let kept = KeptPicture()

    init() throws {
        folder = try TemporaryFolder()
        vips = try VipsLibrary.start()
        // The classes are told apart by the content's type as well; here all run in one process.
        vips.allowDocuments()
    }

    func context(
        _ helper: HelperClass = .images, limits: MediaLimits? = nil, programs: Programs = .find(),
        prefix: String = "1-",
        timeout: Duration = .seconds(120), report: @escaping (String, Double) -> Void = { _, _ in }
    ) -> StepContext {
        StepContext(
            folder: WorkFolder(folder.path), helper: helper, limits: limits ?? MediaLimits(helper), vips: vips,
            kept: kept, programs: programs, prefix: prefix, timeout: timeout, report: report)
    }

    typealias Fill = (_ x: Int, _ y: Int) -> [UInt8]

    /// What is done to a picture before it is written.
    typealias Change = (Picture) throws -> Picture

    static func picture(_ width: Int, _ height: Int, _ fill: Fill) throws -> Picture {
        var pixels: [UInt8] = []
        for y in 0..<height { for x in 0..<width { pixels += fill(x, y) } }
        return try Picture.make(pixels: pixels, width: width, height: height, bands: fill(0, 0).count)
    }

    /// Writes a picture by libvips' saver, such as "jpegsave". Returns the file's name.
    @discardableResult
    func write(
        _ name: String, _ width: Int, _ height: Int, by saver: String = "pngsave", change: Change = { $0 }, _ fill: Fill
    ) throws -> String {
        let picture = try change(try Self.picture(width, height, fill))
        let operation = Operation(saver).set("filename", folder.file(name))
        if saver == "jpegsave" { operation.set("Q", 95) }
        try picture.save(operation, Watch.none)
        return name
    }

    /// Reads the pixels that a file shows.
    func read(_ name: String, frames: Bool = false) throws -> Pixels {
        let context = context(.documents)
        let file = try ImageFile.open(name, context)
        var picture = try file.stream(allFrames: frames, context)
        let profile = picture.blob("icc-profile-data")
        let is16Bit = picture.is16Bit
        if picture.is16Bit {
            picture = try Operation("colourspace").set("in", picture).choose("space", "srgb").picture()
        }
        return Pixels(
            width: picture.width, height: picture.height, bands: picture.bands, bytes: try picture.pixels(Watch.none),
            is16Bit: is16Bit, profile: profile, frames: file.frames, orientation: picture.orientation)
    }

    func exists(_ name: String) -> Bool { unsafe access(folder.file(name), F_OK) == 0 }
}

/// Decoded pixels, 8 bits a band.
struct Pixels {
    let width: Int
    let height: Int
    let bands: Int
    let bytes: [UInt8]
    let is16Bit: Bool
    let profile: [UInt8]?
    let frames: Int
    let orientation: Int

    func at(_ x: Int, _ y: Int) -> [Int] {
        let place = (y * width + x) * bands
        return bytes[place..<(place + bands)].map(Int.init)
    }

    /// Whether the pixel's first bands lie near these.
    func isNear(_ x: Int, _ y: Int, _ wanted: [Int], by tolerance: Int = 6) -> Bool {
        zip(at(x, y), wanted).allSatisfy { abs($0 - $1) <= tolerance }
    }

    /// The smallest box around the pixels that are near a colour: left, top, width, height.
    func box(of wanted: [Int], by tolerance: Int = 40) -> [Int] {
        var (left, top, right, bottom) = (width, height, -1, -1)
        for y in 0..<height {
            for x in 0..<width where isNear(x, y, wanted, by: tolerance) {
                (left, top, right, bottom) = (min(left, x), min(top, y), max(right, x), max(bottom, y))
            }
        }
        return [left, top, right - left + 1, bottom - top + 1]
    }
}
