import TestSupport
import Testing

extension EndToEnd {
    @Suite struct Restic {
        let restic: Client

        init() throws {
            let bucket = Client.bucket("restic")
            restic = try Client("restic") {
                [
                    "RESTIC_REPOSITORY": "s3:\($0.endpoint)/\(bucket)/backups", "RESTIC_PASSWORD": "a password",
                    "RESTIC_PROGRESS_FPS": "0",
                ]
            }
        }

        @Test func `A backup is made, checked, restored and pruned`() async throws {
            restic.makeFolder("data")
            try restic.makeFile("data/one", bytes: 20_000_000, seed: 1)
            try restic.makeFile("data/two", bytes: 1000, seed: 2)
            try await restic.run("init")
            try await restic.run("backup", "data")
            try restic.makeFile("data/two", bytes: 2000, seed: 3)
            try await restic.run("backup", "data")
            try await restic.run("check", "--read-data")
            try await restic.run("forget", "--keep-last", "1", "--prune")
            #expect(try await restic.run("snapshots").contains("1 snapshots"))
            try await restic.run("restore", "latest", "--target", "back")
            for name in ["one", "two"] { try restic.expectSame("data/\(name)", "back/data/\(name)") }
        }
    }
}
