import Glibc
import TestMongo
import TestSupport
import Testing

/// `ogw migrate` as its user meets it: a real gateway before and after, a real MongoDB, and kills in between.
@Suite struct MigrationTests {
    /// A store in a folder of its own, served now by one kind of metadata and now by the other.
    private struct Store {
        let folder: TemporaryFolder
        let uri: String
        /// The data folder's name.
        var data = "data"
        /// Where the blobs lie; nil for files.
        let engine: SeaweedFS?
        private let s3: String
        private let services: String
        private static let accessKey = "MIGRATIONKEY0001"
        private static let secretKey = "migration+secret/0123456789abcdef"

        init(engine: SeaweedFS? = nil) throws {
            self.engine = engine
            folder = try TemporaryFolder()
            let database = "migration-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
            uri = try MongoServer.shared.uri(database: database)
            s3 = "127.0.0.1:\(try freeLoopbackPort())"
            services = "127.0.0.1:\(try freeLoopbackPort())"
        }

        private var environment: [String: String] {
            let own = [
                "OGW_DATA": folder.file(data), "OGW_S3_LISTEN": s3, "OGW_SERVICES_LISTEN": services,
                "OGW_ROOT_ACCESS_KEY": Self.accessKey, "OGW_ROOT_SECRET_KEY": Self.secretKey, "OGW_ACCESS_LOG": "off",
                "HOME": folder.path, "OGW_CONNECTIONS_MAX": "100",
            ]
            guard let engine else { return own }
            return Gateway.settings(for: engine).merging(own) { _, own in own }
        }

        /// Serves the store while `body` runs.
        func served(by metadata: String, _ body: () async throws -> Void) async throws {
            let child = try ChildProcess.start(
                [try Gateway.binary(), "serve"],
                environment: environment.merging(["OGW_METADATA": metadata]) { _, new in new }, folder: folder.path,
                outputPath: folder.file("log"))
            try await Gateway.waitUntilReady(services, child, overTLS: false)
            do { try await body() } catch {
                child.signal(SIGKILL)
                throw error
            }
            child.signal(SIGTERM)
            let ending = try await child.wait(timeout: .seconds(60))
            #expect(ending.status == 0, "\(ending.output)")
        }

        /// Runs a function of the client.
        func client(_ arguments: String...) async throws {
            let ending = try await ChildProcess.run(
                [try tool("python"), Clients.path("migration_client.py")] + arguments,
                environment: [
                    "HOME": folder.path, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
                    "AWS_ACCESS_KEY_ID": Self.accessKey, "AWS_SECRET_ACCESS_KEY": Self.secretKey,
                    "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://\(s3)",
                    "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*",
                ], folder: folder.path, timeout: .seconds(300))
            try #require(ending.status == 0, "\(arguments): \(ending.output)")
        }

        /// What the client sees.
        func dump(_ name: String) async throws -> String {
            try await client("dump", folder.file(name))
            return String(decoding: try TemporaryFolder.read(folder.file(name)), as: UTF8.self)
        }

        func run(_ arguments: String...) async throws -> ChildProcess.Ending {
            try await ChildProcess.run(
                [try Gateway.binary()] + arguments, environment: environment, folder: folder.path)
        }

        /// Kills the migration at random moments, then lets it come to its end. What it printed at the end.
        func migrate(from: String, to: String) async throws -> String {
            let arguments = [try Gateway.binary(), "migrate", "--from", from, "--to", to]
            var kills = 0
            for _ in 0..<60 {
                let child = try ChildProcess.start(
                    arguments, environment: environment, folder: folder.path, outputPath: folder.file("migration"))
                // A few kills early, where most happens; later attempts are let go further.
                let delay = kills < 8 ? Int.random(in: 30...1_500) : 120_000
                let ending = try await end(child, after: .milliseconds(delay))
                guard let ending else {
                    kills += 1
                    continue
                }
                #expect(ending.status == 0, "after \(kills) kills: \(ending.output)")
                return ending.output
            }
            throw TestSupportError("the migration came to no end")
        }

        /// Nil where it had to be killed.
        private func end(_ child: ChildProcess, after delay: Duration) async throws -> ChildProcess.Ending? {
            let deadline = ContinuousClock.now + delay
            while ContinuousClock.now < deadline {
                if let ending = child.poll() { return ending }
                try await Task.sleep(for: .milliseconds(5))
            }
            child.signal(SIGKILL)
            let ending = try await child.wait(timeout: .seconds(60))
            return ending.status == 0 ? ending : nil
        }
    }

