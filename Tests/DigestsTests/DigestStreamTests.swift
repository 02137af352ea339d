import Bytes
import Digests
import Testing

@Suite struct DigestStreamTests {
    private let all: DigestSet = [.md5, .sha1, .sha256, .crc32, .crc32c, .crc64nvme]

    @Test func `one pass gives the value of each algorithm`() {
        let stream = DigestStream(all)
        stream.update([UInt8]("abc".utf8).span)
        let values = stream.finish()
        #expect(values[.md5].map(Hex.string) == "900150983cd24fb0d6963f7d28e17f72")
        #expect(values[.sha1].map(Hex.string) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            values[.sha256].map(Hex.string) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(values[.crc32].map(Hex.string) == "352441c2")
    }

    @Test func `the cuts between updates change nothing`() {
        let bytes = pseudorandom(count: 100_000, seed: 5)
        for step in [1, 63, 16_384, 16_385, 50_000, 100_000] {
            let stream = DigestStream(all)
            var place = 0
            while place < bytes.count {
                let end = min(place + step, bytes.count)
                stream.update(bytes.span.extracting(place..<end))
                place = end
            }
            let values = stream.finish()
            for algorithm in DigestAlgorithm.allCases {
                #expect(values[algorithm] == Digest.of(bytes, algorithm), "\(algorithm) in steps of \(step)")
                #expect(values[algorithm]?.count == algorithm.length)
            }
        }
    }

    @Test func `only what was asked for is computed`() {
        let stream = DigestStream([.md5, .crc32c])
        stream.update([1, 2, 3].span)
        let values = stream.finish()
        #expect(DigestAlgorithm.allCases.filter { values[$0] != nil } == [.md5, .crc32c])
    }

    @Test func `a finished stream ignores updates until it is restarted`() {
        let stream = DigestStream(.sha256)
        stream.update([1].span)
        #expect(stream.finish()[.sha256] == Digest.sha256([1]))
        stream.update([2].span)
        #expect(stream.finish()[.sha256] == nil)
        stream.restart()
        stream.update([3].span)
        stream.restart()
        stream.update([4].span)
        #expect(stream.finish()[.sha256] == Digest.sha256([4]))
    }

    @Test func `an empty stream has the values of no bytes`() {
        let values = DigestStream(all).finish()
        #expect(values[.md5].map(Hex.string) == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(
            values[.sha256].map(Hex.string) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `the values' subscript reads back what was set, algorithm by algorithm`() {
        var values = DigestValues()
        for algorithm in DigestAlgorithm.allCases { values[algorithm] = [algorithm.rawValue] }
        for algorithm in DigestAlgorithm.allCases { #expect(values[algorithm] == [algorithm.rawValue]) }
        values[.sha1] = nil
        #expect(values[.sha1] == nil)
        #expect(values[.sha256] != nil)
    }
}
