import Bytes
import Digests
import Threads

/// The key that a secret gives for one day, region and service, and the signatures made with it.
struct SigningKey: Sendable {
    private let key: HMACKey

    static func derived(secret: [UInt8], date: ArraySlice<UInt8>, region: ArraySlice<UInt8>) -> SigningKey {
        let day = HMAC.sha256(key: [UInt8]("AWS4".utf8) + secret, [UInt8](date))
        let place = HMAC.sha256(key: day, [UInt8](region))
        let service = HMAC.sha256(key: place, [UInt8]("s3".utf8))
        return SigningKey(key: HMACKey(HMAC.sha256(key: service, [UInt8]("aws4_request".utf8))))
    }

    /// As `derived`, from memory where the same was asked before. The callers have checked date and region, so that strangers
    /// cannot fill the memory at will.
    static func cached(secret: [UInt8], date: ArraySlice<UInt8>, region: ArraySlice<UInt8>) -> SigningKey {
        if let known = cache.withLock({ $0.find(secret, date, region) }) { return known }
        let name = CacheKey(secret: secret, date: [UInt8](date), region: [UInt8](region))
        let made = derived(secret: secret, date: date, region: region)
        cache.withLock { cache in
            if cache.keys.count >= cacheCountMax { cache.keys.removeAll(keepingCapacity: true) }
            cache.keys[name] = made
            cache.last = (name, made)
        }
        return made
    }

    /// 64 lower-case hexadecimal digits.
    func signature(of text: [UInt8]) -> [UInt8] { Hex.encode(key.code(of: text)) }

    /// `AWS4-HMAC-SHA256`, the time, the scope, and the digest of the canonical request, a line each.
    static func stringToSign(
        timestamp: some Sequence<UInt8>, scope: some Sequence<UInt8>, canonicalRequest: [UInt8]
    ) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(192)
        text += "AWS4-HMAC-SHA256\n".utf8
        text += timestamp
        text.append(Ascii.lineFeed)
        text += scope
        text.append(Ascii.lineFeed)
        text += Hex.encode(Digest.sha256(canonicalRequest))
        return text
    }

    private struct CacheKey: Hashable {
        let secret: [UInt8], date: [UInt8], region: [UInt8]

        /// The secret in one piece tells the keys apart well enough; an array's own hash goes byte by byte.
        func hash(into hasher: inout Hasher) {
            // SAFETY: the bytes are read during the call only.
            unsafe secret.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        }
    }

    private struct Cache {
        var keys: [CacheKey: SigningKey] = [:]
        /// What was asked for last: mostly the same again, found without hashing or copying.
        var last: (name: CacheKey, key: SigningKey)?

        mutating func find(
            _ secret: [UInt8], _ date: ArraySlice<UInt8>, _ region: ArraySlice<UInt8>
        ) -> SigningKey? {
            if let last, last.name.secret == secret, date.elementsEqual(last.name.date),
                region.elementsEqual(last.name.region)
            {
                return last.key
            }
            let name = CacheKey(secret: secret, date: [UInt8](date), region: [UInt8](region))
            guard let key = keys[name] else { return nil }
            last = (name, key)
            return key
        }
    }

    private static let cacheCountMax = 1024
    private static let cache = Lock(Cache())
}
