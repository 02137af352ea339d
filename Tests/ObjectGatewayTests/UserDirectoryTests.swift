import Bytes
import Glibc
import JSON
import Metadata
import TestSupport
import Testing

@testable import ObjectGateway

private func key(_ text: String) -> ArraySlice<UInt8> { [UInt8](text.utf8)[...] }

@Suite struct UserDirectoryTests {
    private func withUsers(_ body: (UserDirectory, OpenStore) async throws -> Void) async throws {
        let fixture = try StoreFixture()
        let store = try await fixture.open()
        try await body(store.users, store)
        await store.close()
    }

    private func add(
        _ users: UserDirectory, _ name: String = "alice", accessKey: String? = "ALICE",
        secret: String? = "secret-of-alice"
    ) async throws -> KnownUser {
        try await users.add(
            name: name, accessKey: accessKey.map { [UInt8]($0.utf8) }, secret: secret.map { [UInt8]($0.utf8) },
            policy: .readonly, customer: "acme")
    }

    @Test func `a user is found by the access key, with the secret`() async throws {
        try await withUsers { users, _ in
            _ = try await add(users)
            let found = try #require(try await users.user(accessKey: key("ALICE")))
            #expect(found.name == "alice" && found.secret == [UInt8]("secret-of-alice".utf8))
            #expect(found.policy == .readonly && found.customer == "acme" && !found.isDisabled)
            #expect(try await users.user(accessKey: key("alice")) == nil)
        }
    }

    @Test func `every change is seen by the next look-up`() async throws {
        try await withUsers { users, _ in
            #expect(try await users.user(accessKey: key("ALICE")) == nil)
            _ = try await add(users)
            #expect(try await users.user(accessKey: key("ALICE")) != nil)
            _ = try await users.setDisabled(true, name: "alice")
            #expect(try await users.user(accessKey: key("ALICE"))?.isDisabled == true)
            _ = try await users.setDisabled(false, name: "alice")
            #expect(try await users.user(accessKey: key("ALICE"))?.isDisabled == false)
            let rotated = try await users.rotate(name: "alice", accessKey: nil, secret: nil)
            #expect(rotated.accessKey == [UInt8]("ALICE".utf8))
            #expect(try await users.user(accessKey: key("ALICE"))?.secret == rotated.secret)
            _ = try await users.rotate(name: "alice", accessKey: [UInt8]("NEW".utf8), secret: nil)
            #expect(try await users.user(accessKey: key("ALICE")) == nil)
            #expect(try await users.user(accessKey: key("NEW"))?.name == "alice")
        }
    }

