import Bytes
import Files
import Metadata
import TestSupport
import Testing

/// A folder that the program of the seventh schema left, with hooks, jobs, a target, an addon and assets.
@Suite struct SchemaFixtureTests {
    private static func copy() throws -> TemporaryFolder {
        let (folder, disk) = (try TemporaryFolder(), LinuxDisk())
        let fixture = #filePath.replacing("SchemaFixtureTests.swift", with: "Fixtures/schema-7")
        for directory in ["", "/meta", "/seg", "/base"] { try disk.makeDirectory(folder.path + "/store" + directory) }
        for file in ["FORMAT", "meta/main.db", "seg/00000001.seg"] {
            let bytes = try #require(try disk.contents(of: "\(fixture)/\(file)", sizeMax: 10 << 20))
            try disk.open("\(folder.path)/store/\(file)", .create).write(bytes.span, at: 0)
        }
        return folder
    }

    @Test(arguments: [false, true])
    func `a folder of the seventh schema keeps hooks, jobs, targets, addons and assets`(losesDatabase: Bool)
        async throws
    {
        let folder = try Self.copy()
        if losesDatabase { try LinuxDisk().remove(folder.path + "/store/meta/main.db") }
        let embedded = try Embedded(folder: folder)
        let store = embedded.store
        let name = try #require(BucketName("image-assets".utf8))
        let bucket = try #require(try await store.bucket(named: name)).id
        let hooks = try #require(try await store.hooks(of: bucket))
        #expect(hooks.revision == 8 && String(decoding: hooks.document, as: UTF8.self).contains("faces"))
        #expect(try await store.targets().map(\.name).sorted() == ["addon:faces", "redis:later"])
        let events = try await store.events(after: 0, limit: 10)
        #expect(events.map(\.key.text) == ["roses/rose.png", "plain.txt"])
        let groups = try await store.jobGroups(before: nil, limit: 10)
        #expect(groups.count == 4)
        let group = try #require(groups.first { $0.hook == "look" && $0.event.key.text == "roses/rose.png" })
        #expect(group.steps.map(\.kind) == ["probe", "addon"])
        #expect(try await store.jobs(of: group.id).first?.state == .available)
        let asset = try #require(try await store.asset(of: .of("roses/rose.png"), in: bucket))
        #expect(try await store.asset(asset.id)?.asset == asset)
        // They go on.
        var claim = JobClaim(worker: "w", queues: ["default"], countMax: 10)
        claim.leasePeriod = .seconds(30)
        let leased = try await store.claimJobs(claim)
        #expect(leased.contains { $0.group.id == group.id })
        for job in leased {
            _ = try await store.completeJob(JobCompletion(job: job.job.id, token: job.job.token))
        }
        let jobs = try await store.jobs(of: group.id)
        #expect(jobs.first?.state == .completed && jobs.last?.state == .available)
        await embedded.close()
    }
}
