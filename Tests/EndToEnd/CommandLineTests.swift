import Files
import Glibc
import TestSupport
import Testing

/// The built program as a person at a terminal meets it: exit statuses, sentences, help.
@Suite struct CommandLineTests {
    /// A data folder of its own, and the program with nothing else in its environment.
    private struct Terminal {
        let folder: TemporaryFolder
        let environment: [String: String]
        let services: String

        init() throws {
            folder = try TemporaryFolder()
            services = "127.0.0.1:\(try freeLoopbackPort())"
            environment = [
                "OGW_DATA": folder.file("data"), "OGW_S3_LISTEN": "127.0.0.1:\(try freeLoopbackPort())",
                "OGW_SERVICES_LISTEN": services, "HOME": folder.path,
                // Few enough for every limit of descriptors, so that the log has no warning about it.
                "OGW_CONNECTIONS_MAX": "100",
            ]
        }

        func run(_ arguments: String...) async throws -> ChildProcess.Ending {
            try await ChildProcess.run(
                [try Gateway.binary()] + arguments, environment: environment, folder: folder.path)
        }

        /// Returns when the gateway is ready.
        func serve(_ output: String = "log") async throws -> ChildProcess {
            let child = try ChildProcess.start(
                [try Gateway.binary(), "serve"], environment: environment, folder: folder.path,
                outputPath: folder.file(output))
            try await Gateway.waitUntilReady(services, child, overTLS: false)
            return child
        }

        /// Ends a gateway as a service manager does.
        func stop(_ child: ChildProcess) async throws -> ChildProcess.Ending {
            child.signal(SIGTERM)
            return try await child.wait(timeout: .seconds(60))
        }
    }

    @Test(arguments: [
        (["frobnicate"], "ogw: \"frobnicate\" is not a command: wanted "),
        (["user", "frobnicate"], "ogw user: \"frobnicate\" is not a command of `ogw user`: wanted "),
        (["serve", "--prot", "1"], "ogw serve: --prot is not a flag of this command: wanted "),
        (["serve", "--threads", "many"], "ogw serve: --threads is \"many\": wanted "),
        (["serve", "--config", "/nowhere.json"], "ogw serve: OGW_CONFIG is \"/nowhere.json\": wanted "),
        (["bucket", "make"], "ogw bucket make: NAME is missing: wanted "),
        (["bucket", "make", "a", "b"], "ogw bucket make: \"b\" is one argument too many: wanted "),
        (["presign", "photo.jpg"], "ogw presign: s3://BUCKET/KEY is \"photo.jpg\": wanted "),
    ])
    func `wrong usage ends with status 2 and one sentence that names it`(
        arguments: [String], sentence: String
    ) async throws {
        let terminal = try Terminal()
        let ending = try await ChildProcess.run(
            [try Gateway.binary()] + arguments, environment: terminal.environment, folder: terminal.folder.path)
        #expect(ending.status == 2)
        #expect(ending.output.hasPrefix(sentence), "\(ending.output)")
        #expect(ending.output.split(separator: "\n").count == 1, "\(ending.output)")
    }

    @Test func `a value that is refused names the flag, served or not`() async throws {
        let terminal = try Terminal()
        let gateway = try await terminal.serve()
        let served = try await terminal.run("user", "add", "alice", "--policy", "boss")
        let stopped = try await terminal.stop(gateway)
        let opened = try await terminal.run("user", "add", "alice", "--policy", "boss")
        #expect(stopped.status == 0)
        #expect(served.status == 2 && opened.status == 2)
        #expect(served.output.hasPrefix("ogw user add: --policy is \"boss\": wanted "), "\(served.output)")
        #expect(opened.output == served.output)
    }

    @Test func `a gateway that is killed leaves nothing in shared memory`() async throws {
        let terminal = try Terminal()
        let gateway = try await terminal.serve()
        gateway.signal(SIGKILL)
        _ = try await gateway.wait(timeout: .seconds(60))
        #expect(unsafe access("/dev/shm/mongoc-\(gateway.pid)", F_OK) != 0)
    }

    @Test func `every command has help with an example`() async throws {
        let terminal = try Terminal()
        let overview = try await terminal.run("--help")
        #expect(overview.status == 0)
        let commands = overview.output.split(separator: "\n").filter { $0.hasPrefix("  ogw ") }.map { line in
            line.split(separator: " ").dropFirst().prefix {
                $0.allSatisfy { $0.isLowercase && $0.isLetter || $0 == "-" }
            }.prefix(2)
        }
        #expect(commands.count >= 11)
        for words in commands {
            let ending = try await ChildProcess.run(
                [try Gateway.binary()] + words.map(String.init) + ["--help"], environment: terminal.environment,
                folder: terminal.folder.path)
            #expect(ending.status == 0, "\(words)")
            #expect(ending.output.contains("\nExample:\n  "), "\(words): \(ending.output)")
            #expect(ending.output.contains("Usage: ogw \(words.joined(separator: " "))"), "\(words)")
        }
    }

