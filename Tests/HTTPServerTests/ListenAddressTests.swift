import HTTPServer
import Testing

struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:9000", ListenAddress.tcp(host: "127.0.0.1", port: 9000)),
        ("[::1]:9000", .tcp(host: "::1", port: 9000)),
        (":9000", .tcp(host: "", port: 9000)),
        ("localhost:0", .tcp(host: "localhost", port: 0)),
        ("unix:/run/ogw.sock", .unix(path: "/run/ogw.sock")),
    ])
    func `an address is read and written back`(text: String, address: ListenAddress) {
        #expect(ListenAddress(text) == address)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", "9000", "host", "host:", "host:x", "host:65536", "host:-1", "::1:9000", "[::1]", "[]:1", "unix:",
    ])
    func `anything else is none`(text: String) { #expect(ListenAddress(text) == nil) }

    @Test func `a socket path that the kernel cannot hold is none`() {
        #expect(ListenAddress("unix:/" + String(repeating: "a", count: 106)) != nil)
        #expect(ListenAddress("unix:/" + String(repeating: "a", count: 107)) == nil)
    }
}
