import Bytes
import JSON

/// Builds one line of the log. No value, whatever its bytes, ends the line or forges a field (S3-TRAPS 37).
struct LogLine {
    private(set) var bytes: [UInt8] = []
    private let format: LogFormat

    init(_ event: StaticString, level: LogLevel, at moment: Timestamp, format: LogFormat) {
        self.format = format
        bytes.reserveCapacity(384)
        switch format {
        case .json:
            append("{\"time\":\"")
            DateFormats.appendISO8601(moment, to: &bytes)
            append("\",\"level\":\"")
            append(level.name)
            append("\",\"event\":\"")
            append(event)
            append("\"")
        case .text:
            DateFormats.appendISO8601(moment, to: &bytes)
            append(" ")
            append(level.name)
            append(" ")
            append(event)
        }
    }

    mutating func add(_ name: StaticString, _ value: LogValue) {
        begin(name)
        switch value {
        case .literal(let text): appendQuoted(text)
        case .text(let text): appendText(text.utf8)
        case .bytes(let text): appendText(text)
        case .unsigned(let number): Ascii.appendDecimal(number, to: &bytes)
        case .signed(let number):
            if number < 0 { bytes.append(Ascii.dash) }
            Ascii.appendDecimal(number.magnitude, to: &bytes)
        case .duration(let duration): Ascii.appendDecimal(duration.microseconds, to: &bytes)
        case .flag(let flag): append(flag ? "true" : "false")
        }
    }

    mutating func end() {
        if format == .json { append("}") }
        bytes.append(Ascii.lineFeed)
    }

    private mutating func begin(_ name: StaticString) {
        switch format {
        case .json:
            append(",\"")
            append(name)
            append("\":")
        case .text:
            append(" ")
            append(name)
            append("=")
        }
    }

    private mutating func appendQuoted(_ text: StaticString) {
        if format == .json { append("\"") }
        append(text)
        if format == .json { append("\"") }
    }

    private mutating func appendText(_ text: some Collection<UInt8>) {
        switch format {
        case .json: JSONText.appendString(text, to: &bytes)
        case .text:
            if text.isEmpty || text.contains(where: { $0 <= Ascii.space || $0 == Ascii.quote || $0 == Ascii.equals }) {
                JSONText.appendString(text, to: &bytes)
            } else {
                JSONText.appendEscaped(text, to: &bytes)
            }
        }
    }

    private mutating func append(_ text: StaticString) {
        // SAFETY: a static string's bytes live for ever.
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
