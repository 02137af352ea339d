import CrashHistory
import Glibc
import LoadClient
import Synchronization
import TestSupport
import Threads

/// Fills a small disk until writes are refused. Then reads and deletes go on, and writes do again once there is room, without
/// a restart.
struct FullHarness {
    let options: Options

    init(_ options: Options) { self.options = options }

    func run(_ tally: Tally) throws {
        let folder = "\(options.folder)/full-\(getpid())"
        try Shell.run("mkdir", "-p", folder)
        defer { _ = try? Shell.run("rm", "-rf", folder) }
        if let obstacle = LoopDisk.obstacle(in: folder) { return tally.skip(obstacle) }
        var numbers = Numbers(seed: options.seed)
        for cycle in 1...options.cycles where tally.hasTime {
            let size = 64 + numbers.below(97)
            // At 0 the store meets the file system's own limit; above it, its own.
            let freeMin = [0, 0, 8, 16][numbers.below(4)]
            var setup = ServerSetup(
                program: options.program, preload: options.preload, data: "\(folder)/disk/data", scratch: folder)
            setup.environment["OGW_DISK_FREE_MIN"] = "\(freeMin)MiB"
            let name = "\(cycle) (\(size) MiB, OGW_DISK_FREE_MIN \(freeMin)MiB)"
            do {
                let disk = try LoopDisk(in: folder, name: "disk", mebibytes: size)
                let fill = try Fill(setup, numbers.fork(cycle))
                let findings = try fill.run()
                fill.end()
                tally.count("fill \(name)", findings, note: fill.summary)
                try disk.unmount()
            } catch {
                tally.count("fill \(name)", ["\(error)"])
            }
        }
    }
}

/// One disk that is filled, emptied by half, filled again, and read after a restart. Each key is written once.
private final class Fill {
    private static let clients = 4
    private let setup: ServerSetup
    private var server: ServerProcess
    private var numbers: Numbers
    private let shared = Shared()
    private var deleted: Set<Int> = []
    private(set) var summary = ""

    /// What the writers of one disk have in common.
    private final class Shared: Sendable {
        struct Book {
            var written: [Int: WrittenContent] = [:]
            var refused: [Int: WrittenContent] = [:]
            var unknown: Set<Int> = []
            var findings: [String] = []
        }

        let book = Lock(Book())
        let next = Atomic<Int>(0)

        func find(_ sentence: String) {
            book.withLock { if $0.findings.count < 20 { $0.findings.append(sentence) } }
        }
    }

    init(_ setup: ServerSetup, _ numbers: Numbers) throws {
        self.setup = setup
        self.numbers = numbers
        server = try ServerProcess.started(setup)
    }

    func end() { server.kill() }

    func run() throws -> [String] {
        let outcome = Session(server.endpoint).call("PUT", "/plain")
        guard case .answer(let answer) = outcome, answer.status == 200 else {
            return ["PUT /plain: \(outcome.summary)"]
        }
        for round in 1...2 {
            try fill()
            let count = shared.book.withLock { $0.written.count }
            if server.ending == nil { checkReads("while the disk is full") }
            if server.ending == nil { deleteHalf(count) }
            if server.ending == nil { checkWriting() }
            if let ending = server.ending {
                shared.find("the server ended, status \(ending.status):\n    \(ending.tail)")
            }
            summary +=
                "\(round == 1 ? "" : ", then ")\(count) objects and \(shared.book.withLock { $0.refused.count }) refusals"
            if !shared.book.withLock({ $0.findings.isEmpty }) { break }
        }
        if numbers.chance(50) { server.kill() } else { server.stop() }
        do {
            server = try ServerProcess.started(setup)
            checkReads("after the restart")
            checkListing()
        } catch {
            shared.find("\(error)")
        }
        return shared.book.withLock { $0.findings }
    }

    private static func path(_ number: Int) -> String { "/plain/fill-\(number)" }

