import Bytes
import Metadata
import TestSupport
import Testing

@Suite struct JobGroupTests {
    /// Steps by the place of the one they run after.
    private func group(_ after: [Int?], proceeding: Set<Int> = []) -> JobGroup {
        let event = ObjectEvent(
            position: 1, moment: .fixed, bucket: BucketID(1), key: .of("k"), versionID: .null, sequence: 1, size: 1,
            etag: nil, draft: .test)
        return JobGroup(
            id: JobID(at: .fixed), event: event, hook: "h", queue: "default", lane: [1], rank: 1,
            steps: after.enumerated().map {
                .init(name: "s\($0.offset)", kind: "probe", after: $0.element, proceeds: proceeding.contains($0.offset))
            }, notify: [], created: .fixed)
    }

    @Test func `steps begin when the one they run after is done, and the group ends with the last`() {
        var group = group([nil, 0, 0, 1, nil])
        #expect(group.begin(at: .fixed) == [0, 4])
        #expect(group.end(4, as: .completed, at: .fixed).isEmpty)
        #expect(group.end(0, as: .completed, at: .fixed) == [1, 2])
        #expect(group.end(1, as: .completed, at: .fixed) == [3])
        #expect(group.end(3, as: .completed, at: .fixed).isEmpty && group.state == .running)
        #expect(group.end(2, as: .completed, at: .fixed).isEmpty)
        #expect(group.state == .completed && group.ended == .fixed)
    }

    @Test func `what runs after a step that failed is skipped, and the group has failed`() {
        var group = group([nil, 0, 1, nil])
        _ = group.begin(at: .fixed)
        #expect(group.end(0, as: .failed, at: .fixed).isEmpty)
        #expect(group.steps.map(\.state) == [.failed, .skipped, .skipped, .started])
        _ = group.end(3, as: .completed, at: .fixed)
        #expect(group.state == .failed)
    }

    @Test func `where the hook goes on after errors the next step runs, and the group does not fail`() {
        var group = group([nil, 0], proceeding: [0])
        _ = group.begin(at: .fixed)
        #expect(group.end(0, as: .failed, at: .fixed) == [1])
        _ = group.end(1, as: .completed, at: .fixed)
        #expect(group.state == .completed)
    }

    @Test func `a step that is retried takes back what its failure did`() {
        var group = group([nil, 0, 1, nil])
        _ = group.begin(at: .fixed)
        _ = group.end(3, as: .completed, at: .fixed)
        _ = group.end(0, as: .failed, at: .fixed)
        #expect(group.state == .failed)
        group.retry(0)
        #expect(group.state == .running && group.ended == nil)
        #expect(group.steps.map(\.state) == [.started, .waiting, .waiting, .completed])
        #expect(group.end(0, as: .completed, at: .fixed) == [1])
        #expect(group.end(1, as: .completed, at: .fixed) == [2])
        _ = group.end(2, as: .completed, at: .fixed)
        #expect(group.state == .completed)
    }

    @Test func `a step ends once`() {
        var group = group([nil, 0])
        _ = group.begin(at: .fixed)
        #expect(group.end(0, as: .completed, at: .fixed) == [1])
        #expect(group.end(0, as: .failed, at: .fixed).isEmpty && group.steps[0].state == .completed)
        #expect(group.end(9, as: .failed, at: .fixed).isEmpty)
    }

    @Test func `a group that is cancelled ends at once`() {
        var group = group([nil, 0, nil])
        _ = group.begin(at: .fixed)
        _ = group.end(2, as: .completed, at: .fixed)
        #expect(group.cancel(at: .fixed) == [0])
        #expect(group.state == .cancelled && group.steps.map(\.state) == [.cancelled, .cancelled, .completed])
    }

    @Test func `a group without steps ends as it begins`() {
        var group = group([])
        #expect(group.begin(at: .fixed).isEmpty && group.state == .completed)
    }

    @Test func `an ended state is left by a retry only`() {
        for state in JobState.allCases where state.isEnded {
            for next in JobState.allCases {
                #expect(state.canBecome(next) == (state == .dead && next == .available), "\(state) to \(next)")
            }
        }
    }
}

extension EventDraft {
    static var test: EventDraft {
        EventDraft(
            name: .createdPut, bucketName: known(BucketName("bucket".utf8)), principal: "alice", customer: nil,
            revision: 1)
    }
}
