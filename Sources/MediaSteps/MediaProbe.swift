public import Vips

/// What is read from a media file's header, without decoding its content.
public enum MediaProbe {
    public struct Image: Sendable, Equatable, Encodable {
        /// Pixels.
        public let width: Int
        public let height: Int
        /// The format's short name, such as "png" or "jpeg".
        public let format: String
        public let alpha: Bool
    }

    public static func image(_ bytes: [UInt8], pixelsMax: UInt64 = 268_435_456) throws(VipsError) -> Image {
        let image = try VipsLibrary.start().open(bytes, pixelsMax: pixelsMax)
        return Image(width: image.width, height: image.height, format: image.format, alpha: image.hasAlpha)
    }

    /// The version of the image library.
    public static func libraryVersion() throws(VipsError) -> String { try VipsLibrary.start().version }
}
