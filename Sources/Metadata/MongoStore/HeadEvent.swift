import Bytes
import Mongo

/// An event that a change of a head makes. It stands in the head's `events` as `{s, m, e}`: `s` the `seq` of the change, `m` its moment
/// (ms), `e` the event as a record without position and moment.
struct HeadEvent: Sendable {
    private let record: [UInt8]

    /// As many a head takes: with more, the writer moves them first.
    static let countMax = HeadChange.outboxCountMax

    /// `sequence` is that of the version that it is about; nil stands for that of the change.
    init(
        _ draft: EventDraft, of key: HeadKey, _ versionID: VersionID?, sequence: Int64? = nil, size: UInt64 = 0,
        etag: ETag? = nil
    ) {
        let leavesObject = draft.name.leavesObject
        record = Records.encode(
            ObjectEvent(
                position: 0, moment: Timestamp(milliseconds: 0), bucket: key.bucket, key: key.key,
                versionID: versionID, sequence: sequence ?? -1, size: leavesObject ? size : 0,
                etag: leavesObject ? etag : nil, draft: draft))
    }

    /// The entry, at that `seq` and moment.
    func entry(at sequence: Int64, _ moment: Int64) -> BSONValue {
        ["s": .int64(sequence), "m": .int64(moment), "e": .binary(record)]
    }

    /// The former entries and this one, as an expression over the head with its new `seq`. With `ifLive`, only where an object is the latest
    /// version.
    func appended(ifLive: Bool) -> BSONValue {
        let former: BSONValue = ["$ifNull": ["$events", []]]
        let entry: BSONValue = ["s": "$seq", "m": ["$toLong": "$$NOW"], "e": .literal(.binary(record))]
        guard ifLive else { return ["$concatArrays": [former, [entry]]] }
        return ["$cond": [["$eq": ["$live", true]], ["$concatArrays": [former, [entry]]], former]]
    }

    /// Whether a head has no events, as an expression.
    static let areNone: BSONValue = ["$eq": [["$ifNull": ["$events", []]], []]]
}

/// An event as it stands in a head, in a group of jobs, or among those that were noted by themselves.
struct EventEntry: Sendable {
    /// Of the change that made it.
    let sequence: Int64
    /// In ms.
    let moment: Int64
    let record: [UInt8]

    init?(_ view: BSONView) {
        guard let sequence = view["s"]?.integer, let moment = view["m"]?.integer, let record = view["e"]?.binary else {
            return nil
        }
        (self.sequence, self.moment, self.record) = (sequence, moment, record)
    }

    init(sequence: Int64, moment: Int64, record: [UInt8]) {
        (self.sequence, self.moment, self.record) = (sequence, moment, record)
    }

    /// All of them, oldest first.
    static func all(in view: BSONView) -> [EventEntry] {
        (view["events"]?.array ?? []).compactMap { $0.document.flatMap { EventEntry($0) } }
    }

    /// As it is kept in a batch.
    var kept: BSONValue { ["s": .int64(sequence), "m": .int64(moment), "e": .binary(record)] }

    func event(at position: Int64) throws(MetadataError) -> ObjectEvent {
        var event = try Records.event(record)
        event.position = position
        event.moment = Timestamp(milliseconds: moment)
        if event.sequence < 0 { event.sequence = sequence }
        return event
    }
}
