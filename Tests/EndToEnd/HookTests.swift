import Glibc
import TestSupport
import Testing

/// Hooks and their runs as an operator and a client meet them: the commands, the streams, an orderly stop.
@Suite struct HookEndToEnd {
    private static let hooks = #"""
        {"probe": false,
         "hooks": [{"name": "later", "on": "object.created", "when": {"prefix": "in/"}, "queue": "nobody",
                    "steps": {"look": {"probe": true}}}]}
        """#

    /// The program on the data folder of a gateway.
    private struct Program {
        let gateway: Gateway
        let folder: TemporaryFolder
        /// Without a gateway the commands open the store themselves.
        let metadata: [String: String]

        private var environment: [String: String] {
            ["OGW_DATA": gateway.data, "HOME": folder.path, "OGW_CONNECTIONS_MAX": "100"]
                .merging(metadata) { _, own in own }
        }

        func run(_ arguments: String...) async throws -> ChildProcess.Ending {
            try await ChildProcess.run(
                [try Gateway.binary()] + arguments,
                environment: environment,
                folder: folder.path)
        }

        func succeed(_ arguments: String..., saying text: String) async throws {
            let ending = try await ChildProcess.run(
                [try Gateway.binary()] + arguments,
                environment: environment,
                folder: folder.path)
            #expect(ending.status == 0 && ending.output.contains(text), "\(arguments): \(ending.output)")
        }
    }

    @Test func `hooks are set by a file, an object sets them off, and the stop of the gateway ends its streams`()
        async throws
    {
        // The job is to be seen before a worker has it.
        let metadata = try Gateway.metadataSettings()
        let settings = metadata.merging(["OGW_WORKERS_MAX": "0"]) { _, own in own }
        let gateway = try await Gateway.start(settings: settings, overMongoDB: false)
        var isStopped = false
        do {
            try await Gateway.$scoped.withValue(gateway) { try await Self.use(gateway, metadata) { isStopped = true } }
        } catch {
            if !isStopped { await gateway.stop() }
            throw error
        }
        if !isStopped { await gateway.stop() }
    }

    private static func use(_ gateway: Gateway, _ metadata: [String: String], stopped: () -> Void) async throws {
        // Another server than ours has no services listener.
        guard let services = gateway.services else { return }
        let program = Program(gateway: gateway, folder: try TemporaryFolder(), metadata: metadata)
        try program.folder.write("hooks.json", hooks.utf8)
        try program.folder.write("bad.json", #"{"hooks": [{"name": "a b", "on": "never", "steps": {}}]}"#.utf8)
        let bad = try await program.run("hooks", "validate", "image-assets", "bad.json")
        #expect(bad.status == 2)
        #expect(bad.output.contains("hooks[0].name is \"a b\": wanted a name"), "\(bad.output)")
        #expect(bad.output.contains("hooks[0].on is \"never\": wanted an event"), "\(bad.output)")
        #expect(try await program.run("hooks", "set", "image-assets", "bad.json").status == 2)
        try await program.succeed("hooks", "set", "image-assets", "hooks.json", saying: "of revision ")
        try await program.succeed("hooks", "get", "image-assets", saying: "\"name\": \"later\"")
        for file in ["-", "/dev/stdin"] {
            let piped = try await ChildProcess.run(
                ["sh", "-c", "cat hooks.json | \"$0\" hooks validate image-assets \(file)", try Gateway.binary()],
                environment: ["OGW_DATA": gateway.data, "PATH": "/usr/bin:/bin"], folder: program.folder.path)
            #expect(piped.status == 0, "\(file): \(piped.output)")
        }
        let again = try await program.run("hooks", "set", "image-assets", "hooks.json", "--revision", "0")
        #expect(again.status == 1 && again.output.contains("of another revision"), "\(again.output)")
        try await program.succeed(
            "hooks", "dry-run", "image-assets", "in/new.png", saying: "later runs: look (probe)")

        try await program.succeed(
            "hooks", "arns", "image-assets", saying: "arn:aws:lambda:us-east-1:000000000000:function:later")

        let curl = try Client("curl")
        let secret = "\(gateway.accessKey):\(gateway.secretKey)"
        let stream = try ChildProcess.start(
            [
                try tool("curl"), "-sSN", "--max-time", "120", "-H", "X-API-Key: \(secret)",
                "http://\(services)/api/events",
            ], environment: [:], folder: program.folder.path, outputPath: program.folder.file("stream"))
        while !stream.output.contains("retry: ") { try await Task.sleep(for: .milliseconds(20)) }
        try curl.folder.write("file", "content".utf8)
        for key in ["in/a.png", "out/b.png"] {
            try await curl.run(
                "-sS", "-f", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", secret, "-H",
                "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-T", "file", "\(gateway.endpoint)/image-assets/\(key)")
        }
        while !stream.output.contains("event: job.created") { try await Task.sleep(for: .milliseconds(20)) }
        try await program.succeed("jobs", "list", "--state", "running", saying: "image-assets/in/a.png")
        let list = try await program.run("jobs", "list")
        #expect(!list.output.contains("out/b.png"), "\(list.output)")
        let id = try #require(list.output.split(separator: "\n").last?.split(separator: " ").first)
        try await program.succeed("jobs", "show", String(id), saying: "probe  available")
        try await program.succeed("jobs", "cancel", String(id), saying: "cancelled")
        try await program.succeed("jobs", "dead", saying: "REASON")
        try await program.succeed("jobs", "retry-dead", saying: "0 are retried")
        let page = try await curl.run(
            "-sS", "-H", "X-API-Key: \(secret)", "http://\(services)/api/jobs?state=cancelled")
        #expect(page.contains("\"key\":\"in/a.png\""), "\(page)")

        stopped()
        await gateway.stop()
        let ending = try await stream.wait(timeout: .seconds(60))
        #expect(ending.status == 0, "the stream was cut: \(ending.output)")
        #expect(ending.output.contains("event: job.finished"), "\(ending.output)")
        // Without a gateway the commands open the store themselves.
        try await program.succeed("hooks", "backfill", "image-assets", saying: "hooks set off for 1.")
        try await program.succeed("hooks", "replay", "image-assets", "--since", "1h", saying: "hooks set off for 2.")
        try await program.succeed("hooks", "remove", "image-assets", saying: "no hooks any more")
    }
}
