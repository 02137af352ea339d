import Bytes
import Glibc
import Metadata
import TestMongo
import TestSupport
import Testing
import Threads

@testable import ObjectGateway

@Suite struct WorkerTokensTests {
    @Test func `tokens in a database are those of all its gateways`() async throws {
        let database = "tokens-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let configuration = MongoStoreConfiguration(uri: try MongoServer.shared.uri(database: database))
        let pool = Pool()
        let store = try await MongoStore.open(configuration, pool: pool)
        let (one, two) = (WorkerTokens(store), WorkerTokens(try await MongoStore.open(configuration, pool: pool)))
        #expect(try one.entries().isEmpty && two.entries().isEmpty)
        let a = try one.add("a", at: now())
        // The other one read before.
        let b = try two.add("b", at: now())
        #expect(throws: Problem.self) { try two.add("a", at: now()) }
        #expect(try two.name(of: bytes(a)[...]) == "a")
        try two.remove("a")
        #expect(try two.name(of: bytes(a)[...]) == nil)
        let deadline = ContinuousClock.now + .seconds(30)
        while try one.name(of: bytes(a)[...]) != nil || one.name(of: bytes(b)[...]) != "b" {
            try #require(ContinuousClock.now < deadline, "the first one never hears of it")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test func `a token is known until it is removed, over restarts, and stands in no file`() throws {
        let folder = try TemporaryFolder()
        let tokens = try WorkerTokens(folder: folder.path)
        let (a, b) = (try tokens.add("a", at: now()), try tokens.add("b", at: now()))
        #expect(a != b && a.hasPrefix("ogwt_"))
        let again = try WorkerTokens(folder: folder.path)
        #expect(try again.name(of: bytes(a)[...]) == "a" && again.name(of: bytes(b)[...]) == "b")
        #expect(try again.name(of: bytes(a + "x")[...]) == nil && again.name(of: []) == nil)
        let path = folder.file(WorkerTokens.fileName)
        let text = String(decoding: try TemporaryFolder.read(path), as: UTF8.self)
        #expect(!text.contains(a) && !text.contains(String(a.dropFirst(5))) && text.contains("\"a\""))
        var status = stat()
        #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o077 == 0)
        try again.remove("a")
        #expect(try again.name(of: bytes(a)[...]) == nil)
        #expect(try WorkerTokens(folder: folder.path).entries().map(\.name) == ["b"])
    }

    @Test func `names are checked, and each is there once`() throws {
        let folder = try TemporaryFolder()
        let tokens = try WorkerTokens(folder: folder.path)
        _ = try tokens.add("a", at: now())
        #expect(throws: Problem.self) { try tokens.add("a", at: now()) }
        #expect(throws: Problem.self) { try tokens.add("no/name", at: now()) }
        #expect(throws: Problem.self) { try tokens.remove("b") }
    }

    @Test func `a file that is not what was written is said to be damaged`() throws {
        let folder = try TemporaryFolder()
        try folder.write(WorkerTokens.fileName, bytes(#"{"tokens": [{"name": "a"}]}"#))
        #expect(throws: StartError.self) { try WorkerTokens(folder: folder.path) }
    }
}
