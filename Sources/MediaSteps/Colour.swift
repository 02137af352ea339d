/// A colour as `#rrggbb`, in sRGB.
struct Colour: Sendable, Equatable, Codable {
    let red: UInt8
    let green: UInt8
    let blue: UInt8

    static let white = Colour(red: 255, green: 255, blue: 255)

    init(red: UInt8, green: UInt8, blue: UInt8) {
        (self.red, self.green, self.blue) = (red, green, blue)
    }

    init?(_ text: String) {
        // A sign would be taken for part of a number.
        guard text.utf8.count == 7, text.hasPrefix("#"), !text.contains("+"),
            let value = UInt32(text.dropFirst(), radix: 16)
        else { return nil }
        self.init(
            red: UInt8(truncatingIfNeeded: value >> 16), green: UInt8(truncatingIfNeeded: value >> 8),
            blue: UInt8(truncatingIfNeeded: value))
    }

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let colour = Colour(text) else { throw OptionError("'\(text)' is no colour like #ffffff") }
        self = colour
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    var text: String {
        let digits = Array("0123456789abcdef")
        return "#" + String([red, green, blue].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    var values: [Double] { [Double(red), Double(green), Double(blue)] }
}
