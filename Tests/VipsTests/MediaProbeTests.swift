import MediaSteps
import Testing
import Vips

@Suite struct MediaProbeTests {
    @Test func `An image is told by its header`() throws {
        let image = try MediaProbe.image(Pictures.png(width: 3, height: 2))
        #expect((image.width, image.height, image.format, image.alpha) == (3, 2, "png", false))
    }

    @Test func `A thumbnail of an image fits into its box`() throws {
        let jpeg = try MediaThumbnail.jpeg(Pictures.png(width: 30, height: 60), width: 20, height: 20)
        let image = try MediaProbe.image(jpeg)
        #expect((image.width, image.height, image.format) == (10, 20, "jpeg"))
    }

    @Test func `What is no image is an error`() {
        #expect(throws: VipsError.self) { try MediaProbe.image(Array("text".utf8)) }
    }
}
