import Testing
import Vips

@testable import MediaSteps

@Suite struct MediaErrorTests {
    private func error(_ text: String) -> MediaError {
        MediaError(VipsError.failed(operation: "pngsave", text), reading: "a.png")
    }

    /// The texts are those of libvips 8.14 on a full disk, and of damaged pictures that are decoded while they are written.
    @Test func `A full disk may pass, damage does not`() {
        let full = error(
            "./1-a.png: write error; unix error: No space left on device; vips2png: unable to write to target ./1-a.png"
        )
        #expect(full.code == .failed && !full.permanent)
        let damaged = error("vipspng: libpng read error; vips2png: unable to write to target ./1-a.png")
        #expect(damaged.code == .undecodable && damaged.permanent)
        #expect(error("vips_tracked: out of memory --- size == 411MB").code == .limit)
    }

    @Test func `What is no fault of the content is not held against it`() {
        #expect(MediaError(VipsError.missing("an operation"), reading: "a.png").code == .failed)
        #expect(MediaError(VipsError.stopped, reading: "a.png").code == .timeout)
    }
}
