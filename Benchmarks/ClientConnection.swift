import Bytes
import Glibc

/// One blocking HTTP/1.1 connection to a port of 127.0.0.1. Owned by one thread.
final class ClientConnection {
    struct Reply {
        var status: Int
        var length: Int
        /// As sent, with its quotes.
        var etag: String
    }

    private let descriptor: Int32
    private var received: [UInt8]
    /// The bytes of `received` that came and were not consumed.
    private var pending = 0..<0

    init(port: UInt16, receiveBytes: Int) throws(BenchError) {
        received = [UInt8](repeating: 0, count: receiveBytes)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { throw .system("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // SAFETY: the address is read during the call only.
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw .system("connect") }
        var on: Int32 = 1
        _ = unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// Sends the first `count` bytes, or all where there are fewer.
    func send(_ bytes: [UInt8], first count: Int = .max) throws(BenchError) {
        // SAFETY: the buffer is read during the calls only, within its count.
        let sent = unsafe bytes.withUnsafeBytes { buffer in
            var done = 0
            let end = min(count, buffer.count)
            while done < end {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done..<end])
                let count = unsafe Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                if count <= 0 { return false }
                done += count
            }
            return true
        }
        if !sent { throw .system("send") }
    }

    /// Reads one response; the body is lent to `consume` in pieces.
    func reply(_ consume: (Span<UInt8>) throws -> Void = { _ in }) throws -> Reply {
        var reply = try readHead()
        var left = reply.length
        while left > 0 {
            if pending.isEmpty { try fill() }
            let count = min(left, pending.count)
            let range = pending.lowerBound..<pending.lowerBound + count
            try lend(range, to: consume)
            pending = range.upperBound..<pending.upperBound
            left -= count
        }
        if reply.status == 204 { reply.length = 0 }
        return reply
    }

    private func lend(_ range: Range<Int>, to consume: (Span<UInt8>) throws -> Void) throws {
        let bytes = received
        try consume(bytes.span.extracting(range))
    }

    private func readHead() throws(BenchError) -> Reply {
        var head: [UInt8] = []
        while true {
            if pending.isEmpty { try fill() }
            let byte = received[pending.lowerBound]
            pending = pending.lowerBound + 1..<pending.upperBound
            head.append(byte)
            if byte == 0x0A, head.count >= 4, head.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) { break }
            if head.count > 65_536 { throw BenchError("a response head of more than 64 KiB") }
        }
        guard head.count > 12, let status = Ascii.decimal(head[9..<12]) else {
            throw BenchError("no status in a response")
        }
        var reply = Reply(status: Int(status), length: 0, etag: "")
        for line in head.split(separator: 0x0A) {
            guard let colon = line.firstIndex(of: 0x3A) else { continue }
            let name = Ascii.lowered([UInt8](line[..<colon]))
            if name.count != 14 && name.count != 4 { continue }
            let value = line[(colon + 1)...].filter { $0 > 0x20 }
            if name.elementsEqual("content-length".utf8) {
                reply.length = Ascii.decimal(value[...]).map { Int($0) } ?? 0
            } else if name.elementsEqual("etag".utf8) {
                reply.etag = String(decoding: value, as: UTF8.self)
            }
        }
        return reply
    }

    private func fill() throws(BenchError) {
        // SAFETY: the buffer is written during the call only, within its count.
        let count = unsafe received.withUnsafeMutableBytes { buffer in
            unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
        }
        if count <= 0 { throw count == 0 ? BenchError("the server closed the connection") : .system("recv") }
        pending = 0..<count
    }
}
