import Glibc

/// Addresses that lead into the machine or into a network around it (RFC 6890), where a stranger's request must not go.
enum PrivateAddress {
    /// `address` is a `sockaddr` of `family`. What is neither of IPv4 nor of IPv6, or too short, counts as private.
    static func isPrivate(family: Int32, address: [UInt8]) -> Bool {
        switch family {
        case AF_INET where address.count >= 8: isPrivate(address[4..<8])
        case AF_INET6 where address.count >= 24: isPrivate(v6: Array(address[8..<24]))
        default: true
        }
    }

    /// The first bytes of blocks, and how many of their bits count.
    private static let blocks: [(prefix: [UInt8], bits: Int)] = [
        ([0], 8), ([10], 8), ([100, 64], 10), ([127], 8), ([169, 254], 16), ([172, 16], 12), ([192, 0, 0], 24),
        ([192, 0, 2], 24), ([192, 168], 16), ([198, 18], 15), ([198, 51, 100], 24), ([203, 0, 113], 24), ([224], 3),
    ]

    private static let blocks6: [(prefix: [UInt8], bits: Int)] = [
        // Teredo, ORCHID, documentation; unique local, link-local, site-local, multicast.
        ([0x20, 0x01, 0, 0], 32), ([0x20, 0x01, 0, 0x10], 28), ([0x20, 0x01, 0x0D, 0xB8], 32), ([0xFC], 7),
        ([0xFE, 0x80], 10), ([0xFE, 0xC0], 10), ([0xFF], 8),
    ]

    private static func isPrivate(_ v4: ArraySlice<UInt8>) -> Bool {
        blocks.contains { lies(Array(v4), within: $0.prefix, bits: $0.bits) }
    }

    private static func isPrivate(v6 address: [UInt8]) -> Bool {
        let isMapped = address[..<10].allSatisfy { $0 == 0 } && address[10] == 0xFF && address[11] == 0xFF
        let isTranslated = address[..<12].elementsEqual([0, 0x64, 0xFF, 0x9B] + [UInt8](repeating: 0, count: 8))
        if isMapped || isTranslated { return isPrivate(address[12...]) }
        // 6to4 carries an IPv4 address.
        if address[0] == 0x20, address[1] == 0x02 { return isPrivate(address[2..<6]) }
        // The unspecified address, this machine's, and the old form of IPv4 ones.
        if address[..<12].allSatisfy({ $0 == 0 }) { return true }
        return blocks6.contains { lies(address, within: $0.prefix, bits: $0.bits) }
    }

    private static func lies(_ address: [UInt8], within prefix: [UInt8], bits: Int) -> Bool {
        zip(address, prefix).enumerated().allSatisfy { place, pair in
            let left = min(8, max(0, bits - place * 8))
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> left)
            return pair.0 & mask == pair.1 & mask
        }
    }
}
