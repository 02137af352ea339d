import Bytes
import Mongo

/// A new version on top of a key, that may be written together with others.
struct TopChange: Sendable {
    let key: HeadKey
    /// Random.
    let write: Int64
    let versionID: VersionID
    /// All of the version's but `s`, `r` and `m`.
    let fields: BSONDocument
    let isDeleteMarker: Bool
    let conditions: WriteConditions
    /// The latest version is of this sequence, 0 for none; nil for any.
    var latestSequence: Int64?
    let asset: FollowedAsset
    var event: HeadEvent?

    /// A version of more parts is a large document, and goes by itself.
    static let partsMax = 200
}

/// A head, as far as the next version on top of it asks.
struct HeadState: Sendable {
    /// 0 where there is no head.
    var sequence: Int64 = 0
    var latest: VersionDocument?
    /// No more are in the outbox.
    var outboxCount = 0
    /// No more are in `events`.
    var eventCount = 0
    var asset: AssetState?

    /// `seq`, `latest`, `asset` and the numbers of entries.
    static let fields: BSONDocument = ["seq": 1, "latest": 1, "asset": 1, "outbox.s": 1, "events.s": 1]

    var isThere: Bool { sequence > 0 }

    init() {}

    init(_ view: BSONView) {
        sequence = view["seq"]?.integer ?? 0
        latest = view["latest"]?.document.map { VersionDocument(view: $0) }
        outboxCount = view["outbox"]?.array?.count ?? 0
        eventCount = view["events"]?.array?.count ?? 0
        asset = view["asset"]?.document.map { AssetState($0) }
    }
}

/// The changes of one key in a batch: decided here, one after another, as the pipelines of `HeadPipeline` decide them one by one, and
/// written as one update of the head that holds only while nobody else has changed it.
struct HeadGroup: Sendable {
    let key: HeadKey
    private(set) var waiting: [HeadWriter.Waiting]
    /// As this gateway wrote it last.
    let known: HeadState?
    private(set) var former = HeadState()
    private(set) var state = HeadState()
    /// By change, as far as they were decided.
    private(set) var results: [Result<HeadChange.Done, MetadataError>] = []
    private var entries: [BSONValue] = []
    private var events: [BSONValue] = []
    private var write: Int64 = 0
    private var modified: Int64 = 0
    private var isDeleteMarker = false

    init(key: HeadKey, waiting: [HeadWriter.Waiting] = [], known: HeadState? = nil) {
        (self.key, self.waiting, self.known) = (key, waiting, known)
    }

    /// Something is to be written.
    var isChanged: Bool { state.sequence > former.sequence }
    var isRefusing: Bool { results.contains { if case .failure = $0 { true } else { false } } }

    /// Decides what is waiting over that head, at that place among the `seq` of heads or above the head's; and leaves what does not fit into its
    /// outbox undecided. Throws where the head cannot be read.
    mutating func decide(over head: HeadState, at order: Int64, now: Int64) throws(MetadataError) {
        begin(over: head, now: now)
        for one in waiting {
            if !hasRoom(for: one.change) { break }
            do throws(MetadataError) {
                results.append(.success(try put(one.change, at: order)))
            } catch {
                if case .broken = error { throw error }
                results.append(.failure(error))
            }
        }
        seal()
    }

    /// The same of one change that is written with others of other keys. Nil, with nothing decided, where the outbox has no room for it.
    mutating func decide(
        _ change: TopChange, over head: HeadState, at order: Int64, now: Int64
    ) throws(MetadataError) -> HeadChange.Done? {
        begin(over: head, now: now)
        guard hasRoom(for: change) else { return nil }
        let done = try put(change, at: order)
        seal()
        return done
    }

    private mutating func begin(over head: HeadState, now: Int64) {
        (former, state) = (head, head)
        (results, entries, events, modified) = ([], [], [], now)
    }

    private func hasRoom(for change: TopChange) -> Bool {
        // A version leaves two entries at most, and its asset one.
        if state.outboxCount + entries.count + 3 > HeadChange.outboxCountMax { return false }
        return change.event == nil || state.eventCount + events.count < HeadEvent.countMax
    }

    private mutating func seal() {
        guard isChanged else { return }
        if state.asset?.isTouched == true {
            entries.append(HeadPipeline.entry("a", write, at: .int64(state.sequence)))
        }
        state.outboxCount += entries.count
        state.eventCount += events.count
    }

