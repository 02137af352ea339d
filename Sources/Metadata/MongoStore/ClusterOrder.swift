import Synchronization

/// The cluster's time among the `seq` of heads, where a gateway and not the server puts it there: the latest that it was told, within `ageMax`.
///
/// A key whose head is gone had its last change 60 s before that, at least (`MongoSchema`), so that it goes on above its former numbers all
/// the same.
enum ClusterOrder {
    static let ageMax = Duration.seconds(20)

    static func of(_ time: UInt64) -> Int64 {
        Int64(time >> 32) << HeadPipeline.secondShift + Int64(min(time & 0xFFFF_FFFF, (1 << 20) - 1))
    }
}

/// Whether keys are new mostly: then their heads are inserted without being looked for. A failed insert costs time for nothing, so where
/// keys are overwritten it is tried now and then.
final class FirstHeadLuck: Sendable {
    private let credit = Atomic<Int>(creditMax)
    private static let creditMax = 64

    var isLikely: Bool { credit.load(ordering: .relaxed) > 0 || Int.random(in: 0..<32) == 0 }

    func succeeded() { if credit.load(ordering: .relaxed) < Self.creditMax { credit.add(2, ordering: .relaxed) } }
    func failed() { if credit.load(ordering: .relaxed) > 0 { credit.subtract(4, ordering: .relaxed) } }
}
