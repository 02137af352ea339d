import CrashHistory
import LoadClient
import Threads

/// Reads everything that a restarted store holds, and checks the calls since the last inspection against it.
struct Inspection {
    private let session: Session
    private let ledger: Ledger
    private var numbers: Numbers
    /// What each key was found to hold.
    private(set) var states: [Key: KeyState] = [:]
    /// Uploads that go on.
    private(set) var uploads: [OpenUpload] = []
    private(set) var undecided = 0

    init(_ session: Session, _ ledger: Ledger, _ numbers: Numbers) {
        self.session = session
        self.ledger = ledger
        self.numbers = numbers
    }

    mutating func run(notes: [Note], initial: [Key: KeyState], uploads: [OpenUpload]) {
        var notes = notes
        for upload in uploads { inspect(upload, &notes) }
        let pageLength = numbers.chance(50) ? 1000 : 3 + numbers.below(8)
        guard let objects = Listings.objects(session, bucket: Key.plainBucket, pageLength: pageLength),
            let versions = Listings.versions(session, bucket: Key.versionedBucket, pageLength: pageLength)
        else { return ledger.find("a listing after the restart failed") }
        var found: [Key: Call.Action] = [:]
        for key in Key.plain { found[key] = inspect(key, objects[key.name]) }
        let lines = Dictionary(grouping: versions, by: \.key)
        for key in Key.versioned { found[key] = inspect(key, lines[key.name] ?? [], notes) }
        let names = Set(Key.all.map(\.name))
        for name in Set(objects.keys).union(lines.keys) where !names.contains(name) {
            ledger.find("a listing shows the key \(name), which nobody wrote")
        }
        check(notes, found, initial)
    }

    // MARK: The register of each key

    private mutating func check(_ notes: [Note], _ found: [Key: Call.Action], _ initial: [Key: KeyState]) {
        let writes = ledger.writesByKey()
        let byKey = Dictionary(grouping: notes, by: \.key)
        let now = Monotonic.nanoseconds
        for key in Key.all {
            var calls = (byKey[key] ?? []).map { note in
                Call(start: note.start, end: note.end, action: action(note, writes[key] ?? []))
            }
            // Without it the key could not be read, which has been said.
            guard let last = found[key] else { continue }
            calls.append(Call(start: now, end: now + 1, action: last))
            let history = KeyHistory(
                key: key.path, isVersioned: key.isVersioned, initial: initial[key] ?? KeyState(), calls: calls)
            switch history.check() {
            case .explained: break
            case .unexplained(let reason): ledger.find(reason)
            case .undecided: undecided += 1
            }
        }
    }

    private func action(_ note: Note, _ writes: [(id: EntryID, etag: String?)]) -> Call.Action {
        func fitting(_ etag: String) -> Set<EntryID> {
            // The copy of an object of several parts has another ETag than its source.
            let content = ledger.content(etag)?.id
            return Set(writes.filter { ($0.etag ?? etag) == etag || $0.id == content }.map(\.id))
        }
        switch note.fact {
        case .action(let action): return action
        case .etag(let etag): return .sees(.oneOf(fitting(etag)))
        case .versions(let lines):
            return .seesAll(
                lines.map { line in
                    if let entry = ledger.entry(named: line.versionID) {
                        return line.isMarker ? .marker([entry]) : .write([entry])
                    }
                    return line.isMarker ? .marker(unnamedMarkers) : .write(fitting(line.etag))
                })
        }
    }

    /// The deletes of the calls under inspection whose marker's name is not known.
    private var unnamedMarkers: Set<EntryID> = []

    // MARK: Reading

    private mutating func inspect(_ key: Key, _ listed: Listings.Object?) -> Call.Action? {
        guard case .answer(let answer) = session.call("GET", key.path) else {
            ledger.find("GET \(key.path) after the restart was not answered")
            return nil
        }
        switch answer.status {
        case 404:
            if listed != nil { ledger.find("\(key.path) is listed and answers 404") }
            states[key] = KeyState()
            return .seesAll([])
        case 200:
            guard let id = BodyCheck(answer, of: key, ledger).id else { return nil }
            if listed?.etag != answer.reply.etag || listed?.size != answer.body.count {
                ledger.find("\(key.path), write \(id), is listed as \(listed.map { "\($0)" } ?? "absent")")
            }
            let tag = tag(key)
            states[key] = KeyState([KeyState.Entry(id: id, tag: tag)])
            return .seesAll([.write([id], tag: tag)])
        default:
            ledger.find("GET \(key.path) after the restart answered \(answer.status) \(answer.code)")
            return nil
        }
    }

