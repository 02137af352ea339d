import Addons
import Bytes
import Hooks
import JSON
import Metadata
import Targets
import TestSupport
import Testing

@testable import ObjectGateway

@Suite struct StartFileTests {
    private func read(_ text: String) throws(SettingError) -> StartFile {
        try StartFile(text: [UInt8](text.utf8), path: "start.json")
    }

    private func message(_ text: String) -> String? {
        do { _ = try read(text) } catch { return "\(error)" }
        return nil
    }

    private func user(_ members: String) -> String {
        #"{"users": [{"name": "alice", "access_key": "ALICE", "secret_key": "secret-of-alice"\#(members)}]}"#
    }

    @Test func `members that are absent have their defaults`() throws {
        let file = try read(user(""))
        let alice = try #require(file.users.first)
        #expect(alice.name == "alice" && alice.policy == .readwrite && alice.customer == nil && !alice.isDisabled)
        #expect(file.buckets.isEmpty)
        let buckets = try read(#"{"buckets": [{"name": "one"}, {"name": "two", "versioning": "suspended"}]}"#).buckets
        #expect(buckets.map(\.name.description) == ["one", "two"])
        #expect(buckets.map(\.versioning) == [nil, .suspended])
        #expect(try read("{}").users.isEmpty)
    }

    @Test(arguments: [
        (
            #"{"bukets": []}"#,
            "start.json: bukets: wanted no such member, only those among users, buckets, addons, targets, sources."
        ),
        (#"{"buckets": [{"name": "one", "owner": "x"}]}"#, "start.json: buckets[0].owner: wanted no such member"),
        (#"{"buckets": [{"name": "A"}]}"#, #"start.json: buckets[0].name is "A": wanted a bucket name"#),
        (#"{"buckets": [{}]}"#, "start.json: buckets[0].name: wanted a bucket name"),
        (
            #"{"buckets": [{"name": "one"}, {"name": "one"}]}"#,
            #"start.json: buckets[1].name is "one": wanted one that"#
        ),
        (
            #"{"buckets": [{"name": "one", "versioning": "on"}]}"#,
            #"start.json: buckets[0].versioning is "on": wanted enabled, suspended or unversioned."#
        ),
        (#"{"buckets": {"name": "one"}}"#, "start.json: buckets: wanted a list of at most 100000 items."),
        (#"{"users": ["alice"]}"#, "start.json: users[0]: wanted an object with members among name, access_key"),
        (#"{"users": [{"name": "alice", "access_key": "ALICE"}]}"#, "start.json: users[0].secret_key: wanted 8 to 128"),
        ("[]", "start.json: wanted an object"), ("{", #"OGW_CONFIG is "start.json": wanted a file that holds JSON."#),
    ])
    func `an error names the member, the value and what was wanted`(text: String, expected: String) throws {
        let text = try #require(message(text))
        #expect(text.hasPrefix(expected) && text.hasSuffix("."), "\(text)")
    }

    @Test(arguments: [
        (#", "policy": "boss""#, #"policy is "boss": wanted readonly, readwrite, writeonly, admin."#),
        (#", "disabled": "yes""#, #"disabled is "yes": wanted true or false."#),
        (#", "disabled": 1"#, #"disabled is "1": wanted true or false."#),
        (#", "customer": "a b""#, #"customer is "a b": wanted 1 to 64"#),
        (#", "polcy": "admin""#, "polcy: wanted no such member"),
    ])
    func `a user's members are checked`(members: String, expected: String) throws {
        let text = try #require(message(user(members)))
        #expect(text.hasPrefix("start.json: users[0].\(expected)"), "\(text)")
    }

    @Test func `root is not in the file, and no message repeats a secret`() throws {
        let root = #"{"users": [{"name": "root", "access_key": "ROOT", "secret_key": "secret-of-root"}]}"#
        #expect(message(root)?.contains("OGW_ROOT_ACCESS_KEY") == true)
        for secret in [#""short""#, "[\"short\"]", #""with short space""#] {
            let text = #"{"users": [{"name": "alice", "access_key": "ALICE", "secret_key": \#(secret)}]}"#
            let said = try #require(message(text))
            #expect(said.contains("users[0].secret_key") && !said.contains("short"), "\(said)")
        }
    }

    @Test func `a file that cannot be read is named`() throws {
        let folder = try TemporaryFolder()
        for path in [folder.file("absent"), folder.path] {
            do {
                _ = try StartFile.read(path)
                Issue.record("read \(path)")
            } catch {
                #expect("\(error)".hasPrefix("OGW_CONFIG is \"\(path)\": wanted a readable file"))
            }
        }
    }
}

@Suite struct StartFileApplicationTests {
    private func file(_ text: String) throws -> StartFile {
        try StartFile(text: [UInt8](text.utf8), path: "start.json")
    }

    private func user(_ name: String, key: String, secret: String = "a-long-secret", more: String = "") -> String {
        #"{"name": "\#(name)", "access_key": "\#(key)", "secret_key": "\#(secret)"\#(more)}"#
    }

    private func name(_ text: String) throws -> BucketName { try #require(BucketName(text.utf8)) }

    private func withStore(_ body: (OpenStore) async throws -> Void) async throws {
        let fixture = try StoreFixture()
        let store = try await fixture.open()
        try await body(store)
        await store.close()
    }

    @Test func `users and buckets are made, and a second application writes nothing`() async throws {
        try await withStore { store in
            let text = """
                {"users": [\(user("alice", key: "ALICE", more: #", "policy": "readonly", "customer": "acme""#))],
                 "buckets": [{"name": "one", "versioning": "enabled", "assets": true}, {"name": "two"}]}
                """
            let application = StartFileApplication(file: try file(text), store: store)
            var changed = try await application.run()
            #expect(changed.users == 1 && changed.buckets == 2)
            let alice = try #require(try await store.users.user(named: "alice"))
            #expect(alice.policy == .readonly && alice.customer == "acme" && alice.accessKey == [UInt8]("ALICE".utf8))
            let one = try await store.metadata.bucket(named: try name("one"))
            #expect(one?.versioning == .enabled && one?.owner == "root" && one?.hasAssets == true)
            changed = try await application.run()
            #expect(changed.users == 0 && changed.buckets == 0)
            #expect(try await store.users.user(named: "alice") == alice)
        }
    }

    @Test func `targets are registered with their secrets, and a second application writes nothing`() async throws {
        try await withStore { store in
            let text = """
                {"targets": [{"name": "webhook:cms", "url": "https://cms.example/", "secret": "s3cret"}]}
                """
            let application = StartFileApplication(file: try file(text), store: store)
            #expect(try await application.run().targets == 1)
            let targets = store.targets
            let target = try #require(try await targets.all().first)
            #expect(target.name.description == "webhook:cms" && target.hasSecret)
            #expect(target.document == ["url": "https://cms.example/"])
            #expect(try await application.run().targets == 0)
        }
        for (target, place) in [
            (#"{"name": "pigeon:x", "url": "https://a.example/"}"#, "targets[0].name"),
            (#"{"name": "webhook:x", "url": "ftp://a.example/"}"#, "targets[0].url"),
            (#"{"name": "redis:x", "url": "redis://h"}"#, "targets[0].key"),
        ] {
            let fault = #expect(throws: SettingError.self) { try file(#"{"targets": [\#(target)]}"#) }
            #expect(fault.map { "\($0)".contains(place) } == true, "\(String(describing: fault))")
        }
    }

    @Test func `addons are registered with their secrets, and a second application writes nothing`() async throws {
        try await withStore { store in
            let text = #"{"addons": [{"name": "mesh", "driver": "fal", "secret": "s3cret"}]}"#
            let application = StartFileApplication(file: try file(text), store: store)
            #expect(try await application.run().addons == 1)
            let addon = try #require(try await store.addons.all().first)
            #expect(addon.name == "mesh" && addon.hasSecret && addon.document == ["driver": "fal"])
            #expect(try await application.run().addons == 0)
        }
        for (addon, place) in [
            (#"{"name": "a b", "driver": "fal"}"#, "addons[0].name"), (#"{"name": "x"}"#, "addons[0].driver"),
            (#"{"name": "x", "driver": "http", "url": "ftp://a.example/"}"#, "addons[0].url"),
        ] {
            let fault = #expect(throws: SettingError.self) { try file(#"{"addons": [\#(addon)]}"#) }
            #expect(fault.map { "\($0)".contains(place) } == true, "\(String(describing: fault))")
        }
    }

    @Test func `a user that exists is brought to what the file says`() async throws {
        try await withStore { store in
            let first = try file("{\"users\": [\(user("alice", key: "ALICE"))]}")
            _ = try await StartFileApplication(file: first, store: store).run()
            let created = try #require(try await store.users.user(named: "alice")).created
            let second = try file(
                "{\"users\": [\(user("alice", key: "OTHER", secret: "another-secret", more: #", "disabled": true"#))]}")
            let changed = try await StartFileApplication(file: second, store: store).run()
            #expect(changed.users == 1 && changed.buckets == 0)
            let alice = try #require(try await store.users.user(named: "alice"))
            #expect(alice.isDisabled && alice.accessKey == [UInt8]("OTHER".utf8) && alice.created == created)
            #expect(try store.users.secret(of: alice) == [UInt8]("another-secret".utf8))
        }
    }

    @Test func `a file that does not fit the store changes nothing`() async throws {
        try await withStore { store in
            _ = try await store.users.add(
                name: "bob", accessKey: [UInt8]("BOB".utf8), secret: nil, policy: .readonly, customer: nil)
            let bucket = try await store.metadata.createBucket(
                named: try name("photos"), owner: "root", at: .now())
            try await store.metadata.setVersioning(.enabled, of: bucket.id)
            let taken = "{\"users\": [\(user("alice", key: "ALICE")), \(user("carol", key: "BOB"))]}"
            let off = """
                {"users": [\(user("alice", key: "ALICE"))],
                 "buckets": [{"name": "new"}, {"name": "photos", "versioning": "unversioned"}]}
                """
            for (text, place) in [(taken, "users[1].access_key is \"BOB\""), (off, "buckets[1].versioning is")] {
                let application = StartFileApplication(file: try file(text), store: store)
                do throws(StartError) {
                    _ = try await application.run()
                    Issue.record("applied")
                } catch {
                    #expect(error.isFinal && error.description.hasPrefix("start.json: \(place)"), "\(error)")
                }
            }
            #expect(try await store.users.users().map(\.name) == ["bob"])
            let new = try name("new")
            #expect(try await store.metadata.bucket(named: new) == nil)
        }
    }

    @Test func `every start applies the file, and logs no secret`() async throws {
        let fixture = try StoreFixture()
        let path = try fixture.folder.write(
            "start.json", "{\"users\": [\(user("alice", key: "ALICE"))], \"buckets\": [{\"name\": \"one\"}]}".utf8)
        for changed in [1, 0] {
            let log = try await loggedAsync { log in
                try await fixture.start({ $0.startFile = path }, log: log).stop()
            }
            #expect(log.contains("\"start_file\"") && log.contains("\"users\":\(changed)"), "\(log)")
            #expect(!log.contains("a-long-secret"))
        }
    }

    @Test func `a start with a wrong file makes no store`() async throws {
        let fixture = try StoreFixture()
        let path = try fixture.folder.write("start.json", #"{"user": []}"#.utf8)
        await #expect(throws: StartError.self) { try await fixture.start { $0.startFile = path } }
        #expect(!OpenStore.exists(in: fixture.configuration().data))
    }
}
