import Bytes
import Mongo
import Synchronization

/// The head of a key that has none, as its first change makes it: a plain insert, which costs a server a third of what the general
/// update does. Where the key has a head already the insert fails, and the update follows.
///
/// The server computes nothing for an insert, so `seq` is the cluster's time as this gateway was told it last, within `ageMax`. A key whose head
/// is gone had its last change 60 s before that, at least (`MongoSchema`), so that it goes on above its former numbers all the same.
struct FirstHead: Sendable {
    /// Of the version, but for `s`, `r` and `m`.
    let version: BSONDocument
    let isDeleteMarker: Bool

    static let ageMax = Duration.seconds(20)

    func document(of key: HeadKey, write: Int64, order: Int64, modified: Int64) -> BSONDocument {
        var latest = version
        latest.append("s", .int64(order))
        latest.append("r", .int64(order))
        latest.append("m", .int64(modified))
        var head: BSONDocument = [
            "_id": key.id, "seq": .int64(order), "outbox": [], "w": .int64(write), "latest": .document(latest),
        ]
        if !isDeleteMarker { head.append("live", true) }
        return head
    }

    /// A time of the cluster among the `seq` of heads.
    static func order(of time: UInt64) -> Int64 {
        Int64(time >> 32) << HeadPipeline.secondShift + Int64(min(time & 0xFFFF_FFFF, (1 << 20) - 1))
    }
}

/// Whether inserts of first heads succeed mostly: a failed one costs time for nothing. Where keys are overwritten it is tried now and then.
final class FirstHeadLuck: Sendable {
    private let credit = Atomic<Int>(creditMax)
    private static let creditMax = 64

    var isLikely: Bool { credit.load(ordering: .relaxed) > 0 || Int.random(in: 0..<32) == 0 }

    func succeeded() { if credit.load(ordering: .relaxed) < Self.creditMax { credit.add(2, ordering: .relaxed) } }
    func failed() { if credit.load(ordering: .relaxed) > 0 { credit.subtract(4, ordering: .relaxed) } }
}

extension MongoStore {
    /// Nil where the change is not the first of its key, or may be another for all that is known. Throws as an attempt of the general update
    /// does.
    func insertFirst(_ change: HeadChange) throws(MetadataError) -> Result<HeadChange.Done?, MongoError> {
        guard let first = change.first, firstHeads.isLikely,
            let time = database.recentTime(within: FirstHead.ageMax)
        else { return .success(nil) }
        let order = FirstHead.order(of: time)
        let modified = Timestamp.now().milliseconds
        let head = first.document(of: change.key, write: change.write, order: order, modified: modified)
        let result = try attemptWrite { (database) throws(MongoError) in
            try database.insert([head], into: MongoSchema.heads)
        }
        switch result {
        case .success:
            firstHeads.succeeded()
            return .success(HeadChange.Done(sequence: order, modified: modified))
        case .failure(.duplicateKey):
            firstHeads.failed()
            return .success(nil)
        case .failure(let error): return .failure(error)
        }
    }
}
