import Bytes

/// The point of a picture that matters most: parts of the width and the height from the top left corner, as the picture is seen.
public struct FocalPoint: Sendable, Equatable {
    /// 0...1.
    public let x: Double
    public let y: Double

    /// Of an object's user metadata, without the prefix.
    public static let fieldName: StaticString = "focal-point"

    public init?(x: Double, y: Double) {
        guard (0...1).contains(x), (0...1).contains(y) else { return nil }
        (self.x, self.y) = (x, y)
    }

    /// Reads `0.25,0.4`; nil for anything else.
    public init?(_ text: [UInt8]) {
        let parts = Ascii.split(text[...], at: Ascii.comma).map { part in
            part.count <= 32 ? Double(String(decoding: Ascii.trimmed(part), as: UTF8.self)) : nil
        }
        guard parts.count == 2, let x = parts[0], let y = parts[1] else { return nil }
        self.init(x: x, y: y)
    }

    /// What an object says of itself; what is no point counts as nothing.
    public init?(of attributes: ObjectAttributes) {
        guard let field = attributes.userMetadata.first(where: { Ascii.equal($0.name[...], Self.fieldName) }) else {
            return nil
        }
        self.init(field.value)
    }
}
