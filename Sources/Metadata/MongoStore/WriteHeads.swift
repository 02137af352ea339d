import Bytes
import Mongo
import Threads

/// Writing new versions together. What does not go so (a head that others change at the same time, an outcome that is not known, what is too
/// large) is left to `change`, which makes one change until it knows what became of it.
extension MongoStore {
    func putTogether(_ change: TopChange) async -> HeadWriter.Outcome {
        await Waiter<HeadWriter.Outcome>.suspend { waiter in
            if writer.add(HeadWriter.Waiting(change: change, waiter: waiter)) { startLane() }
        }
    }

    private func startLane() {
        pool.run { while let groups = self.writer.take() { self.write(groups) } }
    }

    private func release(_ keys: [HeadKey]) {
        if writer.release(keys) { startLane() }
    }

    private func answer(_ answers: [(HeadWriter.Waiting, HeadWriter.Outcome)]) {
        pool.corked { for (one, outcome) in answers { one.waiter.resume(outcome) } }
    }

    private func write(_ groups: [HeadGroup]) {
        let unread = writeUnread(groups)
        if !unread.isEmpty { writeRead(unread) }
    }

    /// Writes what need not be read before: heads as this gateway wrote them last, and keys that are new for all that is known. Returns the
    /// others.
    private func writeUnread(_ groups: [HeadGroup]) -> [HeadGroup] {
        guard let order = ClusterOrder.recent(database) else { return groups }
        let isNew = firstHeads.isLikely
        let now = Timestamp.now().milliseconds
        var assumed: [HeadGroup] = []
        var others: [HeadGroup] = []
        for group in groups {
            var decided = group
            guard let head = group.known ?? (isNew ? HeadState() : nil),
                (try? decided.decide(over: head, at: order, now: now)) != nil,
                // What is refused, or does not fit in, may be so for a head that is another by now.
                !decided.isRefusing, decided.results.count == decided.waiting.count
            else {
                others.append(group)
                continue
            }
            assumed.append(decided)
        }
        return others + send(assumed)
    }

    private func writeRead(_ groups: [HeadGroup]) {
        let query = MongoDatabase.Query(
            ["_id": ["$in": .array(groups.map(\.key.id))]], projection: HeadState.fields, limit: groups.count)
        var heads: [HeadKey: HeadState] = [:]
        var isComplete = false
        do throws(MetadataError) {
            let found = try attempt { (database) throws(MongoError) in
                try database.find(query, in: MongoSchema.heads)
            }
            for view in found.documents {
                if let key = HeadKey(id: view["_id"]?.document) { heads[key] = HeadState(view) }
            }
            isComplete = found.isComplete
        } catch {
            return leave(groups, mayBeDone: false)
        }
        guard let order = ClusterOrder.recent(database) else { return leave(groups, mayBeDone: false) }
        let now = Timestamp.now().milliseconds
        var changed: [HeadGroup] = []
        for group in groups {
            var group = group
            guard let head = heads[group.key] ?? (isComplete ? HeadState() : nil),
                (try? group.decide(over: head, at: order, now: now)) != nil
            else {
                leave([group], mayBeDone: false)
                continue
            }
            if group.isChanged { changed.append(group) } else { finish(group) }
        }
        // Others made these keys meanwhile.
        leave(send(changed), mayBeDone: false)
    }

    /// Writes what was decided, and answers. Returns those whose heads should not have been there, and were: undecided.
    private func send(_ groups: [HeadGroup]) -> [HeadGroup] {
        let new = groups.filter { !$0.former.isThere }
        if new.count < groups.count { update(groups.filter { $0.former.isThere }) }
        return new.isEmpty ? [] : insert(new)
    }

