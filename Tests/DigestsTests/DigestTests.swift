import Bytes
import Digests
import Testing

@Suite struct DigestTests {
    @Test func `one-shot digests equal the streamed ones`() {
        let bytes = pseudorandom(count: 70_000, seed: 2)
        #expect(Digest.sha256(bytes) == Digest.of(bytes, .sha256))
        #expect(Digest.sha1(bytes) == Digest.of(bytes, .sha1))
        #expect(Digest.md5(bytes.span) == Digest.of(bytes, .md5))
    }

    /// RFC 4231, cases 1, 2, 3 and 6.
    @Test func `HMAC gives the values of RFC 4231`() {
        #expect(
            Hex.string(HMAC.sha256(key: [UInt8](repeating: 0x0B, count: 20), [UInt8]("Hi There".utf8)))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            Hex.string(HMAC.sha256(key: [UInt8]("Jefe".utf8), [UInt8]("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            Hex.string(
                HMAC.sha256(key: [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50)))
                == "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe")
        #expect(
            Hex.string(
                HMAC.sha256(
                    key: [UInt8](repeating: 0xAA, count: 131),
                    [UInt8]("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test func `a prepared key gives for each message what HMAC gives`() {
        for length in [0, 1, 63, 64, 65, 200] {
            let key = [UInt8](repeating: UInt8(length), count: length)
            let prepared = HMACKey(key)
            for message in [[], [UInt8]("a".utf8), [UInt8](repeating: 7, count: 300)] {
                #expect(prepared.code(of: message) == HMAC.sha256(key: key, message))
                #expect(prepared.code(of: message) == HMACKey(key).code(of: message))
            }
        }
    }

    @Test func `HMAC with SHA-1 gives the values of RFC 2202`() {
        #expect(
            Hex.string(HMAC.sha1(key: [UInt8]("Jefe".utf8), [UInt8]("what do ya want for nothing?".utf8)))
                == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        #expect(
            Hex.string(
                HMAC.sha1(
                    key: [UInt8](repeating: 0xAA, count: 80),
                    [UInt8]("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
                == "aa4ae5e15272d00e95705637ce8a3b55ed402112")
    }

    @Test func `random bytes have the length asked for and do not repeat`() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(SecureRandom.bytes(33).count == 33)
        #expect(SecureRandom.bytes(16) != SecureRandom.bytes(16))
    }
}
