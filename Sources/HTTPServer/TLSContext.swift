internal import COpenSSL
import Files
import Glibc

/// A certificate chain with its key, ready to make sessions. Sessions keep it alive after a reload.
// @unchecked: OpenSSL counts references and locks inside; nothing is set after `load`.
@safe final class TLSContext: @unchecked Sendable {
    private let context: OpaquePointer

    private init(owning context: OpaquePointer) { unsafe self.context = context }

    deinit { unsafe SSL_CTX_free(context) }

    /// Both files are PEM; the certificate's own comes first in its chain. Reads the disk.
    static func load(certificatePath: String, keyPath: String) throws(ServerError) -> TLSContext {
        ERR_clear_error()
        guard let made = unsafe SSL_CTX_new(TLS_server_method()) else { throw .tls(path: nil, reason: lastError()) }
        let context = unsafe TLSContext(owning: made)
        // SAFETY: the context lives as long as its owner, and the paths during the calls.
        guard unsafe copenssl_prepare_server(context.context) == 1 else { throw .tls(path: nil, reason: lastError()) }
        guard unsafe SSL_CTX_use_certificate_chain_file(context.context, certificatePath) == 1 else {
            throw .tls(path: certificatePath, reason: lastError())
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(context.context, keyPath, SSL_FILETYPE_PEM) == 1,
            unsafe SSL_CTX_check_private_key(context.context) == 1
        else { throw .tls(path: keyPath, reason: lastError()) }
        return context
    }

    /// Nil when memory is short.
    func session(on descriptor: Int32) -> TLSSession? {
        guard let session = unsafe SSL_new(context) else { return nil }
        guard unsafe SSL_set_fd(session, descriptor) == 1 else {
            unsafe SSL_free(session)
            return nil
        }
        unsafe SSL_set_accept_state(session)
        return unsafe TLSSession(owning: session)
    }

    private static func lastError() -> String {
        let code = ERR_peek_last_error()
        var text = [CChar](repeating: 0, count: 256)
        // SAFETY: the length of the buffer is given.
        unsafe ERR_error_string_n(code, &text, text.count)
        ERR_clear_error()
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// One side of a TLS connection. Used by one thread at a time: the connection's owner.
@safe final class TLSSession {
    private let session: OpaquePointer
    /// After a fatal error nothing more may be sent, not even a farewell.
    private var isBroken = false

    init(owning session: OpaquePointer) { unsafe self.session = session }

    deinit { unsafe SSL_free(session) }

    /// `.moved` when the handshake is complete.
    func handshake() -> Transfer {
        ERR_clear_error()
        return outcome(of: unsafe SSL_do_handshake(session))
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        ERR_clear_error()
        let count = Int32(clamping: buffer.count)
        if count == 0 { return .ended }
        // SAFETY: the buffer is valid for its count.
        return outcome(of: unsafe SSL_read(session, buffer.baseAddress, count))
    }

    /// Sends at most one record of 16 KiB. After `.mustWait...` the same bytes must be offered again, at any address.
    func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        ERR_clear_error()
        let count = Int32(min(bytes.count, TLSSession.recordBytesMax))
        // SAFETY: the buffer is valid for its count.
        return outcome(of: unsafe SSL_write(session, bytes.baseAddress, count))
    }

    static let recordBytesMax = 16 * 1024

    /// Tells the peer that no more will come.
    func sayFarewell() {
        if isBroken { return }
        isBroken = true
        ERR_clear_error()
        _ = unsafe SSL_shutdown(session)
        ERR_clear_error()
    }

    /// Suppresses the farewell, so that the peer knows of the truncation.
    func breakOff() { isBroken = true }

    private func outcome(of result: Int32) -> Transfer {
        if result > 0 { return .moved(Int(result)) }
        switch unsafe SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: return .mustWaitToRead
        case SSL_ERROR_WANT_WRITE: return .mustWaitToWrite
        case SSL_ERROR_ZERO_RETURN: return .ended
        default:
            isBroken = true
            ERR_clear_error()
            return .ended
        }
    }
}
