import CVips
import Glibc

/// Proof that libvips runs with this program's limits; every operation hangs on it.
public struct VipsLibrary: Sendable {
    private init() {}

    private static let outcome: Result<VipsLibrary, VipsError> = {
        // A decoder's helper threads and caches would outlive the job that they were made for.
        guard cvips_init() == 0 else { return .failure(.notStarted(takeErrorText())) }
        vips_concurrency_set(1)
        vips_cache_set_max(0)
        vips_cache_set_max_mem(0)
        vips_cache_set_max_files(0)
        // Loaders that libvips itself does not trust with foreign bytes: ImageMagick, PDF, SVG and rarer ones.
        vips_block_untrusted_set(1)
        return .success(VipsLibrary())
    }()

    /// Starts the library once for the process; later calls return the first outcome.
    public static func start() throws(VipsError) -> VipsLibrary { try outcome.get() }

    /// The version of the library that runs, such as "8.14.1".
    public var version: String {
        "\(vips_version(0)).\(vips_version(1)).\(vips_version(2))"
    }

    /// Reads the header of an encoded image. `pixelsMax` is compared with what the header claims, before any pixel is decoded.
    public func open(_ bytes: [UInt8], pixelsMax: UInt64 = 268_435_456) throws(VipsError) -> EncodedImage {
        try EncodedImage.open(bytes, pixelsMax: pixelsMax)
    }

    /// The error buffer is one for the process, hence only a hint; it is emptied by reading.
    static func takeErrorText() -> String {
        // SAFETY: the buffer is a C string of the library, copied here.
        let text = unsafe String(cString: vips_error_buffer())
        vips_error_clear()
        return String(text.prefix(500)).split(separator: "\n").joined(separator: "; ")
    }
}
