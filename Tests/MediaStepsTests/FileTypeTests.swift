import MediaSteps
import Testing

@Suite struct FileTypeTests {
    @Test(
        arguments: [
            ([0xff, 0xd8, 0xff, 0xe0], FileType.jpeg), ([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], .png),
            ([0x49, 0x49, 0x2a, 0], .tiff), ([0xff, 0xfb, 0x90, 0x64], .mp3), ([0xff, 0xf1, 0x50, 0x80], .aac),
            ([0xff, 0xff, 0xff, 0xff], .unknown), ([], .unknown), ([0, 1, 2, 3], .unknown),
            ([0xff, 0xfe, 0x68, 0x00, 0x69, 0x00], .text), ([0xef, 0xbb, 0xbf, 0x68], .text),
        ] as [([UInt8], FileType)])
    func `Bytes at the start decide`(head: [UInt8], type: FileType) {
        #expect(FileType.sniff(head) == type)
    }

    @Test(arguments: [
        ("GIF89a......", FileType.gif), ("RIFF....WEBPVP8 ", .webp), ("RIFF....WAVEfmt ", .wav),
        ("RIFF....AVI LIST", .avi), ("RIFF....XXXX", .text), ("%PDF-1.7\n", .pdf), ("OggS\u{0}\u{2}", .ogg),
        ("fLaC\u{0}", .flac), ("ID3\u{4}\u{0}", .mp3),
        ("\u{0}\u{0}\u{0}\u{18}ftypisom\u{0}\u{0}\u{2}\u{0}isomiso2", .mp4),
        ("\u{0}\u{0}\u{0}\u{1c}ftypavif\u{0}\u{0}\u{0}\u{0}mif1", .avif),
        ("\u{0}\u{0}\u{0}\u{18}ftypheic\u{0}\u{0}\u{0}\u{0}mif1", .heif),
        ("<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>", .svg),
        ("  <SVG width='1'>", .svg), ("<html><body>no drawing</body></html>", .text), ("plain words\n", .text),
        ("#EXTM3U\nhttp://example.org/a.ts\n", .text),
    ])
    func `Words at the start decide`(text: String, type: FileType) {
        #expect(FileType.sniff(Array(text.utf8)) == type)
    }

    @Test func `A ZIP archive is a DOCX by its first entry, and nothing otherwise`() {
        #expect(FileType.sniff(Archives.zip([("word/document.xml", Array("<w:t/>".utf8))])) == .docx)
        #expect(FileType.sniff(Archives.zip([("readme", Array("hello".utf8))])) == .zip)
    }

    @Test func `No beginning of a file traps`() {
        var state: UInt64 = 7
        for _ in 0..<20_000 {
            var head: [UInt8] = []
            for _ in 0..<Int(state >> 33 & 31) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                head.append(UInt8(truncatingIfNeeded: state >> 40))
            }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            for start in [[], [0xff], Array("RIFF".utf8), Array("\u{0}\u{0}\u{0}\u{8}ftyp".utf8), Array("<svg".utf8)] {
                _ = FileType.sniff(start + head)
            }
        }
    }
}