    @Test func `changes of another gateway are seen`() async throws {
        try await withUsers { users, store in
            let secrets = try SecretBox.open(folder: store.configuration.data, mayCreate: false)
            let other = UserDirectory(metadata: store.metadata, secrets: secrets, freshFor: .milliseconds(10))
            func waitUntil(_ what: String, _ isSo: (KnownUser?) -> Bool) async throws {
                let deadline = ContinuousClock.now + .seconds(60)
                while try await !isSo(other.user(accessKey: key("ALICE"))) {
                    guard ContinuousClock.now < deadline else {
                        Issue.record("waited in vain until \(what)")
                        return
                    }
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            #expect(try await other.user(accessKey: key("ALICE")) == nil)
            _ = try await add(users)
            try await waitUntil("alice is there") { $0?.name == "alice" }
            _ = try await users.setDisabled(true, name: "alice")
            try await waitUntil("alice is disabled") { $0?.isDisabled == true }
        }
    }

    @Test func `more users than the cache holds are all found`() async throws {
        try await withUsers { users, store in
            for number in 0..<7 {
                _ = try await add(users, "user\(number)", accessKey: "KEY\(number)", secret: "secret-\(number)-long")
            }
            let secrets = try SecretBox.open(folder: store.configuration.data, mayCreate: false)
            let small = UserDirectory(metadata: store.metadata, secrets: secrets, sizeMax: 3)
            for _ in 0..<2 {
                for number in 0..<7 {
                    #expect(try await small.user(accessKey: key("KEY\(number)"))?.name == "user\(number)")
                }
                #expect(try await small.user(accessKey: key("KEY7")) == nil)
            }
        }
    }

    @Test func `generated keys have their lengths and are never the same`() async throws {
        try await withUsers { users, _ in
            let a = try await add(users, "a", accessKey: nil, secret: nil)
            let b = try await add(users, "b", accessKey: nil, secret: nil)
            #expect(a.accessKey.count == 20 && a.secret.count == 40)
            #expect(a.accessKey != b.accessKey && a.secret != b.secret)
        }
    }

    @Test(arguments: [
        ("", "ALICE", "long-enough", "name"), ("a b", "ALICE", "long-enough", "name"),
        (String(repeating: "x", count: 65), "ALICE", "long-enough", "name"),
        ("alice", "AL", "long-enough", "access_key"), ("alice", "A/B", "long-enough", "access_key"),
        ("alice", "A,B", "long-enough", "access_key"), ("alice", "ALICE", "short", "secret_key"),
        ("alice", "ALICE", "with space", "secret_key"), ("alice", "ALICE", "line\nbreak", "secret_key"),
    ])
    func `a name or key of the wrong form is refused by its field`(
        name: String, accessKey: String, secret: String, field: String
    ) async throws {
        try await withUsers { users, _ in
            do {
                _ = try await add(users, name, accessKey: accessKey, secret: secret)
                Issue.record("accepted")
            } catch UserError.invalid(let refused, _) {
                #expect(refused == field)
            }
            #expect(try await users.users().isEmpty)
        }
    }

    @Test func `a name or an access key that is taken is refused`() async throws {
        try await withUsers { users, _ in
            _ = try await add(users)
            await #expect(throws: UserError.store(.userExists)) { try await add(users, accessKey: "OTHER") }
            await #expect(throws: UserError.store(.accessKeyExists)) { try await add(users, "bob") }
            await #expect(throws: UserError.store(.noSuchUser)) { try await users.setDisabled(true, name: "bob") }
        }
    }

    @Test func `no file of the store holds a secret, and no description shows one`() async throws {
        let fixture = try StoreFixture()
        let store = try await fixture.open()
        let user = try await add(store.users)
        await store.close()
        for name in ["meta/main.db", "meta/main.db-wal", "FORMAT"] {
            let path = store.configuration.data + "/" + name
            guard unsafe access(path, F_OK) == 0 else { continue }
            #expect(!String(ascii: try TemporaryFolder.read(path)).contains("secret-of-alice"), "\(name)")
        }
        var dumped = ""
        dump(user, to: &dumped)
        #expect(!"\(user) \(String(reflecting: user)) \(dumped)".contains("secret-of-alice"))
    }

    @Test func `one sealed secret that was tampered with fails its own user only`() async throws {
        try await withUsers { users, store in
            _ = try await add(users)
            _ = try await add(users, "bob", accessKey: "BOB", secret: "secret-of-bob")
            let rows = try await store.metadata.users()
            var bob = try #require(rows.first { $0.name == "bob" })
            let alice = try #require(rows.first { $0.name == "alice" })
            bob.sealedSecret = alice.sealedSecret
            try await store.metadata.updateUser(bob)
            let secrets = try SecretBox.open(folder: store.configuration.data, mayCreate: false)
            let fresh = UserDirectory(metadata: store.metadata, secrets: secrets)
            #expect(try await fresh.user(accessKey: key("ALICE"))?.name == "alice")
            await #expect(throws: MetadataError.self) { try await fresh.user(accessKey: key("BOB")) }
        }
    }
}

@Suite struct SecretBoxTests {
    @Test func `the key file is made once, for its owner alone`() throws {
        let folder = try TemporaryFolder()
        let first = try SecretBox.open(folder: folder.path, mayCreate: true)
        let again = try SecretBox.open(folder: folder.path, mayCreate: true)
        let sealed = try #require(first.seal([1, 2, 3], accessKey: [9]))
        #expect(again.open(sealed, accessKey: [9]) == [1, 2, 3])
        #expect(again.open(sealed, accessKey: [8]) == nil)
        var status = stat()
        #expect(unsafe stat(folder.file(SecretBox.fileName), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600 && status.st_size == 32)
    }

    @Test func `a key that is missing, damaged or open to others is refused with its path`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file(SecretBox.fileName)
        #expect(throws: SecretBoxError.missing(path: path)) {
            try SecretBox.open(folder: folder.path, mayCreate: false)
        }
        _ = try folder.write(SecretBox.fileName, [UInt8](repeating: 1, count: 31))
        unsafe chmod(path, 0o600)
        #expect(throws: SecretBoxError.damaged(path: path)) { try SecretBox.open(folder: folder.path, mayCreate: true) }
        _ = try folder.write(SecretBox.fileName, [UInt8](repeating: 1, count: 32))
        unsafe chmod(path, 0o640)
        #expect(throws: SecretBoxError.exposed(path: path)) { try SecretBox.open(folder: folder.path, mayCreate: true) }
    }

    @Test func `no new key is made beside users whose secrets the old one sealed`() async throws {
        let fixture = try StoreFixture()
        let store = try await fixture.open()
        _ = try await store.users.add(name: "a", accessKey: nil, secret: nil, policy: .admin, customer: nil)
        await store.close()
        let path = store.configuration.data + "/" + SecretBox.fileName
        #expect(unsafe unlink(path) == 0)
        await #expect(throws: StartError.self) { try await fixture.open() }
        #expect(unsafe access(path, F_OK) != 0)
    }
}
