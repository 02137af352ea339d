import CrashHistory
import Glibc
import LoadClient
import TestSupport

/// Flips bits in the files of a stopped store. Then each answer is right or an error, and the server does not crash.
struct FlipHarness {
    let options: Options
    private let folder: String
    private let setup: ServerSetup
    private var template: String { "\(folder)/template" }

    init(_ options: Options) {
        self.options = options
        folder = "\(options.folder)/flip-\(getpid())"
        setup = ServerSetup(
            program: options.program, preload: options.preload, data: "\(folder)/data", scratch: folder)
    }

    /// What became of the reads of one cycle.
    private struct Reads {
        var right = 0
        var errors = 0
    }

    func run(_ tally: Tally) throws {
        try Shell.run("mkdir", "-p", folder)
        defer { _ = try? Shell.run("rm", "-rf", folder) }
        var numbers = Numbers(seed: options.seed)
        let trial = try makeTemplate(numbers.fork(1))
        let files = try Shell.run("find", template, "-type", "f").split(separator: "\n").map(String.init).filter(
            isStored)
        guard !files.isEmpty else { throw ClientError("no file of the store matches seg/*.seg, obj/** or meta/*") }
        var pages: [String: PageMap] = [:]
        for name in ["meta/main.db", "meta/search.db"] where files.contains("\(template)/\(name)") {
            pages[name] = try PageMap(of: "\(template)/\(name)", in: folder)
        }
        var total = Reads()
        var refusals = 0
        for cycle in 1...options.cycles where tally.hasTime {
            try Shell.run("rm", "-rf", setup.data)
            try Shell.run("cp", "-a", template, setup.data)
            let flips = try flip(files, pages, &numbers)
            var findings: [String]
            do {
                switch try ServerProcess.start(setup) {
                case .refused(let status, let log):
                    refusals += 1
                    // In one sentence, after what is logged at every start.
                    let sentence = log.split(separator: "\n").last ?? ""
                    var isSaid = status > 0 && sentence.hasPrefix("ogw serve: ")
                    // A database that is damaged can be made anew, and starting again is no use.
                    if flips.hasPrefix("meta/main.db") {
                        isSaid = isSaid && status == 2 && sentence.contains("`ogw check --rebuild`")
                    }
                    findings = isSaid ? [] : ["the start ended with \(status):\n    \(log)"]
                case .running(let server):
                    let reads = read(trial, server)
                    total.right += reads.right
                    total.errors += reads.errors
                    findings = trial.ledger.takeFindings()
                    if let ending = server.ending {
                        findings.append("the server ended, \(ending.status):\n    \(ending.tail)")
                    }
                    server.kill()
                }
            } catch {
                findings = ["\(error)"]
            }
            if !findings.isEmpty { findings.insert("flipped: \(flips)", at: 0) }
            tally.count("\(cycle)", findings)
            if !findings.isEmpty { try keep(cycle, findings) }
        }
        print(
            "flip: \(total.right) reads right, \(total.errors) errors, \(refusals) starts refused")
    }

    /// Keeps the damaged store and the one before, with the findings and the server's log, where the options name a folder.
    private func keep(_ cycle: Int, _ findings: [String]) throws {
        guard let keep = options.keep else { return }
        let place = "\(keep)/flip-\(options.seed)-\(cycle)"
        try Shell.run("mkdir", "-p", place)
        try Shell.run("cp", "-a", setup.data, template, place)
        if (try? Shell.run("cp", "\(folder)/log", place)) == nil { print("flip \(cycle): there is no log to keep") }
        let text = findings.joined(separator: "\n") + "\n"
        guard let file = unsafe fopen("\(place)/findings", "w") else { throw ClientError.system("fopen") }
        // SAFETY: the text is read during the call only.
        let isWritten = unsafe fputs(text, file) >= 0
        guard unsafe fclose(file) == 0, isWritten else { throw ClientError("cannot write \(place)/findings") }
        print("kept: \(place)")
    }

    private func isStored(_ path: String) -> Bool {
        let name = path.dropFirst(template.count + 1)
        return name.hasPrefix("seg/") && name.hasSuffix(".seg") || name.hasPrefix("obj/") || name.hasPrefix("meta/")
    }

    private func makeTemplate(_ numbers: Numbers) throws -> Trial {
        let server = try ServerProcess.started(setup)
        let trial = Trial(numbers)
        try trial.prepare(server.endpoint)
        trial.run(server.endpoint, mayFail: false) { client in
            for _ in 0..<400 { client.step() }
        }
        // With what a crash leaves to be read again at the start.
        server.kill()
        let again = try ServerProcess.started(setup)
        let findings = trial.inspect(again.endpoint)
        again.stop()
        guard findings.isEmpty else { throw ClientError("before any bit was flipped: \(findings[0])") }
        try Shell.run("mv", setup.data, template)
        return trial
    }

