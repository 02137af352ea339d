import CMongo

/// The clients of one deployment: a bounded pool, from which one is lent to each command. Connections are made when they are
/// needed and made again after they broke; one thread of the library's watches the deployment.
// @unchecked: libmongoc's pool is safe for concurrent use, and a popped client belongs to one call.
@safe public final class MongoClients: @unchecked Sendable {
    private let pool: OpaquePointer
    private let uri: MongoURI

    private init(owning pool: OpaquePointer, uri: MongoURI) {
        unsafe self.pool = pool
        self.uri = uri
    }

    deinit {
        // SAFETY: owned by this object alone, and no call is under way without a reference to it.
        unsafe mongoc_client_pool_destroy(pool)
    }

    /// Connects to nothing yet. At most `countMax` commands (1 or more) are under way at once; further ones wait.
    public static func open(_ uri: MongoURI, countMax: Int) throws(MongoError) -> MongoClients {
        var error = bson_error_t()
        // SAFETY: the URI is copied by the call; the result is owned by the object made from it.
        let pool = unsafe uri.withPointer { unsafe mongoc_client_pool_new_with_error($0, &error) }
        guard let pool = unsafe pool else { throw .invalidURI(error.text) }
        unsafe mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2)
        unsafe mongoc_client_pool_max_size(pool, UInt32(clamping: max(1, countMax)))
        unsafe mongoc_client_pool_set_appname(pool, "ogw")
        return unsafe MongoClients(owning: pool, uri: uri)
    }

    /// Runs one command on the primary and returns its reply. Blocks for the network: for the time of server selection, of the
    /// socket and of the command itself at most. Errors of single writes are in the reply.
    func run(_ command: BSONDocument, on database: String) throws(MongoError) -> BSONView {
        let question = try command.encoded()
        // SAFETY: the client is popped and pushed here, so that it belongs to this call alone.
        guard let client = unsafe mongoc_client_pool_pop(pool) else { throw .notCarriedOut("no client is free") }
        defer { unsafe mongoc_client_pool_push(pool, client) }
        var error = bson_error_t()
        var reply: UnsafeMutablePointer<UInt8>? = nil
        var count: UInt32 = 0
        // SAFETY: everything is lent for the call; the reply is copied and freed below.
        let isDone = unsafe cmongo_run(client, database, question, question.count, &reply, &count, &error)
        let answer = unsafe [UInt8](UnsafeBufferPointer(start: reply, count: reply == nil ? 0 : Int(count)))
        unsafe bson_free(reply)
        guard isDone else { throw MongoError(error) }
        return try BSONView(answer)
    }

    /// Runs commands in one transaction, once. Each has to insert, match or remove as many documents as `expected` says; any number
    /// where it says -1. Nil where all was done; the place of the first command that had another number where, for that, nothing was.
    /// `unknownOutcome` is thrown only where it may have been done, after the commit was asked for again for two seconds.
    func transact(
        _ commands: [BSONDocument], expecting expected: [Int32], on database: String, time: inout UInt64
    ) throws(MongoError) -> Int? {
        var questions: [UInt8] = []
        for command in commands { questions += try command.encoded() }
        // SAFETY: as above.
        guard let client = unsafe mongoc_client_pool_pop(pool) else { throw .notCarriedOut("no client is free") }
        defer { unsafe mongoc_client_pool_push(pool, client) }
        var error = bson_error_t()
        var place = 0
        // SAFETY: everything is lent for the call.
        let ending = unsafe cmongo_transact(
            client, database, questions, questions.count, expected, min(commands.count, expected.count), &place, &time,
            &error)
        switch UInt32(bitPattern: ending) {
        case CMONGO_DONE.rawValue: return nil
        case CMONGO_UNEXPECTED.rawValue: return place
        case CMONGO_UNKNOWN.rawValue: throw .unknownOutcome(error.text)
        default:
            let failure = MongoError(error)
            // The commit was not asked for.
            if case .unknownOutcome(let reason) = failure { throw .notCarriedOut(reason) }
            throw failure
        }
    }
}
