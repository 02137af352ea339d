/// An owner of a descriptor that the pool watches. Both calls come on pool threads, possibly at the same time on several.
public protocol Pollable: AnyObject, Sendable {
    /// The descriptor is ready, failed, or was closed by its peer. Each `watch` reports at most once.
    func descriptorIsReady()
    /// Called for every registered owner about four times a second; `now` is in `Monotonic.milliseconds`.
    func tick(now: UInt64)
}

/// The place of a registered owner: a slot and its generation, so an event for a former owner is recognised as stale.
public struct PollToken: Sendable, Equatable {
    let slot: UInt32
    let generation: UInt32

    /// Names no owner.
    public static let none = PollToken(slot: .max, generation: .max)

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    init(eventData: UInt64) {
        slot = UInt32(truncatingIfNeeded: eventData)
        generation = UInt32(truncatingIfNeeded: eventData >> 32)
    }

    var eventData: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// What an owner waits for.
public enum Interest: Sendable {
    case read, write
}

/// The registered owners by slot.
struct PollTable {
    private struct Slot {
        var generation: UInt32 = 0
        var owner: (any Pollable)?
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    var isEmpty: Bool { slots.count == free.count }
    var slotCount: Int { slots.count }

    mutating func insert(_ owner: any Pollable) -> PollToken {
        if let slot = free.popLast() {
            slots[Int(slot)].owner = owner
            return PollToken(slot: slot, generation: slots[Int(slot)].generation)
        }
        slots.append(Slot(owner: owner))
        return PollToken(slot: UInt32(truncatingIfNeeded: slots.count - 1), generation: 0)
    }

    /// Returns the owner, so that its last reference goes outside the table's lock.
    mutating func remove(_ token: PollToken) -> (any Pollable)? {
        let index = Int(token.slot)
        guard index < slots.count, slots[index].generation == token.generation, let owner = slots[index].owner else {
            return nil
        }
        slots[index].owner = nil
        slots[index].generation &+= 1
        free.append(token.slot)
        return owner
    }

    func owner(_ token: PollToken) -> (any Pollable)? {
        let index = Int(token.slot)
        guard index < slots.count, slots[index].generation == token.generation else { return nil }
        return slots[index].owner
    }

    /// The owners in the slots of `range`, as far as there are such slots.
    func owners(in range: Range<Int>) -> [any Pollable] {
        slots[range.clamped(to: 0..<slots.count)].compactMap(\.owner)
    }
}
