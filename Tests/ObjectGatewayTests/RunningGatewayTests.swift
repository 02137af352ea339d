import Bytes
import Glibc
import HTTPServer
import JSON
import Metadata
import TestSupport
import Testing
import Threads

@testable import ObjectGateway

/// What a log wrote while `body` ran.
func loggedAsync(level: LogLevel = .info, _ body: (Log) async throws -> Void) async rethrows -> String {
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else { return "" }
    let log = Log(format: .json, level: level, descriptor: ends[1])
    try await body(log)
    log.drain()
    close(ends[1])
    defer { close(ends[0]) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let got = unsafe read(ends[0], &buffer, buffer.count)
        if got <= 0 { return String(ascii: text) }
        text += buffer.prefix(got)
    }
}

@Suite struct FirstStartTests {
    @Test func `the first start shows credentials that work, the second shows nothing`() async throws {
        let fixture = try StoreFixture()
        let gateway = try await fixture.start()
        let welcome = try #require(gateway.welcome)
        let port = try #require(gateway.s3Addresses.first).description
        #expect(welcome.contains("--endpoint-url http://\(port) "))
        await gateway.stop()
        let store = try await fixture.open()
        let root = try #require(try await store.users.user(named: "root"))
        #expect(root.policy == .admin)
        let secret = try store.users.secret(of: root)
        #expect(welcome.contains("export AWS_ACCESS_KEY_ID=\(String(ascii: root.accessKey))\n"))
        #expect(welcome.contains("export AWS_SECRET_ACCESS_KEY=\(String(ascii: secret))\n"))
        await store.close()
        let again = try await fixture.start()
        #expect(again.welcome == nil)
        await again.stop()
    }

