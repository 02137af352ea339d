import COpenSSL

/// Seals secrets at rest by AES-256-GCM (NIST SP 800-38D) under one key.
///
/// A sealed value is `nonce (12 bytes) || ciphertext || tag (16 bytes)`. Nonces are random: one key serves up to 2^32 values.
public struct SecretSealing: Sendable {
    public static let keyLength = 32
    private static let nonceLength = 12
    private static let tagLength = 16
    /// The most bytes that are sealed at once.
    public static let lengthMax = 1 << 20

    private let key: [UInt8]

    /// Nil unless the key has 32 bytes.
    public init?(key: [UInt8]) {
        guard key.count == Self.keyLength else { return nil }
        self.key = key
    }

    /// `context` is authenticated but not kept: the same must be given to `open`, so that a sealed value cannot be moved
    /// to another row. Nil when `secret` or `context` is above `lengthMax`.
    public func seal(_ secret: [UInt8], context: [UInt8]) -> [UInt8]? {
        guard secret.count <= Self.lengthMax, context.count <= Self.lengthMax else { return nil }
        let nonce = SecureRandom.bytes(Self.nonceLength)
        var tag = [UInt8](repeating: 0, count: Self.tagLength)
        guard let text = run(sealing: true, secret, nonce: nonce, context: context, tag: &tag) else { return nil }
        return nonce + text + tag
    }

    /// Nil when the key or the context is another, or any bit was changed.
    public func open(_ sealed: [UInt8], context: [UInt8]) -> [UInt8]? {
        let overhead = Self.nonceLength + Self.tagLength
        guard sealed.count >= overhead, sealed.count <= Self.lengthMax + overhead, context.count <= Self.lengthMax
        else { return nil }
        let nonce = [UInt8](sealed.prefix(Self.nonceLength))
        var tag = [UInt8](sealed.suffix(Self.tagLength))
        let text = [UInt8](sealed.dropFirst(Self.nonceLength).dropLast(Self.tagLength))
        return run(sealing: false, text, nonce: nonce, context: context, tag: &tag)
    }

    private func run(
        sealing: Bool, _ input: [UInt8], nonce: [UInt8], context: [UInt8], tag: inout [UInt8]
    ) -> [UInt8]? {
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else { return nil }
        // SAFETY: freed once, when the work is over. The lengths are bounded by `lengthMax`, so they fit Int32; GCM writes as
        // many bytes as it reads; nonce and tag have the lengths that GCM uses.
        defer { unsafe EVP_CIPHER_CTX_free(cipher) }
        var written: Int32 = 0
        let tagLength = Int32(Self.tagLength)
        guard unsafe EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce, sealing ? 1 : 0) == 1,
            unsafe EVP_CipherUpdate(cipher, nil, &written, context, Int32(context.count)) == 1
        else { return nil }
        var output = [UInt8](repeating: 0, count: input.count)
        guard unsafe EVP_CipherUpdate(cipher, &output, &written, input, Int32(input.count)) == 1 else { return nil }
        if !sealing, unsafe EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, tagLength, &tag) != 1 { return nil }
        var last = [UInt8](repeating: 0, count: Self.tagLength)
        guard unsafe EVP_CipherFinal_ex(cipher, &last, &written) == 1 else { return nil }
        if sealing, unsafe EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, tagLength, &tag) != 1 { return nil }
        return output
    }
}
