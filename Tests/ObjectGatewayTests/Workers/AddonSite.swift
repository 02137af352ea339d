import Bytes
import HTTPClient
import HTTPServer
import JSON
import TestSupport
import Testing
import Threads
import Worker

@testable import ObjectGateway

/// A whole gateway with a worker, and a server that plays an addon.
final class AddonSite: Sendable {
    let fixture: StoreFixture
    let gateway: RunningGateway
    let addon: ScriptedServer
    private let worker: Worker
    private let fetcher = Fetcher(pool: storePool)
    private static let accessKey = "ADDONSKEY00001"
    private static let secretKey = "addons+secret/0123456789abcdef="

    /// The addon `a` is that server; the hook's one step `s` calls it, with `step` beside. `settings` stand beside its URL.
    init(
        step: String = "", driver: String = "http", settings: String = "",
        answer: @escaping @Sendable (ScriptedServer.Request, Int) -> ScriptedServer.Answer?
    ) async throws {
        addon = try ScriptedServer(answer: answer)
        fixture = try StoreFixture()
        let authority = addon.authority
        gateway = try await fixture.start { configuration in
            configuration.rootAccessKey = Array(Self.accessKey.utf8)
            configuration.rootSecretKey = Array(Self.secretKey.utf8)
            configuration.workers.countMax = 0
            configuration.outbound = OutboundRules(allowed: [authority])
        }
        var settingsOfWorker = WorkerConfiguration(
            gateway: .socket(ControlCaller.socketPath(in: fixture.folder.path + "/d")), name: "w",
            folder: fixture.folder.path + "/work", mediaProgram: "/nonexistent")
        settingsOfWorker.claimWait = .milliseconds(500)
        worker = try Worker(settingsOfWorker, pool: storePool) { _ in }
        let worker = worker
        storePool.run { try? await worker.run() }
        try await ask(
            "PUT", "/api/addons/a",
            #"{"driver": "\#(driver)", "url": "\#(addon.url)", "secret": "s3cret"\#(settings)}"#)
        try await ask(
            "PUT", "/api/buckets/image-assets/hooks",
            #"{"probe": false, "hooks": [{"name": "h", "on": "object.created", "steps": {"s": {"addon": "a", "retry": {"attempts": 3, "backoff": {"kind": "constant", "base": "10ms"}}\#(step)}}}]}"#
        )
    }

    private static func url(_ addresses: [ListenAddress]) -> String {
        "http://\(addresses.first?.description ?? "")"
    }

    @discardableResult
    func send(_ method: String, url: String, _ body: String? = nil) async throws -> (status: Int, json: JSONValue?) {
        let headers = [
            (name: "content-type", value: "application/json"),
            (name: "x-api-key", value: "\(Self.accessKey):\(Self.secretKey)"),
        ]
        let response = try await fetcher.fetch(
            FetchRequest(method, url: url, headers: headers, body: body.map { Array($0.utf8) }))
        return (response.status, JSONValue(parsing: response.body))
    }

    @discardableResult
    func ask(_ method: String, _ path: String, _ body: String? = nil) async throws -> JSONValue {
        let answer = try await send(method, url: Self.url(gateway.servicesAddresses) + path, body)
        try #require(answer.status == 200, "\(method) \(path): \(answer)")
        return answer.json ?? .null
    }

    func get(_ url: String) async throws -> [UInt8] {
        let response = try await fetcher.fetch(FetchRequest(url: url))
        try #require(response.status == 200, "\(url): \(String(decoding: response.body, as: UTF8.self))")
        return response.body
    }

    func put(_ key: String, _ content: String, bucket: String = "image-assets") async throws {
        let url = try presigned("PUT", key, bucket)
        let response = try await fetcher.fetch(
            FetchRequest(
                "PUT", url: url, headers: [(name: "content-type", value: "image/png")], body: Array(content.utf8)))
        try #require(response.status == 200)
    }

    func object(_ key: String, bucket: String = "derived-assets") async throws -> String {
        String(decoding: try await get(try presigned("GET", key, bucket)), as: UTF8.self)
    }

    private func presigned(_ method: String, _ key: String, _ bucket: String) throws -> String {
        let presigner = try #require(
            Presigner(
                endpoint: Self.url(gateway.s3Addresses), accessKey: Array(Self.accessKey.utf8),
                secret: Array(Self.secretKey.utf8), region: "us-east-1"))
        return try #require(
            presigner.url(method: method, bucket: bucket, key: Array(key.utf8), expires: .seconds(60), at: .now()))
    }

    /// The run that the key's object set off, once `isSo` of it.
    func run(of key: String, until isSo: (JSONValue) -> Bool) async throws -> JSONValue {
        let deadline = ContinuousClock.now + .seconds(60)
        var last: JSONValue?
        while ContinuousClock.now < deadline {
            last = try await ask("GET", "/api/jobs?bucket=image-assets&key=\(key)")["jobs"]?.array?.first
            if let last, isSo(last) { return last }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw TestSupportError("the run of \(key) is \(String(describing: last))")
    }

    func ended(_ key: String) async throws -> JSONValue {
        try await run(of: key) { $0["state"]?.string != "running" }
    }

    /// What the addon was sent as its payload, once it was.
    func payload(_ number: Int = 0) async throws -> JSONValue {
        while addon.requests.count <= number { try await Task.sleep(for: .milliseconds(5)) }
        return try #require(JSONValue(parsing: addon.requests[number].body))
    }

    func close() async {
        await worker.stop(within: .seconds(5))
        await gateway.stop()
        addon.stop()
    }
}
