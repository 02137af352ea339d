import Bytes

/// Writes a document by appending to bytes. The caller sees to it that elements nest.
public struct XMLWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    /// The namespace of S3's documents.
    public static let s3Namespace: StaticString = "http://s3.amazonaws.com/doc/2006-03-01/"

    private static let declaration: StaticString = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

    /// Begins with the XML declaration.
    public init() {
        bytes.reserveCapacity(1024)
        append(Self.declaration)
    }

    public mutating func open(_ name: StaticString, namespace: StaticString? = nil) {
        bytes.append(UInt8(ascii: "<"))
        append(name)
        if let namespace {
            append(" xmlns=\"")
            append(namespace)
            bytes.append(Ascii.quote)
        }
        bytes.append(UInt8(ascii: ">"))
    }

    /// Opens an element whose attributes' values come from data; the names are written as they are, `xsi:type` for instance.
    public mutating func open(_ name: StaticString, attributes: [(StaticString, [UInt8])]) {
        bytes.append(UInt8(ascii: "<"))
        append(name)
        for (key, value) in attributes {
            bytes.append(Ascii.space)
            append(key)
            bytes.append(Ascii.equals)
            bytes.append(Ascii.quote)
            text(value)
            bytes.append(Ascii.quote)
        }
        bytes.append(UInt8(ascii: ">"))
    }

    public mutating func close(_ name: StaticString) {
        bytes.append(UInt8(ascii: "<"))
        bytes.append(Ascii.slash)
        append(name)
        bytes.append(UInt8(ascii: ">"))
    }

    public mutating func element(_ name: StaticString, _ value: some Sequence<UInt8>) {
        open(name)
        text(value)
        close(name)
    }

    public mutating func element(_ name: StaticString, _ value: String) { element(name, value.utf8) }

    public mutating func element(_ name: StaticString, _ value: UInt64) {
        open(name)
        Ascii.appendDecimal(value, to: &bytes)
        close(name)
    }

    public mutating func element(_ name: StaticString, _ value: Bool) { element(name, value ? "true" : "false") }

    /// `<Name/>`
    public mutating func empty(_ name: StaticString) {
        bytes.append(UInt8(ascii: "<"))
        append(name)
        bytes.append(Ascii.slash)
        bytes.append(UInt8(ascii: ">"))
    }

    /// Text, escaped. A control character, which XML 1.0 cannot carry, is written as a reference (`&#x1;`), as AWS does; bytes
    /// that are no UTF-8 become U+FFFD.
    public mutating func text(_ value: some Sequence<UInt8>) {
        // Nearly all text is ASCII, and listings are made of it: its plain runs are copied at once.
        // SAFETY: the bytes are lent for the length of the call.
        if value.withContiguousStorageIfAvailable({ unsafe appendASCII($0) }) == true { return }
        var rest = UTF8Checked(value)
        while let piece = rest.next() {
            switch piece {
            case .ascii(let byte): escape(byte)
            case .other(let sequence): bytes.append(contentsOf: sequence)
            }
        }
    }

    /// Whether all bytes were ASCII; they are appended then, escaped.
    private mutating func appendASCII(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        // SAFETY: every index stays below the count.
        for index in 0..<value.count where unsafe value[index] >= 0x80 { return false }
        var start = 0
        for index in 0..<value.count {
            let byte = unsafe value[index]
            switch byte {
            case UInt8(ascii: "<"), UInt8(ascii: ">"), Ascii.ampersand, Ascii.quote, 0..<0x20, 0x7F:
                unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: value[start..<index]))
                escape(byte)
                start = index + 1
            default: continue
            }
        }
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: value[start...]))
        return true
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "<"): append("&lt;")
        case UInt8(ascii: ">"): append("&gt;")
        case Ascii.ampersand: append("&amp;")
        case Ascii.quote: append("&quot;")
        // A parser turns a bare CR into LF, and in attributes TAB and LF into spaces.
        case 0..<0x20, 0x7F:
            append("&#x")
            for digit in String(byte, radix: 16).utf8 { bytes.append(digit) }
            bytes.append(Ascii.semicolon)
        default: bytes.append(byte)
        }
    }

    private mutating func append(_ text: StaticString) {
        // SAFETY: a static string's bytes live for ever.
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// Splits bytes into ASCII characters and whole longer sequences of UTF-8; what is neither comes out as U+FFFD, as do U+FFFE and
/// U+FFFF, which XML 1.0 forbids.
private struct UTF8Checked<Base: Sequence<UInt8>> {
    enum Piece {
        case ascii(UInt8)
        case other([UInt8])
    }

    private var decoder = Unicode.UTF8.ForwardParser()
    private var iterator: Base.Iterator

    private static var replacement: [UInt8] { [0xEF, 0xBF, 0xBD] }

    init(_ base: Base) { iterator = base.makeIterator() }

    mutating func next() -> Piece? {
        switch decoder.parseScalar(from: &iterator) {
        case .emptyInput: return nil
        case .error: return .other(Self.replacement)
        case .valid(let sequence):
            let bytes = [UInt8](sequence)
            if bytes.count == 1 { return .ascii(bytes[0]) }
            return .other(bytes == [0xEF, 0xBF, 0xBE] || bytes == [0xEF, 0xBF, 0xBF] ? Self.replacement : bytes)
        }
    }
}
