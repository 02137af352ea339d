import Glibc
import Threads

/// A server on a port of 127.0.0.1 that answers one connection after another, each once, then closes it.
public final class LoopbackServer: Sendable {
    public let port: UInt16
    private let listener: Int32
    private let log: Lock<[[UInt8]]> = Lock([])

    /// What each connection sent, up to the end of its request.
    public var requests: [[UInt8]] { log.withLock { $0 } }
    public var url: String { "http://127.0.0.1:\(port)" }

    /// `response` goes out as it is. Nil answers nothing and keeps the connection open until `stop`.
    public convenience init(response: [UInt8]?) throws { try self.init { _ in response } }

    /// Of any port where `port` is 0. `answer` is given what the connection sent.
    public init(port wanted: UInt16 = 0, answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) throws {
        (listener, port) = try listenOnLoopback(port: wanted)
        let listener = listener
        let log = log
        startThread {
            var held: [Int32] = []
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { break }
                let request = readRequest(connection)
                log.withLock { $0.append(request) }
                guard let response = answer(request) else {
                    held.append(connection)
                    continue
                }
                _ = unsafe send(connection, response, response.count, Int32(MSG_NOSIGNAL))
                shutdown(connection, Int32(SHUT_WR))
                close(connection)
            }
            held.forEach { close($0) }
            close(listener)
        }
    }

    /// Ends the server's thread, which closes what it holds.
    public func stop() { shutdown(listener, Int32(SHUT_RDWR)) }
}

/// A port of 127.0.0.1 that nobody listens on at the moment; no call gets one that another got before. It lies below those that
/// the kernel gives to outgoing connections, any of which could take it before the server that it is for.
public func freeLoopbackPort() throws -> UInt16 {
    for _ in 0..<1000 {
        let port = UInt16.random(in: 10_240..<32_768)
        guard handedOut.withLock({ $0.insert(port).inserted }) else { continue }
        guard let (listener, _) = try? listenOnLoopback(port: port) else { continue }
        close(listener)
        return port
    }
    throw TestSupportError("no free port on 127.0.0.1")
}

private let handedOut = Lock<Set<UInt16>>([])

/// Runs `body` on a thread of its own, so that a test that waits holds up no other.
public func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    // SAFETY: the box is retained here and released by the thread that takes it.
    let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
    unsafe pthread_create(
        &thread, nil,
        { context in
            if let context = unsafe context {
                unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            }
            return nil
        }, box)
    pthread_detach(thread)
}

/// Port 0 stands for any.
func listenOnLoopback(port: UInt16 = 0) throws -> (descriptor: Int32, port: UInt16) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw TestSupportError("no socket: errno \(errno)") }
    // A server that comes back finds connections of its former self, which are over.
    var isReused: Int32 = 1
    // SAFETY: the number is lent for the call, with its size.
    _ = unsafe setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // SAFETY: both calls read or fill the address within the closure, `length` bytes at most.
    let failed = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe bind(listener, generic, length) != 0 || listen(listener, 64) != 0
                || getsockname(listener, generic, &length) != 0
        }
    }
    guard !failed else {
        let reason = errno
        close(listener)
        throw TestSupportError("cannot listen on 127.0.0.1: errno \(reason)")
    }
    return (listener, UInt16(bigEndian: address.sin_port))
}

/// Reads a head and as many bytes as its Content-Length says.
private func readRequest(_ connection: Int32) -> [UInt8] {
    var request: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
        let text = String(decoding: request, as: UTF8.self)
        if let end = text.range(ofHeadEnd: ()) {
            let length = text.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
                .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) }
            if request.count - end >= length ?? 0 { return request }
        }
        let got = unsafe recv(connection, &piece, piece.count, 0)
        if got <= 0 { return request }
        request += piece[..<got]
    }
}

extension String {
    /// The number of bytes up to and including the blank line.
    fileprivate func range(ofHeadEnd: Void) -> Int? {
        let bytes = Array(utf8)
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= end.count else { return nil }
        return (0...(bytes.count - end.count)).first { bytes[$0..<($0 + end.count)].elementsEqual(end) }
            .map { $0 + end.count }
    }
}
