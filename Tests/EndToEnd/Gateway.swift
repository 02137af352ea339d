import Glibc
import TestMongo
import TestSupport
import Testing

/// A built `ogw` that runs on free ports of 127.0.0.1 with a data folder of its own.
///
/// `OGW_TEST_BINARY` names the program; without it the one beside this test bundle is taken. `OGW_TEST_ENDPOINT` names a
/// server that runs already, with the keys below, and starts none: so these tests can be tried on another S3 server.
/// `OGW_TEST_METADATA=mongodb` keeps the gateway's metadata in a real MongoDB.
final class Gateway: Sendable {
    @TaskLocal static var scoped: Gateway?

    /// The gateway of the suite that the calling test belongs to.
    static var current: Gateway {
        get throws {
            guard let scoped else { throw TestSupportError("no gateway runs for this test") }
            return scoped
        }
    }

    let accessKey = "ENDTOENDKEY0001"
    let secretKey = "end-to-end+secret/0123456789abcdef="
    let region = "us-east-1"
    /// Scheme, host and port, without a trailing slash.
    let endpoint: String
    /// Host and port of the services listener; nil where it is not ours.
    let services: String?
    /// PEM file of the self-signed certificate; nil without TLS.
    let certificate: String?
    private let folder: TemporaryFolder
    var data: String { folder.file("data") }
    private let child: ChildProcess?
    /// Where its blobs lie; nil for its own folder.
    let engine: SeaweedFS?

    /// Host and port.
    var authority: String { String(endpoint.drop { $0 != "/" }.drop { $0 == "/" }) }
    var port: String { String(authority.split(separator: ":").last ?? "") }

    private init(
        endpoint: String, services: String?, certificate: String?, folder: TemporaryFolder, child: ChildProcess?,
        engine: SeaweedFS? = nil
    ) {
        self.endpoint = endpoint
        self.services = services
        self.certificate = certificate
        self.folder = folder
        self.child = child
        self.engine = engine
    }

    /// With its blobs in its own folder, or on `engine`, which ends with it. `settings` go before the usual ones.
    static func start(
        overTLS: Bool = false, engine: SeaweedFS? = nil, settings more: [String: String] = [:],
        overMongoDB: Bool = variable("OGW_TEST_METADATA") == "mongodb"
    ) async throws -> Gateway {
        let folder = try TemporaryFolder()
        if let endpoint = variable("OGW_TEST_ENDPOINT") {
            return Gateway(endpoint: endpoint, services: nil, certificate: nil, folder: folder, child: nil)
        }
        let s3 = "127.0.0.1:\(try freeLoopbackPort())"
        let services = "127.0.0.1:\(try freeLoopbackPort())"
        let gateway = Gateway(
            endpoint: "\(overTLS ? "https" : "http")://\(s3)", services: services,
            certificate: overTLS ? folder.file("cert.pem") : nil, folder: folder, child: nil)
        var environment = [
            "OGW_DATA": folder.file("data"), "OGW_S3_LISTEN": s3, "OGW_SERVICES_LISTEN": services,
            "OGW_ROOT_ACCESS_KEY": gateway.accessKey, "OGW_ROOT_SECRET_KEY": gateway.secretKey,
            "OGW_ACCESS_LOG": "off", "HOME": folder.path,
        ]
        if engine == nil, overMongoDB { environment["OGW_METADATA"] = try newDatabase() }
        if let certificate = gateway.certificate {
            try await makeCertificate(certificate, key: folder.file("key.pem"), in: folder)
            environment["OGW_TLS_CERT"] = certificate
            environment["OGW_TLS_KEY"] = folder.file("key.pem")
        }
        if let engine { environment.merge(settings(for: engine)) { _, own in own } }
        environment.merge(more) { _, own in own }
        let child = try ChildProcess.start(
            [try binary(), "serve"], environment: environment, folder: folder.path, outputPath: folder.file("log"))
        try await waitUntilReady(services, child, overTLS: overTLS)
        return Gateway(
            endpoint: gateway.endpoint, services: services, certificate: gateway.certificate, folder: folder,
            child: child, engine: engine)
    }

    private static func newDatabase() throws -> String {
        try MongoServer.shared.uri(database: "end-to-end-" + String(UInt64.random(in: 0...UInt64.max), radix: 36))
    }

    /// Where `OGW_TEST_METADATA` wants metadata, for a gateway of a test's own.
    static func metadataSettings() throws -> [String: String] {
        variable("OGW_TEST_METADATA") == "mongodb" ? ["OGW_METADATA": try newDatabase()] : [:]
    }

    /// What has a place in the log elsewhere goes to the engine too, and garbage goes at once.
    static func settings(for engine: SeaweedFS) -> [String: String] {
        [
            "OGW_BLOBS": "s3://\(engine.bucket)/gateway?endpoint=\(engine.endpoint)",
            "OGW_BLOBS_ACCESS_KEY": engine.accessKey, "OGW_BLOBS_SECRET_KEY": engine.secretKey,
            "OGW_BLOBS_PART_SIZE": "5MiB", "OGW_BLOBS_GARBAGE_AFTER": "0", "OGW_INLINE_MAX": "1000",
        ]
    }

    /// Ends the gateway as a service manager does, and expects it to end well.
    func stop() async {
        guard let child else { return }
        child.signal(SIGTERM)
        do {
            let ending = try await child.wait(timeout: .seconds(60))
            #expect(ending.status == 0, "the gateway's exit status after SIGTERM; its log:\n\(ending.output)")
        } catch {
            Issue.record("the gateway did not stop: \(error)")
        }
        await engine?.stop()
    }

    /// What the gateway has logged so far.
    var log: String { child?.output ?? "" }

    /// The path of the program.
    static func binary() throws -> String {
        if let path = variable("OGW_TEST_BINARY") { return path }
        // The test bundle and the programs lie in one folder of .build.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        let folder = bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let path = "\(folder)/ogw"
        guard unsafe access(path, X_OK) == 0 else {
            throw TestSupportError("no program at \(path): build it by `make build`, or name one in OGW_TEST_BINARY")
        }
        return path
    }

    private static func makeCertificate(_ certificate: String, key: String, in folder: TemporaryFolder) async throws {
        let ending = try await ChildProcess.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                "-keyout", key, "-out", certificate,
            ], folder: folder.path)
        guard ending.status == 0 else { throw TestSupportError("openssl made no certificate:\n\(ending.output)") }
    }

    /// `services` is the host and port of its services listener.
    static func waitUntilReady(_ services: String, _ child: ChildProcess, overTLS: Bool) async throws {
        let scheme = overTLS ? "https" : "http"
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if let ending = child.poll() {
                throw TestSupportError("the gateway ended with status \(ending.status) at its start:\n\(ending.output)")
            }
            // Insecure for this one question: whether the certificate is right is a client's to find.
            let answer = try await ChildProcess.run(
                ["curl", "-ksf", "--max-time", "5", "-o", "/dev/null", "\(scheme)://\(services)/health/ready"],
                folder: "/")
            if answer.status == 0 { return }
            if overTLS {
                // The services listener may serve plain HTTP beside an S3 listener with TLS.
                let plain = try await ChildProcess.run(
                    ["curl", "-sf", "--max-time", "5", "-o", "/dev/null", "http://\(services)/health/ready"],
                    folder: "/")
                if plain.status == 0 { return }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        child.signal(SIGKILL)
        throw TestSupportError("the gateway was not ready within 60 s:\n\(child.output)")
    }
}
