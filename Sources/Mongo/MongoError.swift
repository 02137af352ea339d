import CMongo

/// What libmongoc or the server said no to. `init(_:reply:)` is the one place that tells one kind from another.
public enum MongoError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A connection string that cannot be used; the text says why, in libmongoc's words.
    case invalidURI(String)
    /// Bytes that are no BSON document.
    case invalidDocument(String)
    /// A document is longer than BSON or the server allows (16 MiB).
    case documentTooLarge
    /// The command was not carried out and will be, tried again later: no server, or none that takes writes.
    case notCarriedOut(String)
    /// The connection broke or the server gave up while the command was under way, or it was carried out but is not known to
    /// be durable: it may or may not have taken effect, now or later.
    case unknownOutcome(String)
    /// A unique index has such an entry already (11000).
    case duplicateKey(String)
    /// Another operation changed the same document at the same time; nothing was done.
    case writeConflict
    /// The server refused the login that the connection string brings.
    case loginRequired(String)
    /// The server wants a login, or one that may do more.
    case notAllowed(String)
    /// A server that this program cannot use; the text says what to do.
    case unusable(String)
    /// The server or the library refused the command itself.
    case refused(code: Int32, String)

    public var description: String {
        switch self {
        case .invalidURI(let reason): "not a MongoDB connection string: \(reason)"
        case .invalidDocument(let reason): "not a BSON document: \(reason)"
        case .documentTooLarge: "the document is too large for MongoDB"
        case .notCarriedOut(let reason): "MongoDB cannot be reached or takes no writes: \(reason)"
        case .unknownOutcome(let reason): "the connection to MongoDB broke, or a majority did not answer: \(reason)"
        case .duplicateKey(let reason): "MongoDB has such a key already: \(reason)"
        case .writeConflict: "two writes met in MongoDB"
        case .loginRequired(let reason): "MongoDB refused the login: \(reason)"
        case .notAllowed(let reason): "MongoDB does not allow it: \(reason)"
        case .unusable(let reason): reason
        case .refused(let code, let reason): "MongoDB refused (\(code)): \(reason)"
        }
    }

    /// Whether the same command may succeed later, whatever became of it now.
    public var isTransient: Bool {
        switch self {
        case .notCarriedOut, .unknownOutcome, .writeConflict: true
        default: false
        }
    }
}

extension MongoError {
    /// An error of a call. The codes are the server's `error_codes.yml`; those of the client libraries' specification
    /// "Retryable Writes" that come before a command is looked at count as not carried out.
    init(_ error: bson_error_t) {
        let text = error.text
        switch error.domain {
        case MONGOC_ERROR_SERVER_SELECTION.rawValue:
            // A refused login is reported here too, as the reason why no server can be used.
            let isLogin = text.contains("uthentication")
            self = isLogin ? .loginRequired(text) : .notCarriedOut(text)
        case MONGOC_ERROR_CLIENT.rawValue where error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE.rawValue:
            self = .loginRequired(text)
        case MONGOC_ERROR_STREAM.rawValue:
            let before = [
                MONGOC_ERROR_STREAM_NAME_RESOLUTION, MONGOC_ERROR_STREAM_CONNECT, MONGOC_ERROR_STREAM_NOT_ESTABLISHED,
            ]
            self = before.contains { $0.rawValue == error.code } ? .notCarriedOut(text) : .unknownOutcome(text)
        case MONGOC_ERROR_PROTOCOL.rawValue: self = .unknownOutcome(text)
        case MONGOC_ERROR_SERVER.rawValue: self = MongoError(code: Int32(truncatingIfNeeded: error.code), text)
        default: self = .refused(code: Int32(truncatingIfNeeded: error.code), text)
        }
    }

    /// An error that the server reported, for a whole command or for one write of it.
    init(code: Int32, _ text: String) {
        switch code {
        case 11000, 11001, 12582: self = .duplicateKey(text)
        case 112, 246, 251: self = .writeConflict
        // Not (any longer) the primary, seen before anything was done.
        case 10107, 13435, 10058, 13436: self = .notCarriedOut(text)
        // The server stops or steps down, a limit of time passed, a majority did not answer.
        case 11600, 11602, 91, 189, 6, 7, 89, 9001, 50, 64, 262, 100, 79, 133: self = .unknownOutcome(text)
        case 18, 11: self = .loginRequired(text)
        case 13: self = .notAllowed(text)
        case 10334, 17419, 17420, 17280: self = .documentTooLarge
        default: self = .refused(code: code, text)
        }
    }
}

extension bson_error_t {
    /// The message, which libbson ends with a NUL inside its fixed array.
    var text: String {
        unsafe withUnsafeBytes(of: message) { bytes in
            // SAFETY: read within the closure only.
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
