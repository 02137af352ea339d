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

    /// Takes the name of the file in shared memory away where the library, on being loaded, put its counters. A process that is
    /// killed would leave it behind, and the next one of the same pid would warn of it on standard error. The counters stay.
    public static func leaveSharedMemory() {
        // SAFETY: the text lives through the call.
        unsafe shm_unlink("/mongoc-\(getpid())")
    }

    /// The version of the library that runs, such as "1.23.1"; not of the headers built with.
    public static var version: String {
        start()
        // SAFETY: a static string of the library.
        return unsafe String(cString: mongoc_get_version())
    }
}