    private func insert(_ groups: [HeadGroup]) -> [HeadGroup] {
        var existing: [HeadGroup] = []
        guard
            let outcomes = outcomes(
                of: groups,
                { (database) throws(MongoError) in
                    try database.insertEach(groups.map(\.document), into: MongoSchema.heads)
                })
        else { return [] }
        for (place, group) in groups.enumerated() {
            switch outcomes.failed[place] {
            case nil:
                firstHeads.succeeded()
                finish(group)
            case .duplicateKey:
                firstHeads.failed()
                existing.append(group)
            default: leave([group], mayBeDone: false)
            }
        }
        return existing
    }

    private func update(_ groups: [HeadGroup]) {
        guard
            let outcomes = outcomes(
                of: groups,
                { (database) throws(MongoError) in
                    try database.updateEach(groups.map(\.update), in: MongoSchema.heads)
                })
        else { return }
        var rest: [HeadGroup] = []
        for (place, group) in groups.enumerated() {
            if outcomes.failed[place] == nil { rest.append(group) } else { leave([group], mayBeDone: false) }
        }
        if outcomes.matched < Int64(rest.count) { return finishWritten(of: rest) }
        for group in rest { finish(group) }
    }

    /// Nil where nothing is known of any, and they were left.
    private func outcomes(
        of groups: [HeadGroup], _ body: (MongoDatabase) throws(MongoError) -> MongoDatabase.Outcomes
    ) -> MongoDatabase.Outcomes? {
        guard let result = try? attemptWrite(body) else {
            leave(groups, mayBeDone: false)
            return nil
        }
        switch result {
        case .success(let outcomes): return outcomes
        case .failure(let error):
            // Only where it is said for sure that nothing was done, nothing was.
            if case .notCarriedOut = error {
                leave(groups, mayBeDone: false)
            } else {
                leave(groups, mayBeDone: true)
            }
            return nil
        }
    }

    /// Some of these were written. Those whose heads do not show it may have been, and been overwritten.
    private func finishWritten(of groups: [HeadGroup]) {
        let query = MongoDatabase.Query(
            ["_id": ["$in": .array(groups.map(\.key.id))]], projection: ["w": 1], limit: groups.count)
        let heads = try? attempt { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.heads).documents
        }
        var written: [HeadKey: BSONView] = [:]
        for view in heads ?? [] {
            if let key = HeadKey(id: view["_id"]?.document) { written[key] = view }
        }
        for group in groups {
            if let head = written[group.key], group.isWritten(in: head) {
                finish(group)
            } else {
                writer.lost(group.key)
                leave([group], mayBeDone: true)
            }
        }
    }

    // MARK: Answers

    /// What was decided is so.
    private func finish(_ group: HeadGroup) {
        var group = group
        let rest = group.takeUndecided()
        if group.isChanged {
            // What is large is read again.
            let isKept = group.former.isThere && group.written.latest.map { $0.view.encodedCount <= 4_096 } == true
            if isKept { writer.remember(group.written, of: group.key) } else { writer.forget(group.key) }
        }
        answer(group.answers)
        if rest.isEmpty {
            let count = max(group.state.outboxCount, group.state.eventCount)
            if count >= HeadChange.outboxCountHigh { relieveLater(group.key) }
            return release([group.key])
        }
        // The key waits with what waits for it.
        let key = group.key
        pool.run {
            do throws(MetadataError) {
                try await self.relieve(key)
                self.writer.giveBack(rest, of: key)
            } catch {
                self.answer(rest.map { ($0, .alone(mayBeDone: false)) })
            }
            self.release([key])
        }
    }

    private func leave(_ groups: [HeadGroup], mayBeDone: Bool) {
        for group in groups { writer.forget(group.key) }
        answer(groups.flatMap { $0.alone(mayBeDone: mayBeDone) })
        release(groups.map(\.key))
    }
}

extension ClusterOrder {
    /// Nil where nothing was told lately.
    fileprivate static func recent(_ database: MongoDatabase) -> Int64? {
        database.recentTime(within: ageMax).map { of($0) }
    }
}
