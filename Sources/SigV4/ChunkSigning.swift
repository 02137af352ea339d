import Bytes
import Digests

/// The chain of signatures through an aws-chunked body: each covers the one before it.
struct ChunkSigning: Sendable {
    private let key: SigningKey
    /// The time and the scope, a line each.
    private let context: [UInt8]
    /// 64 hexadecimal digits.
    private(set) var previous: [UInt8]

    private static let emptyDigest = Hex.encode(Digest.sha256([]))

    /// `seed` is the signature of the request's head.
    init(key: SigningKey, timestamp: some Sequence<UInt8>, scope: some Sequence<UInt8>, seed: [UInt8]) {
        self.key = key
        var context = [UInt8](timestamp)
        context.append(Ascii.lineFeed)
        context += scope
        context.append(Ascii.lineFeed)
        self.context = context
        previous = seed
    }

    /// The signature of the next chunk, whose bytes have this SHA-256.
    mutating func signChunk(digest: [UInt8]) -> [UInt8] {
        var text = [UInt8]("AWS4-HMAC-SHA256-PAYLOAD\n".utf8)
        text += context
        text += previous
        text.append(Ascii.lineFeed)
        text += Self.emptyDigest
        text.append(Ascii.lineFeed)
        text += Hex.encode(digest)
        previous = key.signature(of: text)
        return previous
    }

    /// The signature of the trailer, given as `name:value LF` lines.
    mutating func signTrailer(_ lines: [UInt8]) -> [UInt8] {
        var text = [UInt8]("AWS4-HMAC-SHA256-TRAILER\n".utf8)
        text += context
        text += previous
        text.append(Ascii.lineFeed)
        text += Hex.encode(Digest.sha256(lines))
        previous = key.signature(of: text)
        return previous
    }
}
