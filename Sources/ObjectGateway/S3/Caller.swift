import Bytes
import HTTPServer
import Metadata

/// Who sent a request, as its signature proved.
struct Caller: Sendable {
    /// The user's name; also the owner id in S3's documents.
    let name: String
    let accessKey: [UInt8]
    /// Nil for one who sent no signature, and has the rights only that a bucket gives everyone.
    let policy: CannedPolicy?
    let customer: String?
    /// The request and where it came from, for the record of what it made happen.
    var requestID: [UInt8] = []
    var address = ""
    /// What conditions of policies ask about; nil where the request was none of S3.
    var origin: RequestOrigin?

    static let anonymous = Caller(name: "anonymous", accessKey: [], policy: nil, customer: nil)

    /// Who owns what the caller puts into `bucket`: there is nobody whom an unsigned request could belong to.
    func owner(in bucket: Bucket) -> String { policy == nil ? bucket.owner : name }
}

/// A request as conditions of policies see it.
struct RequestOrigin: Sendable {
    let head: RequestHead
    let query: QueryParameters
    let isTLS: Bool
    let received: Timestamp
}
