import Glibc
public import Mongo
import TestSupport
import Threads

/// A real replica set of `mongod` on free ports of 127.0.0.1, with data folders of its own.
///
/// `OGW_TEST_MONGOD` names the program; without it `.tools/mongod` is taken, which scripts/install-test-tools brings. It ends with
/// this process, however that ends.
public final class MongoServer: Sendable {
    /// One member of the set.
    public struct Member: Sendable {
        public let port: UInt16
        fileprivate let child: ChildProcess
        fileprivate let arguments: [String]
        fileprivate let data: String
    }

    private let running: Lock<[Member]>
    /// Those that run.
    public var members: [Member] { running.withLock { $0 } }
    /// Without database and options: `mongodb://host:port,...`
    private let address: String
    private let options: String
    private let folder: TemporaryFolder?

    private init(members: [Member], address: String, options: String, folder: TemporaryFolder?) {
        running = Lock(members)
        (self.address, self.options, self.folder) = (address, options, folder)
    }

    /// One set of one member for the tests of a process, or the one that `OGW_TEST_MONGODB` names.
    public static var shared: MongoServer {
        get throws { try started.get() }
    }

    private static let started = Result {
        guard let uri = variable("OGW_TEST_MONGODB") else { return try start() }
        let (text, query) = uri.cut("?")
        let (scheme, rest) = text.cut("://")
        return MongoServer(members: [], address: "\(scheme)://\(rest.cut("/").before)", options: query, folder: nil)
    }

    /// A connection string for a database of the set.
    public func uri(database: String) -> String { "\(address)/\(database)?\(options)" }

    /// Starts the members and makes them a set. Blocks until one of them takes writes.
    public static func start(memberCount: Int = 1) throws -> MongoServer {
        let folder = try TemporaryFolder()
        let members = try (0..<memberCount).map { index in
            let data = folder.file("member-\(index)")
            // SAFETY: the path is lent for the call.
            _ = unsafe mkdir(data, 0o700)
            return try startMember(try freeLoopbackPort(), data: data)
        }
        let hosts = members.map { "127.0.0.1:\($0.port)" }
        let server = MongoServer(
            members: members, address: "mongodb://\(hosts.joined(separator: ","))", options: "replicaSet=rs0",
            folder: folder)
        let first = try MongoDatabase.direct(members[0].port)
        let configuration: BSONValue = [
            "_id": "rs0",
            "members": .array(
                hosts.enumerated().map { ["_id": .int32(Int32($0.offset)), "host": .text($0.element)] }),
            "settings": ["electionTimeoutMillis": 1_000, "heartbeatIntervalMillis": 200],
        ]
        for member in members {
            let database = try MongoDatabase.direct(member.port)
            try waitUntil("a member answers") { (try? database.run(["ping": 1])) != nil }
        }
        _ = try first.run(["replSetInitiate": configuration])
        try waitUntil("the set has a primary") { (try? server.primary()) != nil }
        return server
    }

    /// A `mongod` that is no member of a set, or of one that is not initiated.
    public static func startAlone(set: String? = nil) throws -> MongoServer {
        let folder = try TemporaryFolder()
        let member = try startMember(try freeLoopbackPort(), data: folder.path, set: set)
        let server = MongoServer(
            members: [member], address: "mongodb://127.0.0.1:\(member.port)", options: "", folder: folder)
        let database = try MongoDatabase.direct(member.port)
        try waitUntil("it answers") { (try? database.run(["ping": 1])) != nil }
        return server
    }

    /// One member that wants a login from whoever asks for more than who it is. `user` may do everything.
    public static func startWithLogin(user: String, password: String) throws -> MongoServer {
        let folder = try TemporaryFolder()
        let key = try folder.write("key", "0123456789abcdef".utf8)
        // SAFETY: the path is lent for the call.
        _ = unsafe chmod(key, 0o600)
        let data = folder.file("member-0")
        _ = unsafe mkdir(data, 0o700)
        let member = try startMember(try freeLoopbackPort(), data: data, more: ["--keyFile", key])
        let server = MongoServer(
            members: [member], address: "mongodb://127.0.0.1:\(member.port)", options: "replicaSet=rs0",
            folder: folder)
        // Without users, the machine itself may do this much.
        let database = try MongoDatabase.direct(member.port)
        try waitUntil("it answers") { (try? database.run(["ping": 1])) != nil }
        _ = try database.run([
            "replSetInitiate": [
                "_id": "rs0", "members": [["_id": 0, "host": .text("127.0.0.1:\(member.port)")]],
            ]
        ])
        try waitUntil("it is the primary") { (try? server.primary()) != nil }
        _ = try database.run(["createUser": .text(user), "pwd": .text(password), "roles": ["root"]])
        return server
    }

