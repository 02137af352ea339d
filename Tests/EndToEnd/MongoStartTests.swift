import Glibc
import TestMongo
import TestSupport
import Testing

extension Gateway {
    /// Runs `ogw serve` on free ports and in a folder of its own until it ends by itself.
    static func run(_ settings: [String: String]) async throws -> ChildProcess.Ending {
        let folder = try TemporaryFolder()
        let environment = [
            "OGW_DATA": folder.file("data"), "OGW_S3_LISTEN": "127.0.0.1:\(try freeLoopbackPort())",
            "OGW_SERVICES_LISTEN": "off", "HOME": folder.path, "OGW_CONNECTIONS_MAX": "100",
        ].merging(settings) { _, own in own }
        return try await ChildProcess.run([try binary(), "serve"], environment: environment, folder: folder.path)
    }
}

/// `ogw serve` and a MongoDB that is not there, not yet, not any more, or not as it should be.
@Suite struct MongoStartTests {
    /// A gateway whose MongoDB may be away.
    private struct Serving {
        let folder: TemporaryFolder
        let s3: String
        let services: String
        let child: ChildProcess

        init(_ server: MongoServer) throws {
            folder = try TemporaryFolder()
            s3 = "127.0.0.1:\(try freeLoopbackPort())"
            services = "127.0.0.1:\(try freeLoopbackPort())"
            child = try ChildProcess.start(
                [try Gateway.binary(), "serve"],
                environment: [
                    "OGW_DATA": folder.file("data"), "OGW_S3_LISTEN": s3, "OGW_SERVICES_LISTEN": services,
                    "HOME": folder.path, "OGW_METADATA": server.uri(database: "ogw"), "OGW_ROOT_ACCESS_KEY": "ROOTKEY",
                    "OGW_ROOT_SECRET_KEY": "secret-of-root",
                ], folder: folder.path, outputPath: folder.file("log"))
        }

        /// Status, head and body of one request.
        func ask(_ url: String, _ arguments: [String] = []) async throws -> String {
            try await ChildProcess.run(["curl", "-si", "--max-time", "60"] + arguments + [url], folder: "/").output
        }

        func s3(_ arguments: String...) async throws -> String {
            try await ask(
                "http://\(s3)/made-late",
                [
                    "--aws-sigv4", "aws:amz:us-east-1:s3", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--user",
                    "ROOTKEY:secret-of-root",
                ] + arguments)
        }

