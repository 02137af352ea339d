import COpenSSL

/// Random bytes that nobody can predict.
public enum SecureRandom {
    public static func bytes(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            // SAFETY: the capacity is at least `count`.
            if unsafe RAND_bytes(buffer.baseAddress, Int32(count)) != 1 { libraryFailed("RAND_bytes") }
            filled = count
        }
    }
}
