import COpenSSL
import Glibc

/// A hash function of OpenSSL, looked up once: a look-up by name costs more than hashing a small request.
// @unchecked: OpenSSL's method objects are immutable after the fetch.
@safe struct HashFunction: @unchecked Sendable {
    let method: OpaquePointer
    /// The length of a value in bytes.
    let length: Int

    static let md5 = HashFunction("MD5", length: 16)
    static let sha1 = HashFunction("SHA1", length: 20)
    static let sha256 = HashFunction("SHA256", length: 32)

    private init(_ name: StaticString, length: Int) {
        // SAFETY: a static string ends with NUL; the method is never freed, as these values live as long as the program.
        let found = unsafe name.utf8Start.withMemoryRebound(to: CChar.self, capacity: name.utf8CodeUnitCount + 1) {
            unsafe EVP_MD_fetch(nil, $0, nil)
        }
        guard let found = unsafe found else { libraryFailed("EVP_MD_fetch") }
        unsafe method = found
        self.length = length
    }
}

/// The one owner of an OpenSSL digest context. Owned by one task at a time.
@safe final class EVPDigest {
    private let context: OpaquePointer
    private let function: HashFunction

    init(_ function: HashFunction) {
        guard let made = unsafe EVP_MD_CTX_new() else { libraryFailed("EVP_MD_CTX_new") }
        unsafe context = made
        self.function = function
        restart()
    }

    deinit {
        // SAFETY: no reference to the context is left.
        unsafe EVP_MD_CTX_free(context)
    }

    func restart() {
        // SAFETY: both pointers live as long as self.
        if unsafe EVP_DigestInit_ex2(context, function.method, nil) != 1 { libraryFailed("EVP_DigestInit_ex2") }
    }

    func update(_ bytes: Span<UInt8>) {
        // SAFETY: the bytes are read during the call only.
        let done = unsafe bytes.withUnsafeBufferPointer { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        if done != 1 { libraryFailed("EVP_DigestUpdate") }
    }

    /// Ends the digest. Only `restart` may follow.
    func finish() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: function.length) { buffer, filled in
            // SAFETY: the capacity is the function's output length.
            if unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil) != 1 { libraryFailed("EVP_DigestFinal_ex") }
            filled = function.length
        }
    }
}

/// Ends the process. OpenSSL's digests and random bytes fail only for want of memory, or in a broken installation; no input
/// leads here, and going on with a wrong digest would let bad bytes pass for good ones.
func libraryFailed(_ function: StaticString) -> Never {
    // SAFETY: a static string's bytes live for ever.
    unsafe _ = write(STDERR_FILENO, function.utf8Start, function.utf8CodeUnitCount)
    let rest: StaticString = ": OpenSSL failed\n"
    unsafe _ = write(STDERR_FILENO, rest.utf8Start, rest.utf8CodeUnitCount)
    abort()
}
