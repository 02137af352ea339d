public import Bytes

/// One run of a hook for one event: its steps, and how far they are.
public struct JobGroup: Sendable, Equatable {
    public enum State: UInt8, Sendable, CaseIterable {
        case running = 0, completed, failed, cancelled
    }

    public enum StepState: UInt8, Sendable, CaseIterable {
        /// For the step it runs after.
        case waiting = 0
        /// It has a job.
        case started
        case completed, failed
        /// The step it runs after failed.
        case skipped
        case cancelled

        var isEnded: Bool {
            switch self {
            case .waiting, .started: false
            case .completed, .failed, .skipped, .cancelled: true
            }
        }
    }

    public struct Step: Sendable, Equatable {
        public var name: String
        /// What it does: `watermark`, `addon` ...
        public var kind: String
        /// The place of the step it runs after.
        public var after: Int?
        /// Whether the steps after it run though it failed, and the group does not fail with it.
        public var proceeds: Bool
        public var state = StepState.waiting
        public var files: [DerivedFile] = []
        /// What it found: JSON of at most `resultMax` bytes; empty for nothing.
        public var result: [UInt8] = []
        public var reason = ""

        public init(name: String, kind: String, after: Int?, proceeds: Bool) {
            self.name = name
            self.kind = kind
            self.after = after
            self.proceeds = proceeds
        }
    }

    public var id: JobID
    /// What set it off.
    public var event: ObjectEvent
    public var hook: String
    public var queue: String
    public var lane: [UInt8]
    /// See `Job.rank`.
    public var rank: Int64
    public var steps: [Step]
    public var state = State.running
    /// Targets that are told of the end, as `kind:name`.
    public var notify: [String]
    /// Whether a later event of the same object takes its place as long as no worker has begun with it.
    public var isUnique = false
    public var created: Timestamp
    public var ended: Timestamp?

    public static let resultMax = 64 << 10

    public init(
        id: JobID, event: ObjectEvent, hook: String, queue: String, lane: [UInt8], rank: Int64, steps: [Step],
        notify: [String], created: Timestamp
    ) {
        self.id = id
        self.event = event
        self.hook = hook
        self.queue = queue
        self.lane = lane
        self.rank = rank
        self.steps = steps
        self.notify = notify
        self.created = created
    }
}

/// A file that a step made: an object of this store.
public struct DerivedFile: Sendable, Equatable {
    /// What the step calls it: the preset of a variant, or the kind of a preview.
    public var name: String
    public var bucket: BucketID
    public var key: ObjectKey
    public var versionID: VersionID
    public var size: UInt64
    public var contentType: [UInt8]

    public init(
        name: String, bucket: BucketID, key: ObjectKey, versionID: VersionID, size: UInt64, contentType: [UInt8]
    ) {
        self.name = name
        self.bucket = bucket
        self.key = key
        self.versionID = versionID
        self.size = size
        self.contentType = contentType
    }
}

/// How the steps of a group go on. Pure: no clock, no store.
extension JobGroup {
    /// The places of the steps that have a job from now on: those that run after none. A group without steps ends at once.
    public mutating func begin(at moment: Timestamp) -> [Int] {
        let ready = startReady()
        finish(at: moment)
        return ready
    }

    /// Notes the end of a step, and returns the places of those that begin now. A step that ended already stays as it is.
    public mutating func end(_ place: Int, as state: StepState, at moment: Timestamp) -> [Int] {
        guard steps.indices.contains(place), !steps[place].state.isEnded, state.isEnded else { return [] }
        steps[place].state = state
        skipWhatCannotRun()
        let ready = startReady()
        finish(at: moment)
        return ready
    }

    /// Cancels every step that has not ended; returns the places of those that had a job.
    public mutating func cancel(at moment: Timestamp) -> [Int] {
        let started = steps.indices.filter { steps[$0].state == .started }
        for place in steps.indices where !steps[place].state.isEnded { steps[place].state = .cancelled }
        finish(at: moment)
        return started
    }

    /// Begins a failed step anew, and takes back what its failure did to those after it.
    public mutating func retry(_ place: Int) {
        guard steps.indices.contains(place), steps[place].state == .failed else { return }
        steps[place].state = .started
        steps[place].reason = ""
        for next in steps.indices where steps[next].state == .skipped && isBehind(place, next) {
            steps[next].state = .waiting
        }
        state = .running
        ended = nil
    }

    private mutating func startReady() -> [Int] {
        let ready = steps.indices.filter { place in
            guard steps[place].state == .waiting else { return false }
            guard let after = steps[place].after else { return true }
            return steps.indices.contains(after) && allowsNext(steps[after])
        }
        for place in ready { steps[place].state = .started }
        return ready
    }

    private func allowsNext(_ step: Step) -> Bool {
        switch step.state {
        case .completed: true
        case .failed: step.proceeds
        case .waiting, .started, .skipped, .cancelled: false
        }
    }

    /// Each step stands behind the one it runs after, so one walk reaches all.
    private mutating func skipWhatCannotRun() {
        for place in steps.indices where steps[place].state == .waiting {
            guard let after = steps[place].after, steps.indices.contains(after) else { continue }
            let former = steps[after]
            if former.state.isEnded, !allowsNext(former) { steps[place].state = .skipped }
        }
    }

    private func isBehind(_ place: Int, _ next: Int) -> Bool {
        var current = next
        for _ in steps.indices {
            guard let after = steps[current].after, steps.indices.contains(after) else { return false }
            if after == place { return true }
            current = after
        }
        return false
    }

    private mutating func finish(at moment: Timestamp) {
        guard state == .running, steps.allSatisfy(\.state.isEnded) else { return }
        ended = moment
        if steps.contains(where: { $0.state == .failed && !$0.proceeds }) {
            state = .failed
        } else {
            state = steps.contains { $0.state == .cancelled } ? .cancelled : .completed
        }
    }
}
