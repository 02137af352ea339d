import Bytes
import Digests

/// Takes an aws-chunked body apart: a state machine without I/O, fed with pieces cut anywhere.
///
/// A signed chunk's bytes are emitted as they come and hashed on the way, once; its signature can only be checked at its end.
/// So whoever takes the bytes must publish nothing until `finish` has returned: an error at any point makes all of it void.
/// No head, signature or trailer is ever emitted (S3-TRAPS 11). After an error every call throws the same one.
/// Source: AWS, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", and
/// "... Including Trailing Headers". Owned by one task at a time; a copy shares the running hash with its original.
public struct ChunkedDecoder {
    /// The trailer's fields in order, names in lower case, without the signature. Complete when `finish` has returned.
    public private(set) var trailers: [(name: [UInt8], value: [UInt8])] = []

    private enum State {
        /// In `size[;chunk-signature=...] CR LF`.
        case head
        case data
        /// Before the CR LF after a chunk's data; the bytes of it still to come.
        case dataEnd(Int)
        case trailer
        case ended
    }

    private var state = State.head
    private var failure: ChunkError?
    /// The head or trailer line that is being collected.
    private var line: [UInt8] = []
    /// Bytes of this chunk still to come.
    private var chunkLeft: UInt64 = 0
    /// Bytes of the object still to come.
    private var objectLeft: UInt64
    private var chunkSignature: [UInt8] = []
    private var trailerSignature: [UInt8]?
    private var trailerLength = 0

    private let hasTrailer: Bool
    private var signing: ChunkSigning?
    private let hash: DigestStream?
    private let announced: [[UInt8]]

    /// 16 digits, `;chunk-signature=`, 64 digits, CR LF.
    private static let headLengthMax = 100
    /// Of all trailer lines together.
    private static let trailerLengthMax = 8192

    /// `decodedLength` is `x-amz-decoded-content-length`, in bytes. `announcedTrailers` are the lower-case names that
    /// `x-amz-trailer` lists: those and no others must come.
    public init(
        payload: AuthenticatedPayload, decodedLength: UInt64, announcedTrailers: [[UInt8]] = []
    ) throws(ChunkError) {
        switch payload.mode {
        case .sha256, .unsigned: throw .notChunked
        case .streamingSigned: hasTrailer = false
        case .streamingSignedTrailer, .streamingUnsignedTrailer: hasTrailer = true
        }
        signing = payload.chunks
        hash = signing == nil ? nil : DigestStream(.sha256)
        objectLeft = decodedLength
        announced = announcedTrailers
    }

    /// Takes the next bytes of the body and lends the object's bytes in them to `emit`.
    /// Throws `ChunkError`, or what `emit` throws, after which the decoder must not be used.
    public mutating func decode(_ input: Span<UInt8>, emit: (Span<UInt8>) throws -> Void) throws {
        if let failure { throw failure }
        var rest = input
        while !rest.isEmpty {
            if case .data = state {
                let count = Int(min(UInt64(rest.count), chunkLeft))
                let piece = rest.extracting(first: count)
                rest = rest.extracting(droppingFirst: count)
                hash?.update(piece)
                try emit(piece)
                chunkLeft -= UInt64(count)
                if chunkLeft == 0 { state = .dataEnd(2) }
                continue
            }
            do {
                try take(rest[0])
            } catch {
                failure = error
                throw error
            }
            rest = rest.extracting(droppingFirst: 1)
        }
    }

