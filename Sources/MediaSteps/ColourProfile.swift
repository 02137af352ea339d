import Vips

/// The colour profile that a picture carries (ICC.1:2022).
enum ColourProfile {
    static let field = "icc-profile-data"

    /// True where the picture has no profile, or one that says that it is sRGB: nothing is to be converted then.
    static func isStandard(_ picture: Picture) -> Bool {
        guard let profile = picture.blob(field) else { return true }
        return describes(profile, "sRGB")
    }

    /// Whether the profile's description (tag `desc`) names `wanted`, in ASCII or UTF-16.
    static func describes(_ profile: [UInt8], _ wanted: String) -> Bool {
        guard let text = description(profile) else { return false }
        let wide: [UInt8] = wanted.utf8.flatMap { [0, $0] as [UInt8] }
        return text.firstRange(of: Array(wanted.utf8)) != nil || text.firstRange(of: wide) != nil
    }

    private static func description(_ profile: [UInt8]) -> ArraySlice<UInt8>? {
        func number(_ place: Int) -> Int? {
            guard place >= 0, profile.count >= 4, place <= profile.count - 4 else { return nil }
            return profile[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
        }
        // Section 7.3: a count, then signature, offset and size of each tag.
        guard let count = number(128), count <= 200 else { return nil }
        for index in 0..<count {
            let entry = 132 + 12 * index
            guard let signature = number(entry), let offset = number(entry + 4), let size = number(entry + 8) else {
                return nil
            }
            guard signature == 0x6465_7363 else { continue }
            guard offset <= profile.count, size <= profile.count - offset else { return nil }
            return profile[offset..<(offset + size)]
        }
        return nil
    }
}
