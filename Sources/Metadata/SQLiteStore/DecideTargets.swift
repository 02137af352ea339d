import Bytes

/// Receivers of events.
extension Decider {
    static let targetCountMax = 1000

    /// One that is new hears of what happens from now on; one that is replaced goes on where it is.
    mutating func setTarget(_ new: StoredTarget, _ decision: inout Decision) throws(MetadataError) -> Answer {
        var target = new
        if let former = try rows.target(named: new.name) {
            (target.created, target.position) = (former.created, former.position)
            target.droppedCount = former.droppedCount
            if target == former { return .done }
        } else {
            if try rows.targets().count >= Self.targetCountMax {
                throw .limitExceeded("\(Self.targetCountMax) targets")
            }
            target.created = now
            target.position = target.firstPosition(after: sequence)
            target.droppedCount = 0
        }
        decision.changes.append(.target(target))
        return .done
    }

    /// Returns whether it was there.
    func removeTarget(_ name: String, _ decision: inout Decision) throws(MetadataError) -> Answer {
        guard try rows.target(named: name) != nil else { return .made(0) }
        decision.changes.append(.targetRemoved(name))
        return .made(1)
    }

    /// Never backwards. Nothing happens where it is gone.
    func moveTarget(
        _ name: String, to position: Int64, dropping count: Int64, _ decision: inout Decision
    ) throws(MetadataError) -> Answer {
        guard let target = try rows.target(named: name), position > target.position else { return .done }
        decision.changes.append(
            .targetMoved(name, position: position, droppedCount: target.droppedCount &+ count))
        return .done
    }
}
