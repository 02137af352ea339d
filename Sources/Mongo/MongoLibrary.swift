import CMongo
import Glibc

/// The process-wide state of libmongoc.
public enum MongoLibrary {
    /// Initialised on first use, by whichever thread comes first; cleaned up at exit, after the last client.
    private static let started: Bool = {
        mongoc_init()
        // Its own log goes to standard error, beside the program's; what matters comes back as an error.
        mongoc_log_set_handler(nil, nil)
        atexit { mongoc_cleanup() }
        return true
    }()

    /// Every other type of this module calls this before its first call into libmongoc. Idempotent.
    static func start() { _ = started }

    /// The version of the library that runs, such as "1.23.1"; not of the headers built with.
    public static var version: String {
        start()
        // SAFETY: a static string of the library.
        return unsafe String(cString: mongoc_get_version())
    }
}
