/// What a step refuses before it decodes. Everything is read from headers first.
public struct MediaLimits: Sendable {
    /// Pixels of one picture or frame.
    public var pixelsMax: Int
    /// Frames of an animation, and their pixels together.
    public var framesMax: Int
    public var animationPixelsMax: Int
    /// Pixels of a page or drawing as it is rendered.
    public var renderedPixelsMax: Int
    /// Bytes of the pixels that a step holds in memory at once; larger pictures are streamed.
    public var memoryBytesMax: Int
    public var pagesMax: Int
    public var durationMax: Duration
    /// Bytes of an input that is read into memory as a whole: SVG, PDF, DOCX.
    public var documentBytesMax: Int
    /// Bytes of text that a probe gives back.
    public var textBytesMax: Int
    /// Bytes that an archive may say, or turn out, to unpack to.
    public var unpackedBytesMax: Int

    public init(_ helper: HelperClass = .images) {
        let isDocuments = helper == .documents
        pixelsMax = isDocuments ? 100_000_000 : 268_435_456
        framesMax = 2_000
        animationPixelsMax = isDocuments ? 100_000_000 : 500_000_000
        renderedPixelsMax = 50_000_000
        memoryBytesMax = isDocuments ? 96 << 20 : 192 << 20
        pagesMax = 20_000
        durationMax = .seconds(24 * 3600)
        documentBytesMax = 128 << 20
        textBytesMax = 256 << 10
        unpackedBytesMax = 256 << 20
    }
}
