import Bytes

/// Takes the framing of the chunked coding off a body (RFC 9112 section 7.1). No I/O; traps on nothing.
public struct ChunkedDecoder: Sendable {
    public struct Limits: Sendable {
        /// Bytes of one chunk-size line, extensions included.
        public var sizeLineBytesMax = 256
        /// Bytes of all size lines beyond 16 each, over the whole body: extensions are no place for a second body.
        public var extensionBytesMax = 16 * 1024
        /// Bytes of all trailer lines.
        public var trailerBytesMax = 8 * 1024

        public init() {}
    }

    /// What the next bytes mean. `consumed` counts from the start of what was given.
    public enum Step: Sendable, Equatable {
        /// Nothing but framing was there; all of it is consumed.
        case needsMore(consumed: Int)
        /// Body bytes lie at `range`; consumed up to its end.
        case data(Range<Int>)
        /// The body is complete, trailers included (they are checked and dropped).
        case end(consumed: Int)
        case malformed
    }

    private enum State {
        case sizeStart, size, extensions, sizeLineFeed
        case data
        case dataReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, endLineFeed
        case ended, failed
    }

    private let limits: Limits
    private var state = State.sizeStart
    /// Bytes that the current chunk still has.
    private var left: UInt64 = 0
    private var lineBytes = 0
    private var digits = 0
    private var extensionBytes = 0
    private var trailerBytes = 0

    public init(limits: Limits = Limits()) { self.limits = limits }

    public mutating func next(_ bytes: Span<UInt8>) -> Step {
        var place = 0
        while place < bytes.count {
            if state == .data {
                let count = Int(min(UInt64(bytes.count - place), left))
                left -= UInt64(count)
                if left == 0 { state = .dataReturn }
                return .data(place..<(place + count))
            }
            guard advance(bytes[place]) else {
                state = .failed
                return .malformed
            }
            place += 1
            if state == .ended { return .end(consumed: place) }
        }
        return .needsMore(consumed: place)
    }

    /// Takes one byte of framing; false when it is out of place.
    private mutating func advance(_ byte: UInt8) -> Bool {
        switch state {
        case .sizeStart, .size, .extensions, .sizeLineFeed: return advanceSize(byte)
        case .dataReturn:
            state = .dataLineFeed
            return byte == Ascii.carriageReturn
        case .dataLineFeed:
            (state, lineBytes, digits) = (.sizeStart, 0, 0)
            return byte == Ascii.lineFeed
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .endLineFeed: return advanceTrailer(byte)
        case .data, .ended, .failed: return false
        }
    }

    private mutating func advanceSize(_ byte: UInt8) -> Bool {
        lineBytes += 1
        if lineBytes > limits.sizeLineBytesMax { return false }
        if lineBytes > 16 { extensionBytes += 1 }
        if extensionBytes > limits.extensionBytesMax { return false }
        switch state {
        case .sizeStart, .size:
            if let value = Hex.value(of: byte) {
                // 15 digits stay below 2^60.
                digits += 1
                left = left << 4 | UInt64(value)
                state = .size
                return digits <= 15
            }
            guard state == .size else { return false }
            if byte == Ascii.semicolon {
                state = .extensions
                return true
            }
            state = .sizeLineFeed
            return byte == Ascii.carriageReturn
        case .extensions:
            if byte == Ascii.carriageReturn { state = .sizeLineFeed }
            return byte == Ascii.carriageReturn || byte == Ascii.tab || (byte >= Ascii.space && byte != 0x7F)
        default:
            state = left == 0 ? .trailerStart : .data
            return byte == Ascii.lineFeed
        }
    }

    private mutating func advanceTrailer(_ byte: UInt8) -> Bool {
        trailerBytes += 1
        if trailerBytes > limits.trailerBytesMax { return false }
        switch state {
        case .trailerStart:
            if byte == Ascii.carriageReturn {
                state = .endLineFeed
                return true
            }
            state = .trailerName
            return HeaderBlock.isTokenCharacter(byte)
        case .trailerName:
            if byte == Ascii.colon {
                state = .trailerValue
                return true
            }
            return HeaderBlock.isTokenCharacter(byte)
        case .trailerValue:
            if byte == Ascii.carriageReturn { state = .trailerLineFeed }
            return byte == Ascii.carriageReturn || byte == Ascii.tab || (byte >= Ascii.space && byte != 0x7F)
        case .trailerLineFeed:
            state = .trailerStart
            return byte == Ascii.lineFeed
        default:
            state = .ended
            return byte == Ascii.lineFeed
        }
    }
}