        func waitUntil(_ what: String, _ isSo: () async throws -> Bool) async throws {
            let deadline = ContinuousClock.now + .seconds(90)
            while try await !isSo() {
                guard ContinuousClock.now < deadline, child.poll() == nil else {
                    throw TestSupportError("waited in vain until \(what):\n\(child.output)")
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }

        func isReady() async throws -> Bool { try await ask("http://\(services)/health/ready").contains(" 200 ") }
    }

    @Test func `a gateway answers 503 until MongoDB comes, while it is away, and serves when it is there`() async throws
    {
        let server = try MongoServer.start()
        let member = try server.primary()
        server.kill(member)
        let serving = try Serving(server)
        try await serving.waitUntil("it listens") {
            try await serving.ask("http://\(serving.services)/health/live").contains(" 200 ")
        }
        let refused = try await serving.s3("-X", "PUT")
        #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("<Code>SlowDown</Code>"), "\(refused)")
        #expect(refused.lowercased().contains("retry-after: 1"))
        let ready = try await serving.ask("http://\(serving.services)/health/ready")
        #expect(ready.hasPrefix("HTTP/1.1 503 ") && ready.contains("not_ready"), "\(ready)")
        let route = try await serving.ask("http://\(serving.services)/api/assets/search")
        #expect(route.hasPrefix("HTTP/1.1 503 ") && route.contains("application/problem+json"), "\(route)")
        try server.startAgain(member)
        try await serving.waitUntil("it is ready") { try await serving.isReady() }
        #expect(try await serving.s3("-X", "PUT").contains(" 200 "))

        let again = try server.primary()
        server.kill(again)
        try await serving.waitUntil("it is not ready") { try await !serving.isReady() }
        let away = try await serving.s3("--head")
        #expect(away.contains(" 503 "), "\(away)")
        try server.startAgain(again)
        // As a client does that tries again after 503.
        try await serving.waitUntil("a request is answered again") {
            try await serving.s3("--head").contains(" 200 ")
        }
        try await serving.waitUntil("it is ready again") { try await serving.isReady() }
        serving.child.signal(SIGTERM)
        let ending = try await serving.child.wait(timeout: .seconds(60))
        #expect(ending.status == 0, "\(ending.output)")
        server.stop()
    }

    @Test func `a command to a gateway that waits for MongoDB says so, and does not disturb it`() async throws {
        let server = try MongoServer.start()
        let member = try server.primary()
        server.kill(member)
        let serving = try Serving(server)
        let command = { () async throws -> ChildProcess.Ending in
            try await ChildProcess.run(
                [try Gateway.binary(), "user", "add", "ada"],
                environment: [
                    "OGW_DATA": serving.folder.file("data"), "OGW_METADATA": server.uri(database: "ogw"),
                    "HOME": serving.folder.path,
                ], folder: serving.folder.path)
        }
        try await serving.waitUntil("it takes commands") {
            try await !command().output.contains("wanted the folder of a store")
        }
        for _ in 0..<5 {
            let ending = try await command()
            #expect(ending.status != 0)
            #expect(ending.output.contains("The store cannot be reached yet; try again."), "\(ending.output)")
        }
        try server.startAgain(member)
        try await serving.waitUntil("it is ready") { try await serving.isReady() }
        #expect(try await command().status == 0)
        serving.child.signal(SIGTERM)
        #expect(try await serving.child.wait(timeout: .seconds(60)).status == 0)
        server.stop()
    }

    @Test func `a gateway that waits for MongoDB ends when it is asked to`() async throws {
        let server = try MongoServer.start()
        server.stop()
        let serving = try Serving(server)
        try await serving.waitUntil("it listens") {
            try await serving.ask("http://\(serving.services)/health/live").contains(" 200 ")
        }
        serving.child.signal(SIGTERM)
        let ending = try await serving.child.wait(timeout: .seconds(60))
        #expect(ending.status == 0, "\(ending.output)")
    }

    private func expectRefusal(_ uri: String, _ words: String...) async throws {
        let ending = try await Gateway.run(["OGW_METADATA": uri])
        #expect(ending.status == 2, "\(ending.output)")
        let lines = ending.output.split(separator: "\n").filter { $0.hasPrefix("ogw serve: ") }
        #expect(lines.count == 1, "\(ending.output)")
        for word in words { #expect(lines.first?.contains(word) == true, "\(ending.output)") }
    }

    @Test func `servers that cannot be used end the start with status 2 and what to do`() async throws {
        let alone = try MongoServer.startAlone()
        try await expectRefusal(
            alone.uri(database: "ogw"), "not a member of a replica set", "mongosh --eval 'rs.initiate()'")
        // With the name of a set no server would be chosen at all.
        try await expectRefusal(alone.uri(database: "ogw") + "replicaSet=rs0", "not a member of a replica set")
        alone.stop()
        let server = try MongoServer.start()
        let other = String(server.uri(database: "ogw").dropLast(3)) + "rs9"
        try await expectRefusal(other, "belongs to the replica set rs0", "write replicaSet=rs0")
        server.stop()
        let locked = try MongoServer.startWithLogin(user: "ada", password: "right")
        try await expectRefusal(locked.uri(database: "ogw"), "wants a login", "mongodb://USER:PASSWORD@HOST")
        try await expectRefusal(
            locked.uri(database: "ogw", user: "ada", password: "false"), "refuses the user ada or its password")
        locked.stop()
        try await expectRefusal("mongodb://%zz", "OGW_METADATA", "cannot be used")
    }

    @Test func `a server that comes late and cannot be used ends the gateway with status 2`() async throws {
        let server = try MongoServer.startAlone()
        let member = try #require(server.members.first)
        server.kill(member)
        let serving = try Serving(server)
        try await serving.waitUntil("it listens") {
            try await serving.ask("http://\(serving.services)/health/live").contains(" 200 ")
        }
        try server.startAgain(member)
        let ending = try await serving.child.wait(timeout: .seconds(90))
        #expect(ending.status == 2, "\(ending.output)")
        #expect(ending.output.contains("ogw serve: OGW_METADATA: the server is not a member"), "\(ending.output)")
        server.stop()
    }
}
