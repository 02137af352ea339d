import Bytes
import Metadata
import TestSupport
import Testing

@testable import Hooks

@Suite struct LeaseTableTests {
    private func leased() throws -> LeasedJob {
        let name = try #require(BucketName("photos".utf8))
        let now = Timestamp(milliseconds: 0)
        let event = ObjectEvent(
            position: 1, moment: now, bucket: BucketID(1), key: try #require(ObjectKey([1])), versionID: .null,
            sequence: 1, size: 1, etag: nil,
            draft: EventDraft(name: .createdPut, bucketName: name, principal: "alice", customer: nil, revision: 1))
        let group = JobGroup(
            id: JobID(at: now), event: event, hook: "h", queue: "default", lane: [1], rank: 1, steps: [], notify: [],
            created: now)
        var job = Job(
            id: JobID(at: now), group: group.id, step: 0, state: .leased, queue: "default", lane: [1], rank: 1,
            created: now)
        job.token = [7]
        return LeasedJob(job: job, group: group)
    }

    @Test func `a lease ends a period after it was given or renewed`() throws {
        var table = LeaseTable(period: .seconds(30))
        let (job, start) = (try leased(), ContinuousClock.now)
        table.add(job, at: start)
        #expect(table.ended(by: start + .seconds(29)).isEmpty && table.ended(by: start + .seconds(30)).count == 1)
        let isRenewed = table.renew(job.job.id, token: [7], progress: nil, at: start + .seconds(20))
        #expect(isRenewed)
        #expect(table.ended(by: start + .seconds(49)).isEmpty && table.ended(by: start + .seconds(50)).count == 1)
        let isForged = table.renew(job.job.id, token: [8], progress: nil, at: start + .seconds(40))
        #expect(!isForged)
        #expect(table.ended(by: start + .seconds(50)).count == 1)
    }

    @Test func `a lease from before the start is one of this gateway's once its holder was heard of`() throws {
        var table = LeaseTable(period: .seconds(30))
        let (job, start) = (try leased(), ContinuousClock.now)
        table.add(job, at: start, isDoubtful: true)
        #expect(table.leases[job.job.id]?.isDoubtful == true)
        let isHeard = table.renew(job.job.id, token: [7], progress: nil, at: start)
        #expect(isHeard)
        #expect(table.leases[job.job.id]?.isDoubtful == false)
        let removed = table.remove(job.job.id)
        #expect(removed != nil && table.lease(job.job.id, token: [7]) == nil)
    }

    @Test func `a lane's room is what its concurrency and rate leave, and none while it is closed`() {
        var lanes = LaneTable()
        let start = ContinuousClock.now
        lanes.limit([1], concurrencyMax: 2, rate: nil)
        lanes.limit([2], concurrencyMax: nil, rate: Hook.Rate(count: 10, period: .seconds(1)))
        func room(_ lanes: inout LaneTable, after time: Duration) -> [[UInt8]: Int] { lanes.room(at: start + time) }
        var found = room(&lanes, after: .zero)
        #expect(found == [[1]: 2, [2]: 10])
        lanes.begin([1])
        for _ in 0..<10 { lanes.begin([2]) }
        found = room(&lanes, after: .zero)
        #expect(found == [[1]: 1, [2]: 0])
        found = room(&lanes, after: .milliseconds(500))
        #expect(found == [[1]: 1, [2]: 5])
        lanes.end([1], isCrash: false, at: start)
        found = room(&lanes, after: .seconds(9))
        #expect(found == [[1]: 2, [2]: 10])
        for _ in 0..<LaneTable.breakerCount {
            lanes.begin([3])
            lanes.end([3], isCrash: true, at: start)
        }
        found = room(&lanes, after: .seconds(10))
        #expect(found[[3]] == 0)
        found = room(&lanes, after: .seconds(10) + LaneTable.breakerTime)
        #expect(found[[3]] == nil)
    }
}