    private mutating func put(_ change: TopChange, at order: Int64) throws(MetadataError) -> HeadChange.Done {
        if !change.conditions.isEmpty { try change.conditions.check(against: try state.latest?.head()) }
        if let latest = change.latestSequence, latest != state.latest?.sequence ?? 0 { throw .superseded }
        let place = max(state.sequence + 1, order)
        let sequence = BSONValue.int64(place)
        // A delete marker above nothing removes nothing.
        if let event = change.event, !change.isDeleteMarker || state.latest?.isDeleteMarker == false {
            events.append(event.entry(at: place, modified))
        }
        if let below = state.latest {
            let version: BSONDocument = ["v": .raw(below.view)]
            let isReplaced = below.isNull && change.versionID == .null
            entries.append(HeadPipeline.entry(isReplaced ? "g" : "v", change.write, version, at: sequence))
            if !isReplaced, change.versionID == .null {
                entries.append(HeadPipeline.entry("n", change.write, at: sequence))
            }
        }
        change.asset.follow(&state.asset, at: modified)
        var latest = change.fields
        latest.append("s", sequence)
        latest.append("r", sequence)
        latest.append("m", .int64(modified))
        do {
            let bytes = try latest.encoded()
            state.latest = VersionDocument(view: try BSONView(bytes))
        } catch {
            throw MetadataError(error)
        }
        state.sequence = place
        (write, isDeleteMarker) = (change.write, change.isDeleteMarker)
        return HeadChange.Done(sequence: state.sequence, modified: modified)
    }

    // MARK: Writing

    /// The whole head, where there was none.
    var document: BSONDocument {
        var head: BSONDocument = ["_id": key.id, "outbox": .array(entries)]
        head.append(contentsOf: fields)
        if !isDeleteMarker { head.append("live", true) }
        if !entries.isEmpty { head.append("due", .date(modified)) }
        if !events.isEmpty {
            head.append("events", .array(events))
            head.append("told", .date(modified))
        }
        return head
    }

    /// What changes of the head, unless another has changed it.
    var update: MongoDatabase.Update {
        var set = fields
        var unset: BSONDocument = [:]
        if isDeleteMarker { unset.append("live", "") } else { set.append("live", true) }
        if former.latest == nil { unset.append("gone", "") }
        var change: BSONDocument = ["$set": .document(set)]
        if !unset.fields.isEmpty { change.append("$unset", .document(unset)) }
        var (pushed, since): (BSONDocument, BSONDocument) = ([:], [:])
        if !entries.isEmpty {
            pushed.append("outbox", ["$each": .array(entries)])
            // Since when it holds anything, where it does.
            since.append("due", .date(modified))
        }
        if !events.isEmpty {
            pushed.append("events", ["$each": .array(events)])
            since.append("told", .date(modified))
        }
        if !pushed.fields.isEmpty {
            change.append("$push", .document(pushed))
            change.append("$min", .document(since))
        }
        return MongoDatabase.Update(["_id": key.id, "seq": .int64(former.sequence)], .document(change))
    }

    private var fields: BSONDocument {
        var fields: BSONDocument = ["seq": .int64(state.sequence), "w": .int64(write)]
        fields.append("latest", state.latest.map { .raw($0.view) })
        if let asset = state.asset { fields.append(contentsOf: asset.fields) }
        return fields
    }

    /// Whether a head that was read is what this group wrote.
    func isWritten(in head: BSONView) -> Bool { head["w"]?.integer == write }

    /// The head as it is once this was written.
    var written: HeadState {
        var state = state
        state.asset?.settle()
        return state
    }

    // MARK: Answers

    /// Of all that was decided, once it was written.
    var answers: [(HeadWriter.Waiting, HeadWriter.Outcome)] {
        zip(waiting, results).map { one, result in
            switch result {
            case .success(let done): (one, .done(done))
            case .failure(let error): (one, .failed(error))
            }
        }
    }

    /// Where it is not known to have been written: what was refused may have been so for a change that is not.
    func alone(mayBeDone: Bool) -> [(HeadWriter.Waiting, HeadWriter.Outcome)] {
        waiting.enumerated().map { place, one in
            guard mayBeDone, place < results.count, case .success = results[place] else {
                return (one, .alone(mayBeDone: false))
            }
            return (one, .alone(mayBeDone: true))
        }
    }

    /// What does not fit into the outbox.
    mutating func takeUndecided() -> [HeadWriter.Waiting] {
        let rest = [HeadWriter.Waiting](waiting.dropFirst(results.count))
        waiting.removeLast(rest.count)
        return rest
    }
}
