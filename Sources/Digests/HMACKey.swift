import COpenSSL

/// A key of HMAC with SHA-256 (RFC 2104), prepared once for many messages.
public final class HMACKey: Sendable {
    private static let blockLength = 64

    /// The states after the key's two blocks.
    private let inner: SHA256_CTX
    private let outer: SHA256_CTX

    public init(_ key: [UInt8]) {
        let short = key.count > Self.blockLength ? Digest.sha256(key) : key
        inner = Self.state(short, padding: 0x36)
        outer = Self.state(short, padding: 0x5C)
    }

    private static func state(_ key: [UInt8], padding: UInt8) -> SHA256_CTX {
        var block = [UInt8](repeating: padding, count: blockLength)
        for (index, byte) in key.enumerated() { block[index] ^= byte }
        var state = SHA256_CTX()
        // SAFETY: the block has the length that is read.
        unsafe copenssl_sha256_begin(&state, block)
        return state
    }

    /// 32 bytes.
    public func code(of message: Span<UInt8>) -> [UInt8] {
        var first = Self.digest(after: inner, message)
        first = Self.digest(after: outer, first.span)
        return first
    }

    public func code(of message: [UInt8]) -> [UInt8] { code(of: message.span) }

    private static func digest(after state: SHA256_CTX, _ bytes: Span<UInt8>) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: Digest.sha256Length) { buffer, filled in
            guard let digest = buffer.baseAddress else { return }
            // SAFETY: the capacity is the digest's length; the bytes are read during the call only.
            unsafe withUnsafePointer(to: state) { (state: UnsafePointer<SHA256_CTX>) in
                unsafe bytes.withUnsafeBufferPointer {
                    unsafe copenssl_sha256_continue(state, $0.baseAddress, $0.count, digest)
                }
            }
            filled = Digest.sha256Length
        }
    }
}