    /// Ends the body. Only when this returns may the object be published.
    public mutating func finish() throws(ChunkError) {
        if let failure { throw failure }
        do {
            try end()
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func end() throws(ChunkError) {
        // AWS's grammar of signed trailers ends with the signature's line; every client sends an empty line more.
        if case .trailer = state, line.isEmpty, trailerSignature != nil { try endTrailer() }
        guard case .ended = state, objectLeft == 0 else { throw .wrongLength }
    }

    private mutating func take(_ byte: UInt8) throws(ChunkError) {
        switch state {
        case .data: break
        case .head:
            line.append(byte)
            if byte == Ascii.lineFeed {
                try endHead()
            } else if line.count > Self.headLengthMax {
                throw .malformedChunk
            }
        case .dataEnd(let left):
            guard byte == (left == 2 ? Ascii.carriageReturn : Ascii.lineFeed) else { throw .malformedChunk }
            if left == 2 {
                state = .dataEnd(1)
            } else {
                try checkChunk()
                state = .head
            }
        case .trailer: try takeTrailer(byte)
        case .ended: throw .malformedChunk
        }
    }

    private mutating func endHead() throws(ChunkError) {
        guard line.count >= 3, line[line.count - 2] == Ascii.carriageReturn else { throw .malformedChunk }
        let text = line.dropLast(2)
        let digits = text.prefix { $0 != Ascii.semicolon }
        guard let size = Self.hexadecimal(digits) else { throw .malformedChunk }
        let suffix = text[digits.endIndex...]
        let prefix = ";chunk-signature=".utf8
        if signing == nil {
            guard suffix.isEmpty else { throw .malformedChunk }
        } else {
            guard suffix.starts(with: prefix), suffix.count == prefix.count + 64 else { throw .malformedChunk }
            chunkSignature = [UInt8](suffix.dropFirst(prefix.count))
        }
        line.removeAll(keepingCapacity: true)
        guard size <= objectLeft else { throw .wrongLength }
        objectLeft -= size
        chunkLeft = size
        if size > 0 {
            state = .data
        } else {
            guard objectLeft == 0 else { throw .wrongLength }
            try checkChunk()
            state = .trailer
        }
    }

    private mutating func checkChunk() throws(ChunkError) {
        guard let hash, let digest = hash.finish()[.sha256], let expected = signing?.signChunk(digest: digest) else {
            return
        }
        guard ConstantTime.equal(expected, chunkSignature) else { throw .signatureMismatch }
        hash.restart()
    }

    /// A line ends with CR LF. One that ends with a bare LF must be followed by CR LF, which belongs to it: so minio-go writes.
    private mutating func takeTrailer(_ byte: UInt8) throws(ChunkError) {
        trailerLength += 1
        line.append(byte)
        guard trailerLength <= Self.trailerLengthMax else { throw .malformedTrailer }
        guard byte == Ascii.lineFeed else { return }
        guard let mark = line.firstIndex(where: { $0 == Ascii.lineFeed || $0 == Ascii.carriageReturn }) else { return }
        let ending = line[mark...]
        if !Ascii.equal(ending, "\r\n") {
            guard mark > 0 else { throw .malformedTrailer }
            if Ascii.equal(ending, "\n") { return }
            guard Ascii.equal(ending, "\n\r\n") else { throw .malformedTrailer }
        }
        if mark == 0 {
            try endTrailer()
        } else {
            try addTrailer(line[..<mark])
        }
        line.removeAll(keepingCapacity: true)
    }

    private mutating func addTrailer(_ text: ArraySlice<UInt8>) throws(ChunkError) {
        guard hasTrailer, trailerSignature == nil, let colon = text.firstIndex(of: Ascii.colon) else {
            throw .malformedTrailer
        }
        let name = Ascii.lowered(text[..<colon])
        let value = [UInt8](Ascii.trimmed(text[(colon + 1)...]))
        guard value.allSatisfy({ $0 >= Ascii.space && $0 < 0x7F }) else { throw .malformedTrailer }
        if Ascii.equal(name[...], "x-amz-trailer-signature") {
            guard signing != nil else { throw .malformedTrailer }
            trailerSignature = value
            return
        }
        guard announced.contains(name), !trailers.contains(where: { $0.name == name }) else { throw .malformedTrailer }
        trailers.append((name, value))
    }

    private mutating func endTrailer() throws(ChunkError) {
        state = .ended
        guard hasTrailer else { return }
        guard announced.allSatisfy({ name in trailers.contains { $0.name == name } }) else { throw .malformedTrailer }
        guard signing != nil else { return }
        // Without fields there may be nothing to sign.
        if trailers.isEmpty, trailerSignature == nil { return }
        guard let trailerSignature else { throw .malformedTrailer }
        var lines: [UInt8] = []
        for (name, value) in trailers {
            lines += name
            lines.append(Ascii.colon)
            lines += value
            lines.append(Ascii.lineFeed)
        }
        guard let expected = signing?.signTrailer(lines), ConstantTime.equal(expected, trailerSignature) else {
            throw .signatureMismatch
        }
    }

    /// 1 to 16 digits.
    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard (1...16).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard let nibble = Hex.value(of: digit) else { return nil }
            value = value << 4 | UInt64(nibble)
        }
        return value
    }
}