    /// A connection string that brings a login.
    public func uri(database: String, user: String, password: String) -> String {
        let (scheme, hosts) = address.cut("://")
        return "\(scheme)://\(user):\(password)@\(hosts)/\(database)?\(options)&authSource=admin"
    }

    private static func startMember(
        _ port: UInt16, data: String, set: String? = "rs0", more: [String] = []
    ) throws -> Member {
        var arguments = [
            // Asks the kernel to end the server with the thread that started it: that one waits to the end.
            "/usr/bin/setpriv", "--pdeathsig", "KILL", try program(), "--bind_ip", "127.0.0.1", "--port", "\(port)",
            "--dbpath", data, "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", "--quiet", "--oplogSize", "200",
            "--setParameter", "enableTestCommands=1",
        ]
        if let set { arguments += ["--replSet", set] }
        arguments += more
        return Member(port: port, child: try spawn(arguments, data), arguments: arguments, data: data)
    }

    private static func spawn(_ arguments: [String], _ data: String) throws -> ChildProcess {
        let spawned = Spawned()
        startThread {
            spawned.set(Result { try ChildProcess.start(arguments, folder: data, outputPath: "\(data).log") })
            while true { pause() }
        }
        return try spawned.get()
    }

    private static func program() throws -> String {
        if let path = variable("OGW_TEST_MONGOD") { return path }
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = "/\(root)/.tools/mongod"
        guard unsafe access(path, X_OK) == 0 else {
            throw TestSupportError(
                "no mongod at \(path): run scripts/install-test-tools, or name one in OGW_TEST_MONGOD")
        }
        return path
    }

    /// The member that takes writes now.
    public func primary() throws -> Member {
        for member in members {
            let hello = try? MongoDatabase.direct(member.port).run(["hello": 1])
            if hello?["isWritablePrimary"]?.isTrue == true { return member }
        }
        throw TestSupportError("no member of the set is its primary")
    }

    /// Makes the server fail the next `times` commands of that name, as `how` says ("failCommand" of the server's test commands).
    public func fail(_ command: StaticString, times: Int32, _ how: BSONDocument) throws {
        var data: BSONDocument = ["failCommands": [BSONValue(stringLiteral: command)]]
        data.append(contentsOf: how)
        _ = try MongoDatabase.direct(try primary().port).run([
            "configureFailPoint": "failCommand", "mode": ["times": .int32(times)], "data": .document(data),
        ])
    }

    /// Makes the primary give up its place for a while.
    public func stepDown() throws {
        let database = try MongoDatabase.direct(try primary().port)
        // It closes connections, this one perhaps too.
        _ = try? database.run(["replSetStepDown": 5, "secondaryCatchUpPeriodSecs": 2, "force": true])
    }

    /// Ends a member as a power cut does.
    public func kill(_ member: Member) {
        let isRunning = running.withLock { members in
            let count = members.count
            members.removeAll { $0.port == member.port }
            return members.count < count
        }
        // A program is waited for once: its number is another's after that.
        guard isRunning else { return }
        member.child.signal(SIGKILL)
        while member.child.poll() == nil { usleep(10_000) }
    }

    /// Starts a member again that was killed.
    public func startAgain(_ member: Member) throws {
        let child = try Self.spawn(member.arguments, member.data)
        running.withLock {
            $0.append(Member(port: member.port, child: child, arguments: member.arguments, data: member.data))
        }
    }

    /// Ends all members at once.
    public func stop() {
        for member in members { kill(member) }
    }

    deinit { stop() }

    private static func waitUntil(_ what: String, _ isSo: () -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !isSo() {
            guard ContinuousClock.now < deadline else { throw TestSupportError("mongod: waited in vain until \(what)") }
            usleep(50_000)
        }
    }
}

extension MongoDatabase {
    /// The database `admin` of one server, whatever set it belongs to.
    public static func direct(_ port: UInt16) throws -> MongoDatabase {
        let uri = try MongoURI.parse(
            "mongodb://127.0.0.1:\(port)/?directConnection=true", serverSelection_ms: 1_000, socket_ms: 10_000)
        return MongoDatabase(try MongoClients.open(uri, countMax: 4), name: "admin", majorityWait: .seconds(5))
    }
}
