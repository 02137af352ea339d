import Bytes
import Digests

/// What names and keys of users may look like.
enum UserRules {
    static let nameRule = "1 to 64 of A-Z a-z 0-9 . _ - @"
    static let accessKeyRule = "3 to 128 printable ASCII characters without space, / and ,"
    static let secretRule = "8 to 128 printable ASCII characters without space"
    static let customerRule = nameRule

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { c in
                Ascii.isLetter(c) || Ascii.isDigit(c) || c == Ascii.dot || c == Ascii.underscore || c == Ascii.dash
                    || c == 0x40
            }
    }

    /// A comma or a slash would end the key inside an Authorization header's Credential.
    static func isAccessKey(_ key: [UInt8]) -> Bool {
        (3...128).contains(key.count) && key.allSatisfy { isPrintable($0) && $0 != Ascii.slash && $0 != Ascii.comma }
    }

    static func isSecret(_ secret: [UInt8]) -> Bool {
        (8...128).contains(secret.count) && secret.allSatisfy(isPrintable)
    }

    /// 20 characters of the form of AWS's access keys.
    static func newAccessKey() -> [UInt8] {
        [UInt8]("OGWK".utf8) + random(16, from: [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8))
    }

    /// 40 characters, letters and digits only so that they paste into any shell, 228 bits.
    static func newSecret() -> [UInt8] {
        random(40, from: [UInt8]("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789".utf8))
    }

    private static func random(_ count: Int, from alphabet: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        // Bytes above the last whole multiple would favour the alphabet's beginning.
        let limit = 256 - 256 % alphabet.count
        while out.count < count {
            for byte in SecureRandom.bytes(2 * count) where Int(byte) < limit && out.count < count {
                out.append(alphabet[Int(byte) % alphabet.count])
            }
        }
        return out
    }

    private static func isPrintable(_ c: UInt8) -> Bool { c > 0x20 && c < 0x7F }
}
