import Bytes
import Digests
import Files
import Glibc
import JSON
import Metadata
import Threads

/// The tokens by which workers on other machines prove that they may take jobs. Their digests are kept in a file of the data
/// folder, or in the database that several gateways share; a token itself is shown once.
final class WorkerTokens: Sendable {
    struct Entry: Sendable, Equatable {
        var name: String
        /// SHA-256 of the token.
        var digest: [UInt8]
        var created: Timestamp
    }

    static let fileName = "worker-tokens.json"
    static let nameRule = UserRules.nameRule
    static let countMax = 1_000
    private static let fileSizeMax = 1 << 20

    private struct State {
        var entries: [Entry] = []
        /// The file is being written; a second change waits its turn elsewhere.
        var isChanging = false
        /// Before they were read from the database.
        var readAt: UInt64?
    }

    private enum Place {
        case file(path: String)
        case database(MongoStore)
    }

    private let place: Place
    private let state = Lock(State())
    /// So long another gateway's change may be unknown, in nanoseconds.
    private static let freshFor: UInt64 = 1_000_000_000

    /// Reads the file where there is one. May block.
    init(folder: String) throws(StartError) {
        let path = "\(folder)/\(Self.fileName)"
        place = .file(path: path)
        do {
            // SAFETY: the path is lent for the call.
            guard unsafe access(path, F_OK) == 0 else { return }
            let text = try OpenFile.open(path, flags: O_RDONLY).read(at: 0, count: Self.fileSizeMax)
            guard let entries = Self.entries(text) else {
                throw StartError("\(path) is damaged: wanted what `ogw worker-token add` wrote there.", isFinal: true)
            }
            state.withLock { $0.entries = entries }
        } catch {
            throw StartError("The tokens of workers cannot be read", because: error)
        }
    }

    init(_ store: MongoStore) { place = .database(store) }

    /// May block where several gateways share them.
    func entries() throws -> [Entry] {
        guard case .database(let store) = place else { return state.withLock { $0.entries } }
        let now = Monotonic.nanoseconds
        let known = state.withLock { state in
            state.readAt.flatMap { now &- $0 < Self.freshFor ? state.entries : nil }
        }
        return try known ?? read(store).entries
    }

    private func read(_ store: MongoStore) throws -> (entries: [Entry], revision: Int64) {
        let now = Monotonic.nanoseconds
        let kept = try store.workerTokens()
        guard let entries = kept.document.isEmpty ? [] : Self.entries(kept.document) else {
            throw MetadataError.broken("the tokens of workers in the database are damaged")
        }
        state.withLock { ($0.entries, $0.readAt) = (entries, now) }
        return (entries, kept.revision)
    }

    /// The name of the token's entry; nil for a token that nobody has. How long it takes says nothing about any token.
    func name(of token: ArraySlice<UInt8>) throws -> String? {
        let digest = Digest.sha256([UInt8](token))
        return try entries().reduce(nil) { found, entry in ConstantTime.equal(entry.digest, digest) ? entry.name : found
        }
    }

    /// Returns the new token. May block. Throws a problem where the name is taken, or cannot be one.
    func add(_ name: String, at moment: Timestamp) throws -> String {
        guard UserRules.isName(name) else { throw Problem.invalid([.init(field: "name", wanted: Self.nameRule)]) }
        let token = "ogwt_" + Hex.string(SecureRandom.bytes(24))
        try change { entries in
            guard !entries.contains(where: { $0.name == name }) else {
                throw Problem(409, "Conflict", "There is a worker token \(name) already.")
            }
            guard entries.count < Self.countMax else {
                throw Problem(409, "Limit exceeded", "The limit is reached: \(Self.countMax) worker tokens.")
            }
            entries.append(Entry(name: name, digest: Digest.sha256([UInt8](token.utf8)), created: moment))
        }
        return token
    }

    /// Whoever has the token is refused from now on. May block.
    func remove(_ name: String) throws {
        try change { entries in
            guard entries.contains(where: { $0.name == name }) else {
                throw Problem(404, "Not found", "There is no worker token \(name).")
            }
            entries.removeAll { $0.name == name }
        }
    }

    /// What is in memory changes after the file or the database did.
    private func change(_ body: (inout [Entry]) throws -> Void) throws {
        switch place {
        case .file(let path): try change(fileAt: path, body)
        case .database(let store): try change(in: store, body)
        }
    }

    /// Another gateway's change may come between; then it is read and changed again.
    private func change(in store: MongoStore, _ body: (inout [Entry]) throws -> Void) throws {
        for _ in 0..<10 {
            let (present, revision) = try read(store)
            var entries = present
            try body(&entries)
            let isDone = try store.keepWorkerTokens(Self.text(entries), after: revision)
            state.withLock { $0.readAt = nil }
            if isDone { return }
        }
        throw Problem(503, "Unavailable", "The tokens are being changed; try again.")
    }

    private func change(fileAt path: String, _ body: (inout [Entry]) throws -> Void) throws {
        let present = state.withLock { state -> [Entry]? in
            if state.isChanging { return nil }
            state.isChanging = true
            return state.entries
        }
        guard var entries = present else {
            throw Problem(503, "Unavailable", "The tokens are being changed; try again.")
        }
        defer { state.withLock { $0.isChanging = false } }
        try body(&entries)
        try write(entries, to: path)
        let changed = entries
        state.withLock { $0.entries = changed }
    }

    /// The name appears only once the bytes are durable.
    private func write(_ entries: [Entry], to path: String) throws {
        let text = Self.text(entries)
        let draft = path + ".new"
        let file = try OpenFile.open(draft, flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(text.span, at: 0)
        try file.sync()
        try LinuxDisk().rename(draft, to: path)
        let slash = path.lastIndex(of: "/")
        try OpenFile.syncDirectory(slash.map { String(path[..<$0]) } ?? ".")
    }

    private static func text(_ entries: [Entry]) -> [UInt8] {
        JSONValue.object([
            .init(
                "tokens",
                .array(
                    entries.map {
                        [
                            "name": .string($0.name), "sha256": .string(Hex.string($0.digest)),
                            "created_at": .string(String(ascii: DateFormats.iso8601($0.created))),
                        ]
                    }))
        ]).text
    }

    private static func entries(_ text: [UInt8]) -> [Entry]? {
        guard let list = JSONValue(parsing: text)?["tokens"]?.array, list.count <= countMax else { return nil }
        var entries: [Entry] = []
        for value in list {
            guard let name = value["name"]?.string,
                let digest = value["sha256"]?.string.flatMap({ Hex.decode($0.utf8) }),
                digest.count == 32,
                let created = value["created_at"]?.string.flatMap({ DateFormats.parseISO8601($0.utf8) })
            else { return nil }
            entries.append(Entry(name: name, digest: digest, created: created))
        }
        return entries
    }
}
