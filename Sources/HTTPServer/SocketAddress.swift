internal import CLinux
import Files
import Glibc

/// Socket addresses in the kernel's form.
enum SocketAddress {
    /// Host and port as text and number; empty for unix sockets.
    static func numeric(_ storage: sockaddr_storage) -> (host: String, port: UInt16) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            return unsafe withUnsafePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                    var bytes = unsafe address.pointee.sin_addr
                    let host = unsafe text(AF_INET, &bytes)
                    return unsafe (host, UInt16(bigEndian: address.pointee.sin_port))
                }
            }
        case AF_INET6:
            return unsafe withUnsafePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                    var bytes = unsafe address.pointee.sin6_addr
                    let host = unsafe text(AF_INET6, &bytes)
                    return unsafe (host, UInt16(bigEndian: address.pointee.sin6_port))
                }
            }
        default: return ("", 0)
        }
    }

    private static func text(_ family: Int32, _ address: UnsafeRawPointer) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // SAFETY: the buffer has the size that is given, enough for every numeric address.
        guard unsafe inet_ntop(family, address, &buffer, socklen_t(buffer.count)) != nil else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Opens listening sockets for all addresses of a host. Names are resolved, which may block.
    static func listen(host: String, port: UInt16, backlog: Int32) throws(SystemError) -> [Int32] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &list)
        guard code == 0 else { throw SystemError("getaddrinfo", errno: code == EAI_SYSTEM ? nil : EADDRNOTAVAIL) }
        defer { unsafe freeaddrinfo(list) }
        var descriptors: [Int32] = []
        var failure: SystemError?
        var entry = unsafe list
        while let current = unsafe entry {
            do throws(SystemError) {
                descriptors.append(try unsafe listen(on: current.pointee, backlog: backlog))
            } catch {
                failure = error
            }
            // Port 0: one free port, not a different one per family.
            if port == 0, !descriptors.isEmpty { break }
            unsafe entry = current.pointee.ai_next
        }
        if let failure, descriptors.isEmpty || failure.errno == EADDRINUSE {
            for descriptor in descriptors { close(descriptor) }
            throw failure
        }
        return descriptors
    }

    private static func listen(on address: addrinfo, backlog: Int32) throws(SystemError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = unsafe socket(address.ai_family, type, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if unsafe address.ai_family == AF_INET6 { setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        guard unsafe bind(descriptor, address.ai_addr, address.ai_addrlen) == 0,
            Glibc.listen(descriptor, backlog) == 0
        else {
            let error = SystemError("bind")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// The path is short enough for sockaddr_un: `ListenAddress` saw to it.
    static func listen(path: String, backlog: Int32) throws(SystemError) -> Int32 {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        do throws(SystemError) {
            if try connects(path: path) { throw SystemError("bind", errno: EADDRINUSE, path: path) }
            _ = unsafe unlink(path)
            let bound = unsafe withAddress(path) { unsafe bind(descriptor, $0, $1) }
            guard bound == 0 else { throw SystemError("bind", path: path) }
            guard unsafe chmod(path, 0o600) == 0 else { throw SystemError("chmod", path: path) }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw SystemError("listen", path: path) }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Whether somebody listens at `path` already.
    private static func connects(path: String) throws(SystemError) -> Bool {
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { throw SystemError("socket") }
        defer { close(probe) }
        return unsafe withAddress(path) { unsafe connect(probe, $0, $1) } == 0
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { space in
            // SAFETY: stops one byte before the end, which stays NUL.
            for (index, byte) in path.utf8.prefix(space.count - 1).enumerated() { unsafe space[index] = byte }
        }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// The address that a listening socket got.
    static func bound(_ descriptor: Int32) -> (host: String, port: UInt16) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // SAFETY: the storage fits every family, and its size is given.
        let code = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        return code == 0 ? numeric(storage) : ("", 0)
    }
}
