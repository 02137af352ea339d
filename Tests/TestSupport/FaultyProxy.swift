import Glibc
import Threads

/// A TCP proxy on a free port of 127.0.0.1, before a real server on another, which fails as it is told.
public final class FaultyProxy: Sendable {
    public enum Fault: Sendable {
        /// Closes connections as soon as they are accepted.
        case refuse
        /// Closes both sides after so many bytes in this direction, counted for each connection.
        case cut(Direction, after: Int)
        /// Passes no more than so many bytes in this direction, and keeps the connection.
        case stall(Direction, after: Int)
        /// Inverts one bit of the byte at this place.
        case flip(Direction, at: Int)
        /// Answers each request head with these bytes and closes.
        case answer([UInt8])
    }

    public enum Direction: Sendable { case up, down }

    private struct State {
        var fault: Fault?
        /// Connections that the fault still meets.
        var left = 0
        var accepted = 0
        var met = 0
    }

    public let port: UInt16
    private let listener: Int32
    private let state = Lock(State())

    /// `target` is the port of the real server.
    public init(target: UInt16) throws {
        (listener, port) = try listenOnLoopback()
        startThread { [listener, state] in
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { break }
                let fault = state.withLock { state -> Fault? in
                    state.accepted += 1
                    guard state.left > 0 else { return nil }
                    state.left -= 1
                    state.met += 1
                    return state.fault
                }
                startThread { Self.serve(client, target, fault) }
            }
            close(listener)
        }
    }

    /// The next `count` connections meet `fault`.
    public func fail(_ count: Int = .max, with fault: Fault) {
        state.withLock { state in (state.fault, state.left) = (fault, count) }
    }

    /// Connections from now on are passed on as they are.
    public func heal() { state.withLock { $0.left = 0 } }

    /// Connections so far, and those that met a fault.
    public var accepted: Int { state.withLock { $0.accepted } }
    public var met: Int { state.withLock { $0.met } }

    public func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func serve(_ client: Int32, _ target: UInt16, _ fault: Fault?) {
        switch fault {
        case .refuse: reset(client)
        case .answer(let bytes):
            var piece = [UInt8](repeating: 0, count: 65_536)
            _ = unsafe recv(client, &piece, piece.count, 0)
            _ = unsafe send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            shutdown(client, Int32(SHUT_WR))
            while unsafe recv(client, &piece, piece.count, 0) > 0 {}
            close(client)
        default:
            let server = connectToLoopback(target)
            guard server >= 0 else { return reset(client) }
            let left = Lock(2)
            let ended: @Sendable () -> Void = {
                guard
                    left.withLock({ left in
                        left -= 1; return left
                    }) == 0
                else { return }
                close(client)
                close(server)
            }
            startThread {
                pump(from: client, to: server, .up, fault)
                ended()
            }
            pump(from: server, to: client, .down, fault)
            ended()
        }
    }

    private static func pump(from source: Int32, to target: Int32, _ direction: Direction, _ fault: Fault?) {
        var piece = [UInt8](repeating: 0, count: 65_536)
        var passed = 0
        while true {
            var got = unsafe recv(source, &piece, piece.count, 0)
            if got <= 0 { break }
            switch fault {
            case .cut(direction, let limit) where passed + got > limit,
                .stall(direction, let limit) where passed + got > limit:
                got = max(0, limit - passed)
                _ = unsafe send(target, piece, got, Int32(MSG_NOSIGNAL))
                if case .stall = fault {
                    // Until the other side gives up.
                    while unsafe recv(source, &piece, piece.count, Int32(MSG_PEEK)) > 0, isOpen(target) {
                        usleep(10_000)
                    }
                }
                shutdown(source, Int32(SHUT_RDWR))
                shutdown(target, Int32(SHUT_RDWR))
                return
            case .flip(direction, let place) where passed <= place && place < passed + got:
                piece[place - passed] ^= 1
            default: break
            }
            var sent = 0
            while sent < got {
                let count = unsafe piece.withUnsafeBytes { bytes in
                    // SAFETY: sent stays below got, which is at most the count of bytes.
                    unsafe send(target, bytes.baseAddress.map { unsafe $0 + sent }, got - sent, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { break }
                sent += count
            }
            if sent < got { break }
            passed += got
        }
        shutdown(source, Int32(SHUT_RD))
        shutdown(target, Int32(SHUT_WR))
    }

    private static func isOpen(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        let got = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return got > 0 || (got < 0 && errno == EAGAIN)
    }

    /// The peer sees a reset, not an end.
    private static func reset(_ descriptor: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        close(descriptor)
    }
}