    /// Flips one to three bits of one file. Says where.
    private func flip(_ files: [String], _ pages: [String: PageMap], _ numbers: inout Numbers) throws -> String {
        // Each kind of file as often as the others, however many there are.
        let kinds = Dictionary(grouping: files) { $0.dropFirst(template.count + 1).split(separator: "/")[0] }
        let names = kinds.keys.sorted()
        let kind = kinds[names[numbers.below(names.count)]] ?? []
        let name = String(kind[numbers.below(kind.count)].dropFirst(template.count + 1))
        var bytes = try TemporaryFolder.read("\(setup.data)/\(name)")
        if bytes.isEmpty { return "\(name) is empty" }
        var places: [String] = []
        for _ in 0..<1 + numbers.below(3) {
            let (place, bit) = (numbers.below(bytes.count), numbers.below(8))
            bytes[place] ^= 1 << bit
            places.append(pages[name].map { "\($0.describe(offset: place)) bit \(bit)" } ?? "byte \(place) bit \(bit)")
        }
        guard let file = unsafe fopen("\(setup.data)/\(name)", "r+") else { throw ClientError.system("fopen") }
        // SAFETY: the bytes are read during the call only.
        let written = unsafe fwrite(bytes, 1, bytes.count, file)
        if unsafe fclose(file) != 0 || written != bytes.count { throw ClientError("cannot write \(name)") }
        return "\(name) of \(bytes.count) bytes, \(places.joined(separator: ", "))"
    }

    private func read(_ trial: Trial, _ server: ServerProcess) -> Reads {
        let session = Session(server.endpoint)
        let ledger = trial.ledger
        var reads = Reads()
        for (key, state) in trial.states.sorted(by: { $0.key.path < $1.key.path }) {
            let latest = state.entries.last.flatMap { $0.isMarker ? nil : $0.id }
            check(session.call("GET", key.path), key, latest, ledger, &reads)
            check(session.call("HEAD", key.path), key, latest, ledger, hasBody: false, &reads)
            check(session.call("GET", key.path, range: "bytes=1000-5000"), key, latest, ledger, &reads)
            for version in ledger.versions(of: key) where !version.isMarker {
                let outcome = session.call("GET", key.path, query: "versionId=\(version.id)")
                check(outcome, key, version.entry, ledger, &reads)
            }
            if let entry = state.entries.last, !entry.isMarker { checkTag(session, key, entry, ledger, &reads) }
        }
        checkObjects(session, trial, &reads)
        checkVersions(session, trial, &reads)
        return reads
    }

    private func checkTag(
        _ session: Session, _ key: Key, _ entry: KeyState.Entry, _ ledger: Ledger, _ reads: inout Reads
    ) {
        guard case .answer(let answer) = session.call("GET", key.path, query: "tagging="), answer.status == 200 else {
            return reads.errors += 1
        }
        let tag = Client.tag(answer.body) ?? 0
        if tag != entry.tag { ledger.find("\(key.path) has tag \(tag), and had \(entry.tag)") }
        reads.right += 1
    }

    private func checkObjects(_ session: Session, _ trial: Trial, _ reads: inout Reads) {
        guard let objects = Listings.objects(session, bucket: Key.plainBucket) else { return reads.errors += 1 }
        var expected: [String: Listings.Object] = [:]
        for key in Key.plain {
            guard let entry = trial.states[key]?.entries.last, let etag = trial.ledger.write(entry.id)?.etag,
                let content = trial.ledger.content(etag)
            else { continue }
            expected[key.name] = Listings.Object(etag: etag, size: content.size)
        }
        for name in Set(objects.keys).union(expected.keys).sorted() where objects[name] != expected[name] {
            trial.ledger.find(
                "\(name) is listed as \(objects[name].map { "\($0)" } ?? "absent"), and was "
                    + (expected[name].map { "\($0)" } ?? "absent"))
        }
        reads.right += 1
    }

    private func checkVersions(_ session: Session, _ trial: Trial, _ reads: inout Reads) {
        guard let lines = Listings.versions(session, bucket: Key.versionedBucket) else { return reads.errors += 1 }
        let ledger = trial.ledger
        let listed = Dictionary(grouping: lines, by: \.key)
        for name in Set(listed.keys).union(Key.versioned.map(\.name)).sorted() {
            let key = Key(bucket: Key.versionedBucket, name: name)
            let entries = [KeyState.Entry]((trial.states[key]?.entries ?? []).reversed())
            let lines = listed[name] ?? []
            let isRight =
                lines.count == entries.count
                && zip(lines, entries).enumerated().allSatisfy { place, pair in
                    let (line, entry) = pair
                    guard line.isLatest == (place == 0), line.isMarker == entry.isMarker,
                        ledger.entry(named: line.versionID) == entry.id
                    else { return false }
                    return entry.isMarker
                        || line.etag == ledger.write(entry.id)?.etag && line.size == ledger.content(line.etag)?.size
                }
            if !isRight { ledger.find("the versions of \(name) are listed as \(lines), and were \(entries)") }
        }
        reads.right += 1
    }

    private func check(
        _ outcome: Session.Outcome, _ key: Key, _ wanted: EntryID?, _ ledger: Ledger, hasBody: Bool = true,
        _ reads: inout Reads
    ) {
        guard case .answer(let answer) = outcome, answer.status < 300 else {
            // Cut off within a body counts as an error: the client knows that something is amiss.
            switch outcome {
            case .answer(let answer) where answer.status == 416: reads.right += 1
            case .answer(let answer) where answer.status == 404:
                reads.right += 1
                if let wanted { ledger.find("\(key.path) answers 404, and was write \(wanted)") }
            default: reads.errors += 1
            }
            return
        }
        guard let found = BodyCheck(answer, of: key, ledger, hasBody: hasBody).id else { return }
        if found == wanted {
            reads.right += 1
        } else {
            ledger.find("\(key.path) is write \(found), and was \(wanted.map { "write \($0)" } ?? "absent")")
        }
    }
}
