import Bytes
import Files
import Glibc
import JSON

/// Speaks HTTP/1.1 over the control socket, one request a connection. All calls block.
struct ControlClient: Sendable {
    let path: String
    /// Answers are lists of users and buckets, and this is far beyond the limits of both.
    private static let answerSizeMax = 64 << 20
    private static let timeout_s = 60

    /// Nil where nobody listens: there is no socket, or one that a killed server left.
    func connect() throws(SystemError) -> OpenFile? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { throw SystemError("socket") }
        let file = OpenFile(owning: descriptor)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [UInt8](path.utf8)
        let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { place -> Bool in
            // SAFETY: one byte stays for the final NUL, which the initialiser has set.
            guard bytes.count < place.count else { return false }
            unsafe place.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw SystemError("connect", errno: ENAMETOOLONG, path: path) }
        var wait = timeval(tv_sec: Self.timeout_s, tv_usec: 0)
        let length = socklen_t(MemoryLayout<timeval>.size)
        // SAFETY: the pointers live for the calls, and the lengths are those of the values they point to.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, length)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, length)
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if connected != 0 {
            if errno == ENOENT || errno == ECONNREFUSED { return nil }
            throw SystemError("connect", path: path)
        }
        return file
    }

    /// Sends one request on a connection made by `connect`.
    func call(_ method: String, _ target: String, _ body: JSONValue, on file: OpenFile) throws -> ControlAnswer {
        let content = body == .null ? [] : body.text
        var request = [UInt8]("\(method) \(target) HTTP/1.1\r\nhost: ogw\r\nconnection: close\r\n".utf8)
        if !content.isEmpty { request += "content-type: application/json\r\n".utf8 }
        request += "content-length: \(content.count)\r\n\r\n".utf8
        request += content
        try send(request, on: file)
        return try Self.answer(from: try receive(on: file))
    }

    private func send(_ bytes: [UInt8], on file: OpenFile) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: the pointer is used within the call only.
            let sent = unsafe rest.withUnsafeBufferPointer {
                unsafe Glibc.send(file.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                rest = rest.dropFirst(sent)
            } else if errno != EINTR {
                throw SystemError("send", path: path)
            }
        }
    }

    /// Everything up to the end of the connection.
    private func receive(on file: OpenFile) throws(SystemError) -> [UInt8] {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let got = unsafe recv(file.descriptor, &buffer, buffer.count, 0)
            if got > 0 {
                answer += buffer.prefix(got)
                guard answer.count <= Self.answerSizeMax else { throw SystemError("recv", errno: EMSGSIZE, path: path) }
            } else if got == 0 {
                return answer
            } else if errno != EINTR {
                throw SystemError("recv", path: path)
            }
        }
    }

    /// Reads `HTTP/1.1 200 OK`, fields, an empty line, and a body of Content-Length bytes.
    static func answer(from bytes: [UInt8]) throws(StartError) -> ControlAnswer {
        let broken = StartError("The gateway's control socket gave an answer that is not understood.")
        let end = [Ascii.carriageReturn, Ascii.lineFeed, Ascii.carriageReturn, Ascii.lineFeed]
        var split: Int?
        for index in bytes.indices where bytes[index...].starts(with: end) {
            split = index
            break
        }
        guard let split else { throw broken }
        let lines = bytes[..<split].split(separator: Ascii.lineFeed)
        let words = lines.first?.split(separator: Ascii.space) ?? []
        guard words.count >= 2, words[0].starts(with: "HTTP/1.".utf8),
            let status = Ascii.decimal(words[1]).flatMap({ Int(exactly: $0) })
        else { throw broken }
        var length = 0
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: Ascii.colon),
                Ascii.equalIgnoringCase(line[..<colon], "content-length".utf8)
            else { continue }
            let digits = line[(colon + 1)...].filter(Ascii.isDigit)
            length = Ascii.decimal(digits).flatMap { Int(exactly: $0) } ?? 0
        }
        let body = [UInt8](bytes[(split + end.count)...])
        guard body.count == length else { throw broken }
        if body.isEmpty { return ControlAnswer(status: status, value: .null) }
        guard let value = JSONValue(parsing: body) else { throw broken }
        return ControlAnswer(status: status, value: value)
    }
}
