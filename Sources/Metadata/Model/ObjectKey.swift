/// The name of an object: 1...1024 opaque bytes, ordered bytewise. Never a file name, never compared as Unicode.
public struct ObjectKey: Hashable, Comparable, Sendable {
    public static let lengthMax = 1024

    public let utf8: [UInt8]

    /// Nil when empty or longer than 1024 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty, bytes.count <= Self.lengthMax else { return nil }
        utf8 = [UInt8](bytes)
    }

    public static func < (a: ObjectKey, b: ObjectKey) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    /// For messages only.
    public var text: String { String(decoding: utf8, as: UTF8.self) }
}
