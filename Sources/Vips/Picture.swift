public import CVips
import Glibc

/// A picture as libvips sees it: a header, and pixels that are decoded or computed when somebody asks for them.
/// Several threads may read it at once; its header is changed, and its making watched, by one.
@safe public final class Picture {
    /// Owned by this object.
    public let image: UnsafeMutablePointer<VipsImage>

    /// Takes over the reference.
    init(owning image: UnsafeMutablePointer<VipsImage>) { unsafe self.image = image }

    deinit {
        // SAFETY: the reference is this object's own and is given up once.
        unsafe cvips_close(image)
    }

    /// A picture of pixels that are given row by row, 8 bits each; `bands` is 1 to 4. They are copied.
    public static func make(pixels: [UInt8], width: Int, height: Int, bands: Int) throws(VipsError) -> Picture {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, (1...4).contains(bands), !overflow, count <= 1 << 28, pixels.count == count * bands
        else { throw .failed(operation: "make", "\(width) x \(height) x \(bands) are not \(pixels.count) bytes") }
        // SAFETY: the bytes are lent for the call, which copies them.
        let made = unsafe vips_image_new_from_memory_copy(
            pixels, pixels.count, Int32(clamping: width), Int32(clamping: height), Int32(clamping: bands),
            VIPS_FORMAT_UCHAR)
        guard let made = unsafe made else { throw .failed(operation: "make", VipsLibrary.takeErrorText()) }
        let picture = unsafe Picture(owning: made)
        return try Operation("copy").set("in", picture).choose("interpretation", bands < 3 ? "b-w" : "srgb").picture()
    }

    public var width: Int { Int(unsafe vips_image_get_width(image)) }
    /// Of all pages together, which lie one below the other.
    public var height: Int { Int(unsafe vips_image_get_height(image)) }
    /// Of one page.
    public var pageHeight: Int { Int(unsafe vips_image_get_page_height(image)) }
    /// Pages or frames that the file has, whether they were loaded or not.
    /// As the header says it: libvips' own reader takes 10,000 and more for one.
    public var pages: Int { text("n-pages").flatMap { Int($0) } ?? 1 }
    public var bands: Int { Int(unsafe vips_image_get_bands(image)) }
    public var hasAlpha: Bool { unsafe cvips_has_alpha(image) != 0 }
    public var is8Bit: Bool { unsafe vips_image_get_format(image) == VIPS_FORMAT_UCHAR }
    public var is16Bit: Bool { unsafe vips_image_get_format(image) == VIPS_FORMAT_USHORT }
    /// Such as "srgb", "b-w", "cmyk", "rgb16".
    public var interpretation: String {
        // SAFETY: the nickname is a constant of the library.
        unsafe String(
            cString: vips_enum_nick(
                vips_interpretation_get_type(), Int32(vips_image_get_interpretation(image).rawValue)))
    }
    /// 1 to 8 as in EXIF; 1 is upright.
    public var orientation: Int { Int(unsafe vips_image_get_orientation(image)) }
    /// What an operation that crops has cut off at the left and the top, as a negative number.
    public var offset: (x: Int, y: Int) {
        (Int(unsafe vips_image_get_xoffset(image)), Int(unsafe vips_image_get_yoffset(image)))
    }
    /// Bytes of all pixels.
    public var pixelBytes: Int {
        let perBand = Int(clamping: unsafe vips_format_sizeof(vips_image_get_format(image)))
        // Sides are below 10^7, bands and bytes of a band are few.
        return width * height * bands * perBand
    }

    public func has(_ field: String) -> Bool { unsafe cvips_has(image, field) != 0 }

    /// A header field as text, at most 64 KiB of it.
    public func text(_ field: String) -> String? {
        guard let text = unsafe cvips_text(image, field) else { return nil }
        // SAFETY: the text is ours; it is copied, then freed.
        defer { unsafe g_free(text) }
        let count = unsafe strnlen(text, 1 << 16)
        return unsafe String(
            decoding: UnsafeRawBufferPointer(start: text, count: count), as: UTF8.self)
    }

    /// A binary header field, such as "icc-profile-data".
    public func blob(_ field: String) -> [UInt8]? {
        guard has(field) else { return nil }
        var start: UnsafeRawPointer?
        var count = 0
        // SAFETY: the bytes belong to the image and are copied here.
        guard unsafe vips_image_get_blob(image, field, &start, &count) == 0 else {
            _ = VipsLibrary.takeErrorText()
            return nil
        }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// The names of the header's fields, at most 1,000.
    public var fields: [String] {
        guard let list = unsafe vips_image_get_fields(image) else { return [] }
        // SAFETY: the list is ours and ends with a null pointer.
        defer { unsafe g_strfreev(list) }
        var names: [String] = []
        while names.count < 1_000, let name = unsafe list[names.count] { unsafe names.append(String(cString: name)) }
        return names
    }

    /// A picture with the same pixels and a header of its own that may be changed.
    public func copy() throws(VipsError) -> Picture { try Operation("copy").set("in", self).picture() }

    /// Changes this header: only on a picture that nobody else holds, such as a fresh `copy`.
    public func remove(_ field: String) { _ = unsafe vips_image_remove(image, field) }

    /// Changes this header, as `remove` does. The bytes are copied.
    public func set(_ field: String, bytes: [UInt8]) {
        // SAFETY: the bytes are lent for the call, which copies them.
        unsafe vips_image_set_blob_copy(image, field, bytes, bytes.count)
    }

    /// Changes this header, as `remove` does.
    public func set(_ field: String, _ value: Int) { unsafe vips_image_set_int(image, field, Int32(clamping: value)) }

    /// The same pixels of 8 bits, all of them opaque.
    public func withAlpha() throws(VipsError) -> Picture {
        try Operation("bandjoin_const").set("in", self).set("c", [255]).picture()
    }

    /// All pixels, computed now and kept in memory.
    public func inMemory(_ watch: Watch) throws(VipsError) -> Picture {
        let made: UnsafeMutablePointer<VipsImage>? = unsafe watch.during(self) { unsafe vips_image_copy_memory(image) }
        guard let made = unsafe made else { throw watch.failure("copy_memory") }
        let picture = unsafe Picture(owning: made)
        try watch.finish()
        return picture
    }

    /// All pixels as bytes, row by row, for small pictures of 8 bits.
    public func pixels(_ watch: Watch) throws(VipsError) -> [UInt8] {
        var count = 0
        let start: UnsafeMutableRawPointer? = unsafe watch.during(self) {
            unsafe vips_image_write_to_memory(image, &count)
        }
        guard let start = unsafe start else { throw watch.failure("write_to_memory") }
        // SAFETY: `count` bytes at `start` are ours; they are copied, then freed.
        defer { unsafe g_free(start) }
        try watch.finish()
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Runs a saver, named by its operation, whose other arguments are set already.
    public func save(_ saver: Operation, _ watch: Watch) throws(VipsError) {
        saver.set("in", self)
        let failure = watch.during(self) { () -> VipsError? in
            do throws(VipsError) {
                try saver.run()
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw watch.wasStopped ? .stopped : failure }
        try watch.finish()
    }
}