    /// A versioned key: `lines` are those of the listing, the newest first.
    private mutating func inspect(_ key: Key, _ lines: [ListedVersion], _ notes: [Note]) -> Call.Action? {
        let deletes = notes.compactMap { note -> EntryID? in
            if note.key == key, case .action(.delete(let id)) = note.fact, !ledger.isNamed(id) { return id }
            return nil
        }
        unnamedMarkers.formUnion(deletes)
        var entries: [KeyState.Entry] = []
        var listed: [Call.Listed] = []
        for (place, line) in lines.enumerated() {
            if line.isLatest != (place == 0) { ledger.find("\(key.path) version \(line.versionID): wrong IsLatest") }
            if line.isMarker {
                let known = ledger.entry(named: line.versionID)
                let id = known ?? ledger.newID()
                if known == nil { ledger.name(line.versionID, id, of: key, isMarker: true) }
                entries.append(KeyState.Entry(id: id, isMarker: true))
                listed.append(.marker(known.map { [$0] } ?? Set(deletes)))
                continue
            }
            guard let id = read(key, line) else { return nil }
            let tag = tag(key, version: line.versionID)
            entries.append(KeyState.Entry(id: id, tag: tag))
            listed.append(.write([id], tag: tag))
        }
        checkLatest(key, lines.first)
        states[key] = KeyState(entries.reversed())
        return .seesAll(listed)
    }

    private func read(_ key: Key, _ line: ListedVersion) -> EntryID? {
        let outcome = session.call("GET", key.path, query: "versionId=\(line.versionID)")
        guard case .answer(let answer) = outcome, answer.status == 200 else {
            ledger.find("\(key.path) version \(line.versionID) is listed and answers \(outcome.summary)")
            return nil
        }
        guard let id = BodyCheck(answer, of: key, ledger).id else { return nil }
        if line.etag != answer.reply.etag || line.size != answer.body.count {
            ledger.find("\(key.path) version \(line.versionID) is listed with \(line.etag), \(line.size) bytes")
        }
        return id
    }

    private func checkLatest(_ key: Key, _ line: ListedVersion?) {
        let outcome = session.call("HEAD", key.path)
        guard case .answer(let answer) = outcome else {
            return ledger.find("HEAD \(key.path) after the restart was not answered")
        }
        let wanted = line.map { $0.isMarker ? nil : $0.versionID } ?? nil
        if answer.status != (wanted == nil ? 404 : 200) {
            ledger.find(
                "HEAD \(key.path) answers \(answer.status), the listing begins with \(line.map { "\($0)" } ?? "nothing")"
            )
        } else if let wanted, answer.reply.field("x-amz-version-id") != wanted {
            ledger.find("HEAD \(key.path) is not the version that the listing begins with")
        }
    }

    private func tag(_ key: Key, version: String? = nil) -> EntryID? {
        let query = version.map { "tagging=&versionId=\($0)" } ?? "tagging="
        let outcome = session.call("GET", key.path, query: query)
        guard case .answer(let answer) = outcome, answer.status == 200 else {
            ledger.find("GET ?tagging of \(key.path) after the restart answered \(outcome.summary)")
            return nil
        }
        return Client.tag(answer.body) ?? 0
    }

    // MARK: Uploads

    private mutating func inspect(_ upload: OpenUpload, _ notes: inout [Note]) {
        let outcome = session.call("GET", upload.key.path, query: "uploadId=\(upload.id)")
        let what = "upload \(upload.id) of \(upload.key.path)"
        guard case .answer(let answer) = outcome, answer.status == 200 || answer.status == 404 else {
            return ledger.find("ListParts of \(what) after the restart answered \(outcome.summary)")
        }
        let isOpen = answer.status == 200
        if upload.ending != .none, upload.endingIsCertain {
            if isOpen { ledger.find("\(what), which was \(upload.ending), is open again") }
            return
        }
        guard isOpen else {
            if upload.ending == .none { ledger.find("\(what) is lost") }
            return
        }
        let listed = Listings.parts(answer.body)
        for (number, etag) in upload.acknowledged where listed[number] != etag {
            ledger.find("part \(number) of \(what) is lost: it was \(etag), and is \(listed[number] ?? "absent")")
        }
        for number in listed.keys where upload.acknowledged[number] == nil && !upload.unknown.contains(number) {
            ledger.find("part \(number) of \(what) was never sent")
        }
        if upload.ending == .completed {
            // It goes on, so nothing of it may be there as an object.
            notes.removeAll { note in
                if case .action(.write(upload.content.id, _)) = note.fact { return true }
                return false
            }
        }
        var next = upload
        next.ending = .none
        uploads.append(next)
    }
}

extension Session.Outcome {
    /// For a sentence.
    var summary: String {
        switch self {
        case .answer(let answer): "\(answer.status) \(answer.code)"
        case .unknown(let reason): "nothing (\(reason))"
        case .notSent: "nothing, as nobody listens"
        }
    }
}
