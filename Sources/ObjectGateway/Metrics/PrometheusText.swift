import Bytes

/// Writes the Prometheus text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
struct PrometheusText {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var bytes: [UInt8] = []

    /// Begins a metric family; its samples follow directly.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        let escaped = help.utf8.flatMap { byte -> [UInt8] in
            byte == Ascii.lineFeed ? [0x5C, 0x6E] : byte == 0x5C ? [0x5C, 0x5C] : [byte]
        }
        bytes += "# HELP \(name) ".utf8
        bytes += escaped
        bytes += "\n# TYPE \(name) \(kind.rawValue)\n".utf8
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
        sample(name, labels, "\(value)")
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        // A whole number is written without a fraction, as counters are.
        sample(name, labels, value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
    }

    /// `value` is a number in the format's own form.
    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
        bytes += name.utf8
        if !labels.isEmpty {
            bytes += "{".utf8
            for (index, label) in labels.enumerated() {
                if index > 0 { bytes += ",".utf8 }
                bytes += label.0.utf8
                bytes += "=\"".utf8
                for byte in label.1.utf8 {
                    switch byte {
                    case Ascii.lineFeed: bytes += "\\n".utf8
                    case Ascii.quote, 0x5C: bytes += [0x5C, byte]
                    default: bytes.append(byte)
                    }
                }
                bytes += "\"".utf8
            }
            bytes += "}".utf8
        }
        bytes += " ".utf8
        bytes += value.utf8
        bytes += "\n".utf8
    }

    /// `2500` is `0.0025`: without an exponent and without trailing zeros.
    static func seconds(microseconds: UInt64) -> String {
        var fraction = Array("\(1_000_000 + microseconds % 1_000_000)".utf8.dropFirst())
        while fraction.last == Ascii.zero { fraction.removeLast() }
        let whole = "\(microseconds / 1_000_000)"
        return fraction.isEmpty ? whole : whole + "." + String(ascii: fraction)
    }
}
