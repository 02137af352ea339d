public import Vips

/// A small picture of a larger one.
public enum MediaThumbnail {
    /// A JPEG that fits into a box of `width` x `height` pixels; never enlarged.
    public static func jpeg(_ bytes: [UInt8], width: Int, height: Int) throws(VipsError) -> [UInt8] {
        try VipsLibrary.start().open(bytes).jpegThumbnail(width: width, height: height)
    }
}
