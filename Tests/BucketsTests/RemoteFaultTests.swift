import HTTPClient
import Metadata
import TestSupport
import Testing
import Threads

@testable import Buckets

/// An engine behind a connection that fails, and one that is killed.
@Suite(.runningEngine, .serialized) struct RemoteFaultTests {
    private struct Scene {
        let proxy: FaultyProxy
        let fixture: Fixture

        init(_ change: (inout RemoteBlobsConfiguration) -> Void = { _ in }) throws {
            proxy = try FaultyProxy(target: try Engine.current.port)
            var configuration = try Engine.configuration(port: proxy.port)
            configuration.idleTimeout = .seconds(1)
            change(&configuration)
            fixture = try Fixture(engine: configuration)
        }
    }

    private func expectUnavailable(_ body: () async throws -> Void) async {
        await #expect {
            try await body()
        } throws: { error in
            if case .unavailable? = error as? BucketsError { true } else { false }
        }
    }

    @Test func `an engine that is away is said to be so, and nothing is left`() async throws {
        let scene = try Scene { $0.attemptsMax = 2 }
        defer { scene.proxy.stop() }
        let version = try await scene.fixture.put(pattern(300_000))
        scene.proxy.fail(with: .refuse)
        // Connections that are kept would still be there.
        let other = try Fixture(folder: scene.fixture.folder, engine: try #require(scene.fixture.remote).remote)
        try await know(version, from: scene.fixture, in: other)
        for size in [1000, 12 << 20] {
            await expectUnavailable {
                _ = try await other.objects.stage(source(pattern(size)), digests: [], sizeMax: .max)
            }
        }
        await expectUnavailable { _ = try await other.objects.open(version, in: other.bucket, range: nil) }
        scene.proxy.heal()
        #expect(try await scene.fixture.read(version) == pattern(300_000))
        try await scene.fixture.untilKept(1)
    }

    @Test(arguments: [FaultyProxy.Fault.cut(.down, after: 1_500_000), .stall(.down, after: 1_500_000)])
    func `a download that breaks off goes on where it was`(_ fault: FaultyProxy.Fault) async throws {
        let scene = try Scene()
        defer { scene.proxy.stop() }
        let content = pattern(7 << 20)
        let version = try await scene.fixture.put(content)
        let other = try await reader(of: scene, version)
        scene.proxy.fail(3, with: fault)
        #expect(try await other.read(version) == content)
        #expect(scene.proxy.met > 0)
        #expect(other.objects.damage.count == 0)
    }

    /// A second process over the same blobs, whose connections are all new.
    private func reader(of scene: Scene, _ version: ObjectVersion) async throws -> Fixture {
        let other = try Fixture(engine: try #require(scene.fixture.remote).remote)
        try await know(version, from: scene.fixture, in: other)
        return other
    }

    private func know(_ version: ObjectVersion, from fixture: Fixture, in other: Fixture) async throws {
        let stored = try #require(try await fixture.metadata.blob(fixture.blob(of: version)))
        other.metadata.state.withLock { $0.blobs[stored.id] = stored }
    }

    @Test func `a download that cannot be finished ends with an error, behind right bytes`() async throws {
        let scene = try Scene { $0.attemptsMax = 3 }
        defer { scene.proxy.stop() }
        let content = pattern(6 << 20)
        let version = try await scene.fixture.put(content)
        let other = try await reader(of: scene, version)
        scene.proxy.fail(1, with: .cut(.down, after: 3 << 20))
        let opened = try await other.objects.open(version, in: other.bucket, range: nil)
        scene.proxy.fail(with: .refuse)
        var passed: [UInt8] = []
        await expectUnavailable { try await opened.forEach { passed += try $0.read() } }
        #expect(!passed.isEmpty && passed.count < content.count && content.starts(with: passed))
    }

    @Test(arguments: [400_000, 3 << 20]) func `bytes that the way spoils are asked for again`(size: Int) async throws {
        let scene = try Scene()
        defer { scene.proxy.stop() }
        let version = try await scene.fixture.put(pattern(size))
        let other = try await reader(of: scene, version)
        scene.proxy.fail(1, with: .flip(.down, at: 200_000))
        #expect(try await other.read(version) == pattern(size))
        #expect(scene.proxy.met == 1)
        #expect(other.objects.damage.count == 0)
    }

    @Test(arguments: [
        FaultyProxy.Fault.cut(.up, after: 2 << 20), .stall(.up, after: 2 << 20), .flip(.up, at: 3 << 20), .refuse,
    ])
    func `an upload whose connection fails goes up all the same`(_ fault: FaultyProxy.Fault) async throws {
        let scene = try Scene()
        defer { scene.proxy.stop() }
        let content = pattern(14 << 20)
        scene.proxy.fail(3, with: fault)
        let version = try await scene.fixture.put(content)
        #expect(scene.proxy.met > 0)
        #expect(try await scene.fixture.read(version) == content)
    }

    @Test func `an engine that asks for patience is asked again`() async throws {
        let scene = try Scene()
        defer { scene.proxy.stop() }
        let body = "<Error><Code>SlowDown</Code></Error>"
        let answer = "HTTP/1.1 503 Slow Down\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        scene.proxy.fail(2, with: .answer([UInt8](answer.utf8)))
        let version = try await scene.fixture.put(pattern(100_000))
        #expect(scene.proxy.met == 2)
        #expect(try await scene.fixture.read(version) == pattern(100_000))
    }

    @Test func `an engine that is killed in the middle of an upload or a download is used again when it is back`()
        async throws
    {
        let engine = try Engine.current
        var configuration = try Engine.configuration()
        configuration.attemptsMax = 3
        configuration.idleTimeout = .seconds(5)
        let fixture = try Fixture(engine: configuration)
        let content = pattern(20 << 20)
        let version = try await fixture.put(content, "before")
        let opened = try await fixture.objects.open(version, in: fixture.bucket, range: nil)
        let position = Lock(0)
        let dying = ByteSource { consume in
            let start = position.withLock { $0 }
            if start == 12 << 20 { try await engine.kill() }
            if start >= content.count { return false }
            let end = min(content.count, start + 65_536)
            try consume(content.span.extracting(start..<end))
            position.withLock { $0 = end }
            return true
        }
        await expectUnavailable { _ = try await fixture.objects.stage(dying, digests: [], sizeMax: .max) }
        var passed: [UInt8] = []
        await expectUnavailable { try await opened.forEach { passed += try $0.read() } }
        #expect(passed.count < content.count && content.starts(with: passed))
        try await engine.run()
        #expect(try await fixture.read(version) == content)
        let after = try await fixture.put(content, "after")
        #expect(try await fixture.read(after) == content)
    }

    @Test func `what is wrong with an engine is said when its place is claimed`() async throws {
        let id = [UInt8](repeating: 1, count: 16)
        func claim(
            _ place: RemoteBlobsConfiguration, storeID: [UInt8],
            _ change: (inout RemoteBlobsConfiguration) -> Void = { _ in }
        ) async throws -> RemoteBlobs.ClaimError? {
            var configuration = place
            change(&configuration)
            configuration.attemptsMax = 1
            let ids = BlobIDRanges { _ in 1..<2 }
            let blobs = RemoteBlobs(
                configuration, ids: .ranges(ids), storeID: storeID, session: try HTTPSession.start(), pool: Fixture.pool
            )
            do throws(RemoteBlobs.ClaimError) {
                try await blobs.claim()
                return nil
            } catch {
                return error
            }
        }
        let place = try Engine.configuration()
        #expect(try await claim(place, storeID: id) == nil)
        #expect(try await claim(place, storeID: id) == nil)
        #expect(
            try await claim(place, storeID: [UInt8](repeating: 2, count: 16))
                == .otherStore("01010101010101010101010101010101"))
        let nobodys = try await claim(place, storeID: id) { $0.address.bucket = "nobodys" }
        #expect(nobodys == .noSuchBucket)
        let wrong = try await claim(place, storeID: id) { $0.secretKey = [0x78] }
        #expect(wrong == .credentials("the engine answered 403 SignatureDoesNotMatch"))
        let port = try freeLoopbackPort()
        let away = try await claim(place, storeID: id) { $0.address.host = "127.0.0.1:\(port)" }
        guard case .unavailable = away else {
            Issue.record("\(String(describing: away))")
            return
        }
    }
}
