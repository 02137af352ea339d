import JSON
import TestSupport
import Testing

@testable import HTTPServer
@testable import ObjectGateway

@Suite struct ListenersTests {
    /// The S3 port can be listened on by a server that shares it with nobody, and the folder be opened.
    private func expectAllFree(_ port: UInt16, _ fixture: StoreFixture) async throws {
        let gateway = try await fixture.start { $0.s3Listen = [.tcp(host: "127.0.0.1", port: port)] }
        #expect(gateway.s3Addresses == [.tcp(host: "127.0.0.1", port: port)])
        await gateway.stop()
    }

    @Test func `nothing is left open where the services port is taken`() async throws {
        let fixture = try StoreFixture()
        let other = try LoopbackServer(response: nil)
        defer { other.stop() }
        let port = try freeLoopbackPort()
        do {
            try await fixture.start {
                $0.s3Listen = [.tcp(host: "127.0.0.1", port: port)]
                $0.servicesListen = [.tcp(host: "127.0.0.1", port: other.port)]
            }.stop()
            Issue.record("started")
        } catch {
            #expect("\(error)".hasPrefix("OGW_SERVICES_LISTEN is \"127.0.0.1:\(other.port)\": wanted "), "\(error)")
        }
        #expect(!accepts(port))
        try await expectAllFree(port, fixture)
    }

    @Test func `nothing is left open where the control socket cannot have its name`() async throws {
        let fixture = try StoreFixture()
        let (s3, services) = (try freeLoopbackPort(), try freeLoopbackPort())
        do {
            try await fixture.start {
                $0.data += String(repeating: "d", count: 100)
                $0.s3Listen = [.tcp(host: "127.0.0.1", port: s3)]
                $0.servicesListen = [.tcp(host: "127.0.0.1", port: services)]
            }.stop()
            Issue.record("started")
        } catch {
            #expect("\(error)".hasPrefix("OGW_DATA is "), "\(error)")
        }
        #expect(!accepts(s3) && !accepts(services))
    }
}
