import Bytes
import Vips

/// A picture at most 100 pixels wide and high, for what is said of the whole: its colour and its placeholder.
struct SmallPicture {
    let rgba: [UInt8]
    let width: Int
    let height: Int

    static func size(width: Int, height: Int) -> (width: Int, height: Int) {
        let scale = min(1, Double(ThumbHash.sideMax) / Double(max(1, width, height)))
        return (max(1, Int((Double(width) * scale).rounded())), max(1, Int((Double(height) * scale).rounded())))
    }

    init(rgba: [UInt8], width: Int, height: Int) {
        (self.rgba, self.width, self.height) = (rgba, width, height)
    }

    init(_ file: ImageFile, _ context: StepContext) throws(MediaError) {
        let size = Self.size(width: file.width, height: file.height)
        do {
            var picture = try file.thumbnail(width: size.width, height: size.height, context)
            picture = try Operation("colourspace").set("in", picture).choose("space", "srgb").picture()
            if !picture.hasAlpha { picture = try picture.withAlpha() }
            rgba = try Operation("cast").set("in", picture).choose("format", "uchar").picture()
                .pixels(context.watch("colours"))
            (width, height) = (picture.width, picture.height)
        } catch let error as VipsError {
            throw MediaError(error, reading: file.name)
        } catch let error as MediaError {
            throw error
        } catch {
            throw MediaError(.failed, "\(error)")
        }
    }

    /// Base 64 of the ThumbHash.
    var placeholder: String? {
        ThumbHash.encode(rgba: rgba, width: width, height: height).map { Base64.string($0) }
    }

    /// The mean of the most frequent colours, eight steps to a channel; nil where nothing is opaque.
    var dominant: Colour? {
        struct Bin {
            var count = 0
            var red = 0
            var green = 0
            var blue = 0
        }
        var bins = [Bin](repeating: Bin(), count: 512)
        for place in stride(from: 0, to: rgba.count - 3, by: 4) where rgba[place + 3] >= 128 {
            let (red, green, blue) = (Int(rgba[place]), Int(rgba[place + 1]), Int(rgba[place + 2]))
            let bin = (red / 32) * 64 + (green / 32) * 8 + blue / 32
            bins[bin].count += 1
            bins[bin].red += red
            bins[bin].green += green
            bins[bin].blue += blue
        }
        guard let most = bins.max(by: { $0.count < $1.count }), most.count > 0 else { return nil }
        return Colour(
            red: UInt8(clamping: most.red / most.count), green: UInt8(clamping: most.green / most.count),
            blue: UInt8(clamping: most.blue / most.count))
    }
}
