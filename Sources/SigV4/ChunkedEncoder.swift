import Bytes
import Digests

/// Frames a body as aws-chunked, for the client's side: signed where its request was signed as streaming.
public struct ChunkedEncoder: Sendable {
    private var signing: ChunkSigning?
    private let hasTrailer: Bool

    /// Frames without signatures (`STREAMING-UNSIGNED-PAYLOAD-TRAILER`).
    public init() {
        signing = nil
        hasTrailer = true
    }

    init(signing: ChunkSigning, hasTrailer: Bool) {
        self.signing = signing
        self.hasTrailer = hasTrailer
    }

    /// One chunk, framed. An empty one would end the body, so it gives nothing.
    public mutating func chunk(_ bytes: [UInt8]) -> [UInt8] {
        if bytes.isEmpty { return [] }
        var out = head(bytes)
        out += bytes
        out += "\r\n".utf8
        return out
    }

    /// The end of the body, with the trailer where the request announced one. Names are lower case.
    public mutating func end(trailers: [(name: [UInt8], value: [UInt8])] = []) -> [UInt8] {
        var out = head([])
        if hasTrailer {
            var lines: [UInt8] = []
            for (name, value) in trailers {
                out += name + [Ascii.colon] + value + [Ascii.carriageReturn, Ascii.lineFeed]
                lines += name + [Ascii.colon] + value + [Ascii.lineFeed]
            }
            if let signature = signing?.signTrailer(lines) {
                out += [UInt8]("x-amz-trailer-signature:".utf8) + signature + [Ascii.carriageReturn, Ascii.lineFeed]
            }
        }
        out += "\r\n".utf8
        return out
    }

    private mutating func head(_ bytes: [UInt8]) -> [UInt8] {
        var out = [UInt8](String(bytes.count, radix: 16).utf8)
        if let signature = signing?.signChunk(digest: Digest.sha256(bytes)) {
            out += ";chunk-signature=".utf8
            out += signature
        }
        out += "\r\n".utf8
        return out
    }
}
