import Threads

/// The latest versions that were read lately, kept true by the committer.
///
/// A commit forgets the keys that it changes before it becomes visible, and bars them from being remembered until it is; a
/// reader remembers what it read only where no commit touched that part of the cache since it began. So what is remembered is
/// what the database would say.
final class VersionCache: Sendable {
    private struct Key: Hashable {
        var bucket: BucketID
        var key: ObjectKey
    }

    private struct Part {
        var entries: [Key: ObjectVersion] = [:]
        /// Counts commits that touched this part.
        var generation: UInt64 = 0
        /// Commits under way that touch this part.
        var barred = 0
    }

    /// What `remember` needs to know of the moment before the row was read.
    struct Ticket {
        fileprivate var part: Int
        fileprivate var generation: UInt64?
    }

    private static let partCount = 64
    private let parts: [Lock<Part>]
    private let entryCountMax: Int

    init(entryCountMax: Int) {
        self.entryCountMax = max(0, entryCountMax) / Self.partCount
        parts = (0..<Self.partCount).map { _ in Lock(Part()) }
    }

    private static func part(of key: Key) -> Int { Int(UInt(bitPattern: key.hashValue) % UInt(partCount)) }

    /// The latest version of a key, or what is needed to remember the one that is read now.
    func find(_ key: ObjectKey, in bucket: BucketID) -> (ObjectVersion?, Ticket) {
        let key = Key(bucket: bucket, key: key)
        let index = Self.part(of: key)
        return parts[index].withLock { part in
            (part.entries[key], Ticket(part: index, generation: part.barred > 0 ? nil : part.generation))
        }
    }

    func remember(_ version: ObjectVersion, in bucket: BucketID, _ ticket: Ticket) {
        guard let generation = ticket.generation, entryCountMax > 0, version.isSmall else { return }
        let key = Key(bucket: bucket, key: version.key)
        parts[ticket.part].withLock { part in
            guard part.barred == 0, part.generation == generation else { return }
            // Which one goes does not matter much: what is read often comes back at once.
            if part.entries.count >= entryCountMax { part.entries.remove(at: part.entries.startIndex) }
            part.entries[key] = version
        }
    }

    /// Before the changes become visible.
    func begin(_ changes: [RowChange]) {
        for index in touched(by: changes, forgetting: true) { parts[index].withLock { $0.barred += 1 } }
    }

    /// When they are visible, or will never be.
    func end(_ changes: [RowChange]) {
        for index in touched(by: changes, forgetting: false) {
            parts[index].withLock { part in
                part.barred -= 1
                part.generation += 1
            }
        }
    }

    /// Forgets all, and what readers that began before are about to remember: places in segments that are to be removed.
    func clear() {
        for part in parts {
            part.withLock { part in
                part.entries = [:]
                part.generation += 1
            }
        }
    }

    private func touched(by changes: [RowChange], forgetting: Bool) -> Set<Int> {
        var touched: Set<Int> = []
        for change in changes {
            let key: Key
            switch change {
            case .version(let bucket, let version): key = Key(bucket: bucket, key: version.key)
            case .versionRemoved(let bucket, let name, _), .latest(let bucket, let name, _, _),
                .tags(let bucket, let name, _, _):
                key = Key(bucket: bucket, key: name)
            default: continue
            }
            let index = Self.part(of: key)
            touched.insert(index)
            if forgetting { parts[index].withLock { $0.entries[key] = nil } }
        }
        return touched
    }
}

extension ObjectVersion {
    /// A manifest of thousands of parts would take the memory of thousands of others.
    fileprivate var isSmall: Bool { if case .parts(let parts) = content { parts.count <= 16 } else { true } }
}
