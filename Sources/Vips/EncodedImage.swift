import CVips
import Glibc

/// An encoded image in memory whose header has been read and found within the limits.
public struct EncodedImage: Sendable {
    /// Pixels, as stored: an orientation tag is not applied.
    public let width: Int
    public let height: Int
    /// The format's short name, such as "png" or "jpeg".
    public let format: String
    public let hasAlpha: Bool
    private let bytes: [UInt8]

    static func open(_ bytes: [UInt8], pixelsMax: UInt64) throws(VipsError) -> EncodedImage {
        let header: Result<EncodedImage, VipsError> = unsafe bytes.withUnsafeBytes { lent in
            // SAFETY: the image reads the lent bytes and is closed before they go.
            guard let image = unsafe cvips_open(lent.baseAddress, lent.count) else {
                return .failure(.undecodable(VipsLibrary.takeErrorText()))
            }
            defer { unsafe cvips_close(image) }
            let width = Int(unsafe vips_image_get_width(image))
            let height = Int(unsafe vips_image_get_height(image))
            guard width > 0, height > 0 else { return .failure(.undecodable("no pixels")) }
            // Both are positive Int32, whose product fits.
            let pixels = UInt64(width) * UInt64(height)
            guard pixels <= pixelsMax else { return .failure(.tooManyPixels(pixels)) }
            let loader = unsafe cvips_loader(image).map { unsafe String(cString: $0) } ?? ""
            return .success(
                EncodedImage(
                    width: width, height: height, format: loader.split(separator: "load").first.map(String.init) ?? "",
                    hasAlpha: unsafe cvips_has_alpha(image) != 0, bytes: bytes))
        }
        return try header.get()
    }

    /// A JPEG that fits into a box of `width` x `height` pixels, upright, never enlarged, without metadata.
    public func jpegThumbnail(width: Int, height: Int, quality: Int = 85) throws(VipsError) -> [UInt8] {
        let box = (Int32(clamping: max(1, width)), Int32(clamping: max(1, height)))
        let made: Result<[UInt8], VipsError> = unsafe bytes.withUnsafeBytes { lent in
            var thumbnail: UnsafeMutablePointer<VipsImage>?
            // SAFETY: the pipeline reads the lent bytes until the thumbnail is closed, before they go.
            guard unsafe cvips_thumbnail(lent.baseAddress, lent.count, &thumbnail, box.0, box.1) == 0,
                let thumbnail = unsafe thumbnail
            else { return .failure(.undecodable(VipsLibrary.takeErrorText())) }
            defer { unsafe cvips_close(thumbnail) }
            var start: UnsafeMutableRawPointer?
            var count = 0
            // SAFETY: on success `count` bytes at `start` are ours; they are copied, then freed.
            guard unsafe cvips_jpeg(thumbnail, &start, &count, Int32(clamping: min(100, max(1, quality)))) == 0 else {
                return .failure(.undecodable(VipsLibrary.takeErrorText()))
            }
            defer { unsafe g_free(start) }
            return .success(unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count)))
        }
        return try made.get()
    }
}
