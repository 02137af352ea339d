import COpenSSL

/// Digests of bytes that are in memory already.
public enum Digest {
    static let sha256Length = 32

    public static func sha256(_ bytes: Span<UInt8>) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: sha256Length) { buffer, filled in
            guard let digest = buffer.baseAddress else { return }
            // SAFETY: the capacity is the digest's length; the bytes are read during the call only.
            unsafe bytes.withUnsafeBufferPointer { unsafe copenssl_sha256($0.baseAddress, $0.count, digest) }
            filled = sha256Length
        }
    }
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] { sha256(bytes.span) }
    public static func sha1(_ bytes: Span<UInt8>) -> [UInt8] { value(.sha1, bytes) }
    public static func sha1(_ bytes: [UInt8]) -> [UInt8] { value(.sha1, bytes.span) }
    public static func md5(_ bytes: Span<UInt8>) -> [UInt8] { value(.md5, bytes) }
    public static func md5(_ bytes: [UInt8]) -> [UInt8] { value(.md5, bytes.span) }

    /// The value of any algorithm.
    public static func of(_ bytes: [UInt8], _ algorithm: DigestAlgorithm) -> [UInt8] {
        let stream = DigestStream(DigestSet(algorithm))
        stream.update(bytes.span)
        return stream.finish()[algorithm] ?? []
    }

    private static func value(_ function: HashFunction, _ bytes: Span<UInt8>) -> [UInt8] {
        let digest = EVPDigest(function)
        digest.update(bytes)
        return digest.finish()
    }
}

/// Keyed-hash message authentication (RFC 2104).
public enum HMAC {
    private static let blockLength = 64

    /// For many messages under one key: `HMACKey`.
    public static func sha256(key: [UInt8], _ message: Span<UInt8>) -> [UInt8] { HMACKey(key).code(of: message) }
    public static func sha256(key: [UInt8], _ message: [UInt8]) -> [UInt8] { HMACKey(key).code(of: message.span) }
    public static func sha1(key: [UInt8], _ message: [UInt8]) -> [UInt8] { value(.sha1, key, message.span) }

    private static func value(_ function: HashFunction, _ key: [UInt8], _ message: Span<UInt8>) -> [UInt8] {
        let digest = EVPDigest(function)
        var block = key
        if key.count > blockLength {
            digest.update(key.span)
            block = digest.finish()
            digest.restart()
        }
        var inner = [UInt8](repeating: 0x36, count: blockLength)
        var outer = [UInt8](repeating: 0x5C, count: blockLength)
        for (index, byte) in block.enumerated() {
            inner[index] ^= byte
            outer[index] ^= byte
        }
        digest.update(inner.span)
        digest.update(message)
        let first = digest.finish()
        digest.restart()
        digest.update(outer.span)
        digest.update(first.span)
        return digest.finish()
    }
}