    @Test func `a store moves to MongoDB and back under kills, and its clients see nothing of it`() async throws {
        let store = try Store()
        let before = Box()
        try await store.served(by: "sqlite") {
            try await store.client("fill")
            before.text = try await store.dump("before")
        }
        let there = try await store.migrate(from: "sqlite", to: store.uri)
        #expect(there.contains("Both stores hold the same") || there.contains("A former attempt"), "\(there)")
        // The folder has no log any more.
        let refused = try await store.run("check", "--status")
        #expect(refused.status != 0 && refused.output.contains("metadata is in MongoDB"), "\(refused.output)")
        let after = Box()
        try await store.served(by: store.uri) {
            #expect(try await store.dump("moved") == before.text)
            try await store.client("complete")
            try await store.client("write")
            after.text = try await store.dump("written")
        }
        let back = try await store.migrate(from: store.uri, to: "sqlite")
        #expect(back.contains("Both stores hold the same") || back.contains("A former attempt"), "\(back)")
        try await store.served(by: "sqlite") {
            #expect(try await store.dump("back") == after.text)
            try await store.client("complete")
        }
        let check = try await store.run("check")
        #expect(check.status == 0 && check.output.contains("Nothing is wrong."), "\(check.output)")
    }

    /// Small objects leave the log for the engine; on the way back a new folder is as good as the former one.
    @Test func `with blobs on an engine the metadata moves to MongoDB, and back into a new folder`() async throws {
        let engine = try await SeaweedFS.start()
        var store = try Store(engine: engine)
        let before = Box()
        try await store.served(by: "sqlite") {
            try await store.client("fill")
            before.text = try await store.dump("before")
        }
        _ = try await store.migrate(from: "sqlite", to: store.uri)
        try await store.served(by: store.uri) {
            let moved = try await store.dump("moved")
            #expect(moved == before.text)
        }
        let key = try TemporaryFolder.read(store.folder.file("data/secret.key"))
        store.data = "new"
        let local = try await store.run("migrate", "--from", store.uri, "--to", "sqlite", "--blobs", "local")
        #expect(local.status == 2 && local.output.contains("wanted OGW_BLOBS to name that place"), "\(local.output)")
        _ = try await store.migrate(from: store.uri, to: "sqlite")
        let path = try store.folder.write("new/secret.key", key)
        #expect(unsafe chmod(path, 0o600) == 0)
        try await store.served(by: "sqlite") {
            #expect(try await store.dump("back") == before.text)
            try await store.client("complete")
            try await store.client("write")
        }
        let check = try await store.run("check")
        #expect(check.status == 0 && check.output.contains("Nothing is wrong."), "\(check.output)")
        await engine.stop()
    }

    @Test func `what cannot be moved is refused in one sentence, and no password is repeated`() async throws {
        let store = try Store()
        let secret = "mongodb://user:opensesame@127.0.0.1:1/x"
        for (arguments, words) in [
            (["--from", "sqlite"], "--to is missing"), (["--from", "sqlite", "--to", "sqlite"], "of one kind"),
            (["--from", "postgres://user:opensesame@h/x", "--to", "sqlite"], "--from cannot be used"),
            (["--from", "sqlite", "--to", "mongodb://user:opensesame@:x:y/"], "connection string"),
            (["--from", "sqlite", "--to", secret], "wanted the folder of a store"),
        ] {
            let ending = try await ChildProcess.run(
                [try Gateway.binary(), "migrate"] + arguments,
                environment: ["OGW_DATA": store.folder.file("data"), "HOME": store.folder.path],
                folder: store.folder.path)
            #expect(ending.status == 2, "\(arguments): \(ending.output)")
            #expect(ending.output.contains(words), "\(ending.output)")
            #expect(!ending.output.contains("opensesame"), "\(ending.output)")
            #expect(ending.output.split(separator: "\n").count == 1, "\(ending.output)")
        }
    }

    @Test func `a store that is served is not moved`() async throws {
        let store = try Store()
        try await store.served(by: "sqlite") {
            let ending = try await store.run("migrate", "--from", "sqlite", "--to", store.uri)
            #expect(ending.status == 2 && ending.output.contains("its LOCK is held"), "\(ending.output)")
        }
    }
}

/// What a closure that runs meanwhile found.
private final class Box {
    var text = ""
}
