import Testing

@testable import MediaSteps

@Suite struct ThumbHashTests {
    private func pixels(_ width: Int, _ height: Int, _ fill: (Int, Int) -> [Int]) -> [UInt8] {
        (0..<height).flatMap { y in (0..<width).flatMap { x in fill(x, y).map { UInt8($0 & 255) } } }
    }

    /// The expected bytes come from the algorithm's author's own implementation in Rust.
    @Test func `An opaque picture has the hash that others give it`() {
        let rgba = pixels(100, 75) { x, y in [x * 5, y * 3 + x, x * y, 255] }
        #expect(
            ThumbHash.encode(rgba: rgba, width: 100, height: 75) == [
                95, 232, 9, 21, 138, 83, 128, 105, 67, 120, 119, 148, 119, 135, 118, 134, 96, 17, 18, 247, 237,
            ])
    }

    @Test func `A picture with alpha has the hash that others give it`() {
        let rgba = pixels(40, 60) { x, y in [x * 6, y * 4, 128, (x * y) % 256] }
        #expect(
            ThumbHash.encode(rgba: rgba, width: 40, height: 60) == [
                223, 247, 133, 19, 10, 23, 160, 144, 153, 137, 152, 160, 144, 9, 248, 119, 16, 50, 64, 118, 98, 40, 55,
            ])
    }

    @Test func `Nothing but transparency has a hash too`() {
        let clear = [UInt8](repeating: 0, count: 8 * 8 * 4)
        #expect(ThumbHash.encode(rgba: clear, width: 8, height: 8)?.prefix(5) == [0, 8, 130, 5, 0])
    }

    @Test func `Pixels that do not fit the size have none`() {
        #expect(ThumbHash.encode(rgba: [1, 2, 3, 4], width: 2, height: 1) == nil)
        #expect(ThumbHash.encode(rgba: [], width: 0, height: 0) == nil)
        #expect(ThumbHash.encode(rgba: [UInt8](repeating: 0, count: 404), width: 101, height: 1) == nil)
    }

    @Test func `The dominant colour is the most frequent, not the mean`() {
        let rgba = pixels(10, 10) { x, _ in x < 6 ? [200, 30, 40, 255] : x < 9 ? [20, 30, 240, 255] : [0, 0, 0, 0] }
        #expect(SmallPicture(rgba: rgba, width: 10, height: 10).dominant?.text == "#c81e28")
        #expect(SmallPicture(rgba: [0, 0, 0, 0], width: 1, height: 1).dominant == nil)
    }
}
