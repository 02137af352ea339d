import Glibc

/// Whether somebody accepts connections on a port of 127.0.0.1.
public func accepts(_ port: UInt16) -> Bool {
    let connection = connectToLoopback(port)
    guard connection >= 0 else { return false }
    close(connection)
    return true
}

/// A connected descriptor, or -1.
func connectToLoopback(_ port: UInt16) -> Int32 {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = port.bigEndian
    // SAFETY: the address is lent for the call, and its size is given.
    let isConnected = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    if isConnected { return connection }
    close(connection)
    return -1
}
