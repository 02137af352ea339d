import CVips
import Glibc

/// Proof that libvips runs with this program's limits; every picture hangs on it.
public struct VipsLibrary: Sendable {
    private init() {}

    private static let outcome: Result<VipsLibrary, VipsError> = {
        cvips_bound_heap()
        // A decoder's helper threads and caches would outlive the job that they were made for.
        guard cvips_init() == 0 else { return .failure(.notStarted(takeErrorText())) }
        vips_concurrency_set(1)
        vips_cache_set_max(0)
        vips_cache_set_max_mem(0)
        vips_cache_set_max_files(0)
        cvips_allow_loaders(0)
        return .success(VipsLibrary())
    }()

    /// Starts the library once for the process; later calls return the first outcome. Loaders of JPEG, PNG, WebP, GIF,
    /// TIFF and AVIF are allowed, no others.
    public static func start() throws(VipsError) -> VipsLibrary { try outcome.get() }

    /// Allows the loaders of SVG and PDF too, for a process that keeps them in.
    public func allowDocuments() { cvips_allow_loaders(1) }

    /// The version of the library that runs, such as "8.14.1".
    public var version: String {
        "\(vips_version(0)).\(vips_version(1)).\(vips_version(2))"
    }

    /// The most bytes of pixels that the library has held at once.
    public var pixelBytesHighwater: Int { Int(clamping: vips_tracked_get_mem_highwater()) }

    /// The error buffer is one for the process, hence only a hint; it is emptied by reading.
    static func takeErrorText() -> String {
        // SAFETY: the buffer is a C string of the library, copied here.
        let text = unsafe String(cString: vips_error_buffer())
        vips_error_clear()
        return String(text.prefix(500)).split(separator: "\n").joined(separator: "; ")
    }
}
