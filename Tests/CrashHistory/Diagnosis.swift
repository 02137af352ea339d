/// Says in a sentence what is wrong with a history that no order explains. A help for the reader only: the search decides.
struct Diagnosis {
    let sentence: String

    init(_ history: KeyHistory, deepest: Deepest) {
        let kind = Self.kind(history)
        let blocked = deepest.blocked.map { "\($0)" }.joined()
        let near = history.calls.sorted { $0.start < $1.start }
            .filter { call in
                guard let last = deepest.blocked.first else { return false }
                return call.end >= last.start && call.start <= last.end || !call.isCertain
            }.prefix(12).map { "\n    \($0)" }.joined()
        sentence =
            "\(history.key): \(kind); from \(history.initial), after \(deepest.count) calls that led to \(deepest.state), "
            + "nothing explains \(blocked); calls near it:\(near)"
    }

    private static func kind(_ history: KeyHistory) -> String {
        let calls = history.calls
        let last = calls.filter { $0.isCertain }.max { $0.end < $1.end }
        guard let last, case .seesAll(let listed) = last.action else { return "not linearizable" }
        var shown: Set<EntryID> = []
        for line in listed {
            switch line {
            case .write(let ids, _), .marker(let ids): shown.formUnion(ids)
            }
        }
        var made = Set(history.initial.entries.map(\.id))
        for call in calls {
            switch call.action {
            case .write(let id, _), .delete(let id): made.insert(id)
            default: break
            }
        }
        if !shown.isSubset(of: made) { return "shows what nobody wrote" }
        for call in calls where call.isCertain {
            switch call.action {
            case .write(let id, _):
                if !shown.contains(id), !calls.contains(where: { $0.mayEnd(id, of: call, history.isVersioned) }) {
                    return "an acknowledged write is lost (write \(id))"
                }
            case .delete:
                let older = calls.filter { $0.isCertain && $0.end < call.start }.compactMap(\.written)
                let back = shown.intersection(older + history.initial.entries.map(\.id))
                if !history.isVersioned, !back.isEmpty { return "what was deleted came back (write \(back.sorted()))" }
            case .remove(let id):
                if shown.contains(id) { return "a removed version came back (write \(id))" }
            default: break
            }
        }
        return "not linearizable"
    }
}

extension Call {
    fileprivate var written: EntryID? {
        if case .write(let id, _) = action { return id }
        return nil
    }

    /// Whether this call may have taken away what `write` wrote.
    fileprivate func mayEnd(_ id: EntryID, of write: Call, _ isVersioned: Bool) -> Bool {
        switch action {
        case .remove(let removed): removed == id
        case .write(let other, _): !isVersioned && other != id && end > write.start
        case .delete: !isVersioned && end > write.start
        default: false
        }
    }
}
