import Files
import JSON

/// What came of a try.
enum StepResult: Sendable {
    case completed(files: [MadeFile], result: JSONValue?)
    case failed(StepFailure)
    /// Somebody outside is at work on it: the job goes on with `ticket` after that time, or when the answer comes.
    case parked(ticket: JSONValue, wait: Duration)
    /// Nobody wants it any more: the lease is another's, or the worker has to stop.
    case stopped
}

/// A file that a step made, in the worker's folder.
struct MadeFile: Sendable {
    /// What it is to be called.
    var name: String
    var path: String
    /// In bytes.
    var size: UInt64
    var contentType: String
    /// The preset that made it.
    var variant: String?
}

/// Why a try failed.
struct StepFailure: Error, Sendable {
    var reason: String
    /// The same can never work.
    var isPermanent = false
    /// The program that was to read the file died of it.
    var isCrash = false
    /// What the other side asked for.
    var retryAfter: Duration?
    /// What was waited for is lost: the next try begins from the beginning.
    var startsAnew = false
}