    @Test func `the first start makes the buckets, and one removed stays removed`() async throws {
        let fixture = try StoreFixture()
        try await fixture.start().stop()
        var store = try await fixture.open()
        let buckets = try await store.metadata.buckets(after: nil, prefix: [], limit: 100)
        #expect(Set(buckets.map(\.name.description)) == Set(FirstStart.buckets))
        for bucket in buckets {
            let expected: VersioningState = bucket.name.description == "temp-uploads" ? .unversioned : .enabled
            #expect(bucket.versioning == expected && bucket.owner == "root")
        }
        try await store.metadata.deleteBucket(try #require(buckets.first).id)
        await store.close()
        try await fixture.start().stop()
        store = try await fixture.open()
        #expect(try await store.metadata.buckets(after: nil, prefix: [], limit: 100).count == buckets.count - 1)
        await store.close()
    }

    @Test func `a first start that was cut off is finished by the next`() async throws {
        let fixture = try StoreFixture()
        let store = try await fixture.open()
        let name = try #require(BucketName("audio-assets".utf8))
        _ = try await store.metadata.createBucket(named: name, owner: "root", at: .now())
        let root = try await FirstStart(store: store).run()
        #expect(root != nil)
        #expect(try await store.metadata.bucket(named: name)?.versioning == .enabled)
        await store.close()
    }

    @Test func `configured root keys are taken, shown to nobody, and change with the settings`() async throws {
        let fixture = try StoreFixture()
        for secret in ["first-secret", "second-secret"] {
            let gateway = try await fixture.start {
                $0.rootAccessKey = [UInt8]("ROOTKEY".utf8)
                $0.rootSecretKey = [UInt8](secret.utf8)
            }
            #expect(gateway.welcome == nil)
            await gateway.stop()
            let store = try await fixture.open()
            let root = try #require(try await store.users.user(accessKey: [UInt8]("ROOTKEY".utf8)[...]))
            #expect(root.name == "root" && root.secret == [UInt8](secret.utf8))
            await store.close()
        }
    }

    @Test func `the log of a first start and of added users holds no secret`() async throws {
        let fixture = try StoreFixture()
        var secrets: [String] = []
        let text = try await loggedAsync(level: .debug) { log in
            let gateway = try await fixture.start(log: log)
            let caller = try await ControlCaller.reach(fixture.configuration(), pool: storePool, log: log)
            let answer = try await caller.call("POST", "/users", ["name": "alice"])
            secrets.append(try #require(answer.value["secret_key"]?.string))
            await gateway.stop()
        }
        let store = try await fixture.open()
        for user in try await store.users.users() { secrets.append(String(ascii: try store.users.secret(of: user))) }
        await store.close()
        #expect(text.contains("listening") && text.contains("stopped"))
        for secret in secrets { #expect(!text.contains(secret)) }
    }
}

@Suite struct ControlCallerTests {
    /// The same calls, once through the socket of a running gateway and once on the opened folder.
    @Test(arguments: [true, false])
    func `users and buckets are changed alike through a running gateway and without one`(isRunning: Bool) async throws {
        let fixture = try StoreFixture()
        let gateway = try await fixture.start()
        if !isRunning { await gateway.stop() }
        let caller = try await ControlCaller.reach(fixture.configuration(), pool: storePool, log: fixture.log)
        let added = try await caller.call("POST", "/users", ["name": "a.b@c", "policy": "readonly"])
        #expect(added.status == 201 && added.value["secret_key"]?.string?.count == 40)
        #expect(try await caller.call("POST", "/users", ["name": "a.b@c"]).status == 409)
        let refused = try await caller.call("POST", "/users", ["name": "x", "policy": "boss"])
        #expect(refused.status == 422 && refused.value["errors"]?.array?.first?["field"]?.string == "policy")
        let path = "/users/" + ControlCaller.segment("a.b@c")
        #expect(try await caller.call("POST", path + "/disable").value["disabled"]?.bool == true)
        let rotated = try await caller.call("POST", path + "/rotate", ["new_access_key": .bool(true)])
        #expect(rotated.value["access_key"] != added.value["access_key"])
        let users = try await caller.call("GET", "/users")
        #expect(users.value["users"]?.array?.count == 2)
        #expect(!String(ascii: users.value.text).contains("secret"))
        #expect(try await caller.call("POST", "/users/root/disable").status == 409)
        #expect(try await caller.call("POST", "/users/nobody/disable").status == 404)

        #expect(try await caller.call("POST", "/buckets", ["name": "photos", "versioning": .bool(true)]).status == 201)
        #expect(try await caller.call("POST", "/buckets", ["name": "photos"]).status == 409)
        #expect(try await caller.call("POST", "/buckets", ["name": "UPPER"]).status == 422)
        #expect(try await caller.call("POST", "/buckets", ["name": "other", "owner": "nobody"]).status == 422)
        let buckets = try await caller.call("GET", "/buckets").value["buckets"]?.array ?? []
        #expect(buckets.first { $0["name"]?.string == "photos" }?["versioning"]?.string == "enabled")
        #expect(try await caller.call("DELETE", "/buckets/photos").status == 204)
        #expect(try await caller.call("DELETE", "/buckets/photos").status == 404)
        await caller.close()
        await gateway.stop()
    }

    @Test func `a folder without a store is not made into one`() async throws {
        let fixture = try StoreFixture()
        await #expect(throws: StartError.self) {
            try await ControlCaller.reach(fixture.configuration(), pool: storePool, log: fixture.log)
        }
        #expect(unsafe access(fixture.configuration().data, F_OK) != 0)
    }

    @Test func `a command waits for a gateway that has its folder, and not yet its socket`() async throws {
        let fixture = try StoreFixture()
        try await fixture.start().stop()
        // As a gateway that recovers what is stored has it.
        let starting = try await fixture.open()
        let folder = fixture.configuration().data
        let isReached = Lock(false)
        storePool.run {
            let caller = try? await ControlCaller.reach(fixture.configuration(), pool: storePool, log: fixture.log)
            let answer = try? await caller?.call("GET", "/users")
            isReached.withLock { $0 = answer?.isSuccess == true }
            await caller?.close()
        }
        try await Task.sleep(for: .milliseconds(500))
        #expect(!isReached.withLock { $0 } && OpenStore.exists(in: folder))
        await starting.close()
        let deadline = ContinuousClock.now + .seconds(30)
        while !isReached.withLock({ $0 }), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(isReached.withLock { $0 })
    }

    @Test func `a store in use cannot be started twice`() async throws {
        let fixture = try StoreFixture()
        let gateway = try await fixture.start()
        await #expect(throws: StartError.self) { try await fixture.start() }
        await gateway.stop()
        try await fixture.start().stop()
    }

    @Test func `the socket is for its owner alone, and goes with the gateway`() async throws {
        let fixture = try StoreFixture()
        let gateway = try await fixture.start()
        let path = ControlSocket.path(in: fixture.configuration().data)
        var status = stat()
        #expect(unsafe stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        await gateway.stop()
        #expect(unsafe access(path, F_OK) != 0)
    }

    @Test func `an address in use is an error that names the setting, and leaves the store closed`() async throws {
        let fixture = try StoreFixture()
        let first = try await fixture.start()
        let taken = try #require(first.s3Addresses.first)
        let other = try StoreFixture()
        do {
            _ = try await other.start { $0.s3Listen = [taken] }
            Issue.record("started")
        } catch {
            #expect("\(error)".contains("OGW_S3_LISTEN is \"\(taken)\""))
        }
        try await other.open().close()
        await first.stop()
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{}", "nonsense\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{",
    ])
    func `an answer that is cut or strange is an error`(text: String) {
        #expect(throws: StartError.self) { try ControlClient.answer(from: [UInt8](text.utf8)) }
    }
}

@Suite struct PresignerTests {
    private func make(_ endpoint: String) -> Presigner? {
        Presigner(endpoint: endpoint, accessKey: [0x41, 0x4B], secret: [0x53], region: "us-east-1")
    }

    @Test func `the URL names bucket and key encoded once, and carries a signature`() throws {
        let presigner = try #require(make("https://s3.example.com:443/base/"))
        let url = presigner.url(
            method: "GET", bucket: "b", key: [UInt8]("a b/ü+".utf8), versionID: "null", expires: .seconds(60),
            at: Timestamp(seconds: 1_369_353_600))
        #expect(url?.hasPrefix("https://s3.example.com/base/b/a%20b/%C3%BC%2B?versionId=null&X-Amz-Algorithm=") == true)
        #expect(url?.contains("X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&") == true)
        #expect(url?.contains("&X-Amz-Signature=") == true)
    }

    @Test func `times outside a second to seven days, and endpoints that are no URL, are refused`() throws {
        let presigner = try #require(make("http://h:9000"))
        for seconds in [0, -1, 604_801] {
            #expect(presigner.url(method: "GET", bucket: "b", key: [0x6B], expires: .seconds(seconds)) == nil)
        }
        for endpoint in ["", "h:9000", "ftp://h", "http://", "http:/h"] { #expect(make(endpoint) == nil) }
    }
}