    @Test func `the first start shows credentials, the second does not, and SIGTERM ends both well`() async throws {
        let terminal = try Terminal()
        let first = try await terminal.stop(try await terminal.serve("first"))
        let second = try await terminal.stop(try await terminal.serve("second"))
        #expect(first.status == 0 && second.status == 0)
        #expect(first.output.split(separator: "export AWS_SECRET_ACCESS_KEY=").count == 2, "\(first.output)")
        #expect(!second.output.contains("AWS_SECRET_ACCESS_KEY"), "\(second.output)")
    }

    @Test func `a second gateway on the same folder is refused in one sentence`() async throws {
        let terminal = try Terminal()
        let gateway = try await terminal.serve()
        let other = try await terminal.run("serve", "--s3-listen", "127.0.0.1:0", "--services-listen", "off")
        let stopped = try await terminal.stop(gateway)
        #expect(stopped.status == 0)
        #expect(other.status == 1)
        let folder = terminal.folder.file("data")
        #expect(
            other.output.hasPrefix("ogw serve: OGW_DATA is \"\(folder)\": wanted a folder that no other process uses"),
            "\(other.output)")
        #expect(other.output.split(separator: "\n").count == 1, "\(other.output)")
    }

    @Test func `users and buckets are managed beside a gateway and without one`() async throws {
        let terminal = try Terminal()
        let absent = try await terminal.run("bucket", "list")
        #expect(absent.status == 1 && absent.output.contains("wanted the folder of a store"), "\(absent.output)")
        let gateway = try await terminal.serve()
        var endings = [
            try await terminal.run("user", "add", "alice", "--policy", "readonly"),
            try await terminal.run("bucket", "make", "photos", "--versioning"),
            try await terminal.run("bucket", "assets", "photos", "on"),
        ]
        let listed = try await terminal.run("bucket", "list")
        let stopped = try await terminal.stop(gateway)
        #expect(stopped.status == 0)
        #expect(endings[2].output.contains("The objects of photos are assets"), "\(endings[2].output)")
        let odd = try await terminal.run("bucket", "assets", "photos", "maybe")
        #expect(odd.status == 2 && odd.output.contains("wanted on or off"), "\(odd.output)")
        endings.append(try await terminal.run("bucket", "assets", "photos", "off"))
        #expect(listed.output.contains("photos") && listed.output.contains("audio-assets"), "\(listed.output)")

        let users = try await terminal.run("user", "list")
        #expect(users.output.contains("alice") && users.output.contains("readonly"), "\(users.output)")
        endings.append(try await terminal.run("user", "disable", "alice"))
        endings.append(try await terminal.run("user", "rotate", "alice"))
        endings.append(try await terminal.run("bucket", "remove", "photos"))
        for ending in endings + [listed, users] { #expect(ending.status == 0, "\(ending.output)") }
        #expect(endings[0].output.contains("export AWS_SECRET_ACCESS_KEY="))
        let again = try await terminal.run("bucket", "remove", "photos")
        #expect(again.status == 1 && again.output.contains("There is no bucket photos."), "\(again.output)")
    }

    @Test func `a store is checked beside a gateway and without one`() async throws {
        let terminal = try Terminal()
        let gateway = try await terminal.serve()
        let unchecked = try await terminal.run("check", "--status")
        let served = try await terminal.run("check")
        let stopped = try await terminal.stop(gateway)
        let status = try await terminal.run("check", "--status")
        let opened = try await terminal.run("check", "--repair", "--json")
        #expect(stopped.status == 0)
        #expect(unchecked.status == 0 && unchecked.output.contains("Nothing was checked yet."), "\(unchecked.output)")
        #expect(served.status == 0 && served.output.hasPrefix("Checked 0 blobs"), "\(served.output)")
        #expect(status.status == 0 && status.output.contains("Nothing is wrong."), "\(status.output)")
        #expect(opened.status == 0 && opened.output.contains("\"errors\":0"), "\(opened.output)")

        let orphan = terminal.folder.file("data/obj/00000001/0000000000001234")
        try LinuxDisk().makeDirectory(terminal.folder.file("data/obj/00000001"))
        try LinuxDisk().replace("0000000000001234", in: terminal.folder.file("data/obj/00000001"), with: [1])
        let found = try await terminal.run("check")
        #expect(found.status == 1 && found.output.contains("orphan"), "\(found.output)")
        let moved = try await terminal.run("check", "--repair")
        #expect(moved.status == 1, "\(moved.output)")
        #expect(try LinuxDisk().contents(of: orphan) == nil)
        #expect(try await terminal.run("check").status == 0)
        let both = try await terminal.run("check", "--repair", "--status")
        #expect(both.status == 2, "\(both.output)")
    }
}
