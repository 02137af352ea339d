import Bytes
import JSON
import TestSupport
import Threads

@testable import HTTPServer
@testable import ObjectGateway

/// The pool that the tests of stores share.
let storePool = Pool()

/// A data folder of its own, removed with the fixture, and what is opened on it.
final class StoreFixture: Sendable {
    let folder: TemporaryFolder
    let log = Log(level: .error)

    init() throws { folder = try TemporaryFolder() }

    /// Settings for this folder, with listeners that disturb nobody.
    func configuration(_ change: (inout GatewayConfiguration) -> Void = { _ in }) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.data = folder.path + "/d"
        configuration.s3Listen = [.tcp(host: "127.0.0.1", port: 0)]
        configuration.servicesListen = [.tcp(host: "127.0.0.1", port: 0)]
        configuration.diskFreeMin = 0
        configuration.stopTimeout = .seconds(2)
        change(&configuration)
        return configuration
    }

    func open() async throws -> OpenStore { try await OpenStore.open(configuration(), pool: storePool) }

    func start(_ change: (inout GatewayConfiguration) -> Void = { _ in }, log: Log? = nil) async throws
        -> RunningGateway
    {
        try await RunningGateway.start(configuration(change), pool: storePool, log: log ?? self.log)
    }
}

/// A request that no connection brought.
func plainRequest(
    _ method: String, _ target: String, body: String = "", length: UInt64? = nil,
    fields: [(String, String)] = [("host", "h")]
) throws -> Request {
    let content = [UInt8](body.utf8)
    let head = RequestHead.make(
        method: method, target: [UInt8](target.utf8),
        fields: fields.map { (name: [UInt8]($0.0.utf8), value: [UInt8]($0.1.utf8)) },
        body: .length(length ?? UInt64(content.count)))
    guard let head else { throw TestSupportError("\(method) \(target) is no request") }
    return Request(
        head: head, body: RequestBody(bytes: content),
        connection: ConnectionInfo(peerAddress: "127.0.0.1", peerPort: 50_000, isTLS: false),
        received: .now())
}

extension Response {
    /// The value of a field, by its lower-case name.
    func field(_ name: String) -> String? {
        String(ascii: headers.encoded).split(separator: "\r\n").first { $0.hasPrefix(name + ": ") }
            .map { String($0.dropFirst(name.count + 2)) }
    }

    var json: JSONValue? {
        if case .bytes(let bytes) = body { JSONValue(parsing: bytes) } else { nil }
    }
}