    /// The sizes go down, so that the last holes are filled too.
    private func fill() throws {
        for size in [4 << 20, 300_000, 132_096, 20_000, 4096, 1] {
            let (shared, endpoint) = (shared, server.endpoint)
            _ = try ClientThreads.run(Self.clients) { _ in
                let session = Session(endpoint)
                var refusals = 0
                // A limit of its own, since an engine may find room for small ones for long.
                for _ in 0..<400 where refusals < 3 {
                    if Self.put(session, shared, size) { refusals = 0 } else { refusals += 1 }
                }
            }
            if server.ending != nil { return }
        }
    }

    /// Returns whether it was taken.
    private static func put(_ session: Session, _ shared: Shared, _ size: Int) -> Bool {
        let number = shared.next.add(1, ordering: .relaxed).oldValue
        let content = WrittenContent(key: path(number), id: number, size: size)
        let outcome = session.call("PUT", content.key, body: content.bytes)
        guard case .answer(let answer) = outcome else {
            shared.book.withLock { _ = $0.unknown.insert(number) }
            shared.find("PUT of \(size) bytes: \(outcome.summary)")
            return false
        }
        switch answer.status {
        case 200:
            shared.book.withLock { $0.written[number] = content }
            return true
        case 507: shared.book.withLock { $0.refused[number] = content }
        default:
            shared.book.withLock { _ = $0.unknown.insert(number) }
            shared.find("PUT of \(size) bytes on a full disk answered \(outcome.summary), not 507")
        }
        return false
    }

    private func checkReads(_ when: String) {
        let session = Session(server.endpoint)
        let (written, refused) = shared.book.withLock { ($0.written, $0.refused) }
        for (number, content) in written.sorted(by: { $0.key < $1.key }) {
            let outcome = session.call("GET", content.key)
            guard case .answer(let answer) = outcome else {
                return shared.find("GET \(when): \(outcome.summary)")
            }
            if deleted.contains(number) {
                if answer.status != 404 { shared.find("GET \(when) of a deleted object answered \(answer.status)") }
            } else if answer.status != 200 {
                shared.find("GET \(content.key) \(when) answered \(outcome.summary)")
            } else if let difference = content.difference(answer.body) {
                shared.find("GET \(content.key) \(when): \(difference)")
            }
        }
        for content in refused.values.shuffled(using: &numbers).prefix(50) {
            if case .answer(let answer) = session.call("HEAD", content.key), answer.status != 404 {
                shared.find("\(content.key), whose write was refused, answers \(answer.status) \(when)")
            }
        }
    }

    private func deleteHalf(_ count: Int) {
        let session = Session(server.endpoint)
        let here = shared.book.withLock { Set($0.written.keys) }.subtracting(deleted).sorted()
        for (place, number) in here.enumerated() where place.isMultiple(of: 2) {
            let outcome = session.call("DELETE", Self.path(number))
            if case .answer(let answer) = outcome, answer.status == 204 {
                deleted.insert(number)
            } else {
                shared.book.withLock { book in
                    book.written[number] = nil
                    book.unknown.insert(number)
                }
                shared.find("DELETE \(place / 2 + 1) of \(here.count / 2) on a full disk: \(outcome.summary)")
                if place > 20 { return }
            }
        }
    }

    /// Room may come back a little after the deletes; how soon is not judged.
    private func checkWriting() {
        let session = Session(server.endpoint)
        let deadline = Monotonic.milliseconds + 30_000
        while Monotonic.milliseconds < deadline, server.ending == nil {
            if Self.put(session, shared, 132_096) { return }
            usleep(100_000)
        }
        shared.find("half of all objects are deleted, and writes are refused still")
    }

    private func checkListing() {
        guard let objects = Listings.objects(Session(server.endpoint), bucket: Key.plainBucket) else {
            return shared.find("the listing after the restart failed")
        }
        let book = shared.book.withLock { $0 }
        let wanted = Set(book.written.keys.filter { !deleted.contains($0) }.map { "fill-\($0)" })
        let open = Set(book.unknown.map { "fill-\($0)" })
        let lost = wanted.subtracting(objects.keys)
        let extra = Set(objects.keys).subtracting(wanted).subtracting(open)
        if !lost.isEmpty { shared.find("the listing lacks \(lost.count) objects, such as \(lost.first ?? "")") }
        if !extra.isEmpty { shared.find("the listing shows \(extra.count) too many, such as \(extra.first ?? "")") }
    }
}
