internal import CLinux
import Glibc
import Threads

/// What became of one attempt to move bytes.
enum Transfer: Equatable {
    /// Bytes moved, at least 1.
    case moved(Int)
    /// The peer ended its side, or the connection failed.
    case ended
    /// Nothing moved; try again when the socket is readable or writable.
    case mustWaitToRead, mustWaitToWrite

    /// What to wait for; TLS may have to write in order to read, and the other way round.
    var interest: Interest { self == .mustWaitToWrite ? .write : .read }
}

/// Bytes to and from a socket, as they are. All calls return at once.
enum PlainTransport {
    static func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        while true {
            // SAFETY: the buffer is valid for its count.
            let got = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if got > 0 { return .moved(got) }
            if got == 0 { return .ended }
            if errno == EAGAIN { return .mustWaitToRead }
            if errno != EINTR { return .ended }
        }
    }

    /// `more`: further bytes follow at once, so the kernel waits for them to fill a packet.
    static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, more: Bool) -> Transfer {
        let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
        while true {
            // SAFETY: the buffer is valid for its count.
            let sent = unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags)
            if sent > 0 { return .moved(sent) }
            if sent < 0, errno == EAGAIN { return .mustWaitToWrite }
            if sent == 0 || errno != EINTR { return .ended }
        }
    }

    /// Sends from a file without passing the bytes through this process. `.ended` also where the file is shorter.
    static func sendFile(_ descriptor: Int32, from file: Int32, at offset: UInt64, count: Int) -> Transfer {
        while true {
            var position = off_t(truncatingIfNeeded: offset)
            let sent = unsafe sendfile(descriptor, file, &position, count)
            if sent > 0 { return .moved(sent) }
            if sent < 0, errno == EAGAIN { return .mustWaitToWrite }
            if sent == 0 || errno != EINTR { return .ended }
        }
    }
}
