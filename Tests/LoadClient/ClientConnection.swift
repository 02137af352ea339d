import Bytes
import Glibc

/// One blocking HTTP/1.1 connection to a port of 127.0.0.1. Owned by one thread.
public final class ClientConnection {
    public struct Reply {
        public var status: Int
        /// Of the body that came.
        public var length: Int
        /// As sent, with its quotes.
        public var etag: String
        /// Status line and fields, as they came.
        public var head: [UInt8]

        /// The value of the first field of this name, which is lower case.
        public func field(_ name: String) -> String? {
            for line in head.split(separator: Ascii.lineFeed).dropFirst() {
                guard let colon = line.firstIndex(of: Ascii.colon),
                    Ascii.lowered(line[..<colon]).elementsEqual(name.utf8)
                else { continue }
                let value = line[(colon + 1)...].drop { $0 == Ascii.space }
                return String(ascii: value.last == Ascii.carriageReturn ? value.dropLast() : value)
            }
            return nil
        }
    }

    private let descriptor: Int32
    private var received: [UInt8]
    /// The bytes of `received` that came and were not consumed.
    private var pending = 0..<0

    /// A call that waits longer than `patience_s` for the server throws; 0 waits for ever.
    public init(port: UInt16, receiveBytes: Int, patience_s: Int = 0) throws(ClientError) {
        received = [UInt8](repeating: 0, count: receiveBytes)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { throw .system("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // SAFETY: the address is read during the call only; so are the options.
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw .system("connect") }
        var on: Int32 = 1
        _ = unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        if patience_s > 0 {
            var limit = timeval(tv_sec: patience_s, tv_usec: 0)
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
                _ = unsafe setsockopt(
                    descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
            }
        }
    }

    deinit { close(descriptor) }

    /// Sends the first `count` bytes, or all where there are fewer.
    public func send(_ bytes: [UInt8], first count: Int = .max) throws(ClientError) {
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

    /// Reads one response; the body is lent to `consume` in pieces. `hasBody` is false for the answer to HEAD.
    public func reply(hasBody: Bool = true, _ consume: (Span<UInt8>) throws -> Void = { _ in }) throws -> Reply {
        let framed = try readHead()
        var reply = framed.reply
        if !hasBody || reply.status == 204 || reply.status == 304 {
            reply.length = 0
        } else if framed.isChunked {
            reply.length = try readChunks(consume)
        } else {
            try pass(reply.length, to: consume)
        }
        return reply
    }

    private func pass(_ count: Int, to consume: (Span<UInt8>) throws -> Void) throws {
        var left = count
        while left > 0 {
            if pending.isEmpty { try fill() }
            let count = min(left, pending.count)
            let range = pending.lowerBound..<pending.lowerBound + count
            try lend(range, to: consume)
            pending = range.upperBound..<pending.upperBound
            left -= count
        }
    }

    /// Chunked framing (RFC 9112 section 7.1) without extensions; trailer fields are dropped. Returns the body's length.
    private func readChunks(_ consume: (Span<UInt8>) throws -> Void) throws -> Int {
        var total = 0
        while true {
            let line = String(ascii: Ascii.trimmed(try readLine()))
            guard let count = Int(line, radix: 16), count >= 0 else { throw ClientError("a chunk of length \(line)") }
            if count == 0 {
                while !(try readLine()).isEmpty {}
                return total
            }
            try pass(count, to: consume)
            guard try readLine().isEmpty else { throw ClientError("a chunk is longer than it says") }
            total += count
        }
    }

    private func lend(_ range: Range<Int>, to consume: (Span<UInt8>) throws -> Void) throws {
        let bytes = received
        try consume(bytes.span.extracting(range))
    }

    private func readByte() throws(ClientError) -> UInt8 {
        if pending.isEmpty { try fill() }
        let byte = received[pending.lowerBound]
        pending = pending.lowerBound + 1..<pending.upperBound
        return byte
    }

    /// Without its line end.
    private func readLine() throws(ClientError) -> [UInt8] {
        var line: [UInt8] = []
        while true {
            let byte = try readByte()
            if byte == Ascii.lineFeed { break }
            line.append(byte)
            if line.count > 65_536 { throw ClientError("a line of more than 64 KiB") }
        }
        if line.last == Ascii.carriageReturn { line.removeLast() }
        return line
    }

    private func readHead() throws(ClientError) -> (reply: Reply, isChunked: Bool) {
        var head: [UInt8] = []
        while true {
            let byte = try readByte()
            head.append(byte)
            if byte == 0x0A, head.count >= 4, head.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) { break }
            if head.count > 65_536 { throw ClientError("a response head of more than 64 KiB") }
        }
        guard head.count > 12, let status = Ascii.decimal(head[9..<12]) else {
            throw ClientError("no status in a response")
        }
        var reply = Reply(status: Int(status), length: 0, etag: "", head: head)
        var isChunked = false
        for line in head.split(separator: 0x0A) {
            guard let colon = line.firstIndex(of: 0x3A) else { continue }
            let name = Ascii.lowered([UInt8](line[..<colon]))
            if name.count != 14 && name.count != 4 && name.count != 17 { continue }
            let value = line[(colon + 1)...].filter { $0 > 0x20 }
            if name.elementsEqual("content-length".utf8) {
                reply.length = Ascii.decimal(value[...]).map { Int(clamping: $0) } ?? 0
            } else if name.elementsEqual("etag".utf8) {
                reply.etag = String(decoding: value, as: UTF8.self)
            } else if name.elementsEqual("transfer-encoding".utf8) {
                isChunked = Ascii.equalIgnoringCase(value, [UInt8]("chunked".utf8))
            }
        }
        return (reply, isChunked)
    }

    private func fill() throws(ClientError) {
        // SAFETY: the buffer is written during the call only, within its count.
        let count = unsafe received.withUnsafeMutableBytes { buffer in
            unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
        }
        if count <= 0 { throw count == 0 ? ClientError("the server closed the connection") : .system("recv") }
        pending = 0..<count
    }
}
