import Bytes

/// Reads request heads from a growing run of bytes (RFC 9112, strictly; S3-TRAPS 35). No I/O; traps on nothing.
///
/// The caller keeps the bytes of the head from its first one on and gives all of them on each call. The verdict does
/// not depend on how the bytes were split.
public struct RequestDecoder: Sendable {
    public struct Limits: Sendable {
        /// Bytes of the whole head, the empty line included.
        public var headerBytesMax = 16 * 1024
        public var headerFieldsMax = 200
        /// Bytes of the request target.
        public var targetBytesMax = 8 * 1024

        public init() {}
    }

    public enum Result: Sendable {
        /// The head is not complete.
        case needsMore
        /// A head, and how many bytes it took; the body or the next request starts there.
        case head(RequestHead, consumed: Int)
        case failure(DecodeError)
    }

    let limits: Limits
    private var line = Line.start
    /// Where the current line starts, and where the search for its end goes on.
    private var lineStart = 0
    private var scanned = 0
    private var request = RequestLine()
    private var fields: [RequestHead.Field] = []

    private enum Line { case start, request, field }

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// `bytes` starts with the head's first byte. After `.head` the decoder is ready for the next request; after
    /// `.failure` it must not be used again.
    public mutating func decode(_ bytes: Span<UInt8>) -> Result {
        do throws(DecodeError) {
            while let end = try findLine(bytes) {
                // `end` is the place of the line feed; the carriage return stands before it.
                let content = lineStart..<(end - 1)
                lineStart = end + 1
                scanned = lineStart
                switch line {
                case .start where content.isEmpty:
                    // One empty line before a request is forgiven (RFC 9112 2.2).
                    line = .request
                case .start, .request:
                    request = try RequestLine(bytes, content, targetBytesMax: limits.targetBytesMax)
                    line = .field
                    fields.reserveCapacity(16)
                case .field where content.isEmpty:
                    return .head(try finish(bytes), consumed: end + 1)
                case .field:
                    if fields.count >= limits.headerFieldsMax { throw .tooManyFields }
                    fields.append(try FieldLine.parse(bytes, content))
                }
            }
            return .needsMore
        } catch {
            return .failure(error)
        }
    }

    /// The place of the line feed that ends the current line; nil when it has not come.
    private mutating func findLine(_ bytes: Span<UInt8>) throws(DecodeError) -> Int? {
        let end = min(bytes.count, limits.headerBytesMax)
        if lineStart < end, line != .field {
            let first = bytes[lineStart]
            let mayStart = HeaderBlock.isTokenCharacter(first) || (line == .start && first == Ascii.carriageReturn)
            guard mayStart else { throw .badRequestLine }
        }
        var place = scanned
        while place < end {
            if bytes[place] == Ascii.lineFeed {
                guard place > lineStart, bytes[place - 1] == Ascii.carriageReturn else { throw .badLineEnd }
                return place
            }
            place += 1
        }
        scanned = place
        if end == limits.headerBytesMax {
            throw line == .field ? .headTooLarge : .targetTooLong
        }
        return nil
    }

    private mutating func finish(_ bytes: Span<UInt8>) throws(DecodeError) -> RequestHead {
        let meaning = try FieldMeaning(bytes, fields, request)
        var copy: [UInt8] = []
        copy.reserveCapacity(lineStart)
        // SAFETY: the bytes are copied while the span is borrowed.
        unsafe bytes.extracting(..<lineStart).withUnsafeBufferPointer { unsafe copy.append(contentsOf: $0) }
        let head = RequestHead(
            bytes: copy,
            methodRange: request.method,
            pathRange: request.path,
            queryRange: request.query,
            fieldRanges: fields,
            method: request.known,
            minorVersion: request.minorVersion,
            body: meaning.framing,
            expectsContinue: meaning.expectsContinue,
            keepsAlive: meaning.keepsAlive)
        self = RequestDecoder(limits: limits)
        return head
    }
}
