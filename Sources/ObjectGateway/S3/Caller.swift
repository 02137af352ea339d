import Metadata

/// Who sent a request, as its signature proved.
struct Caller: Sendable {
    /// The user's name; also the owner id in S3's documents.
    let name: String
    let accessKey: [UInt8]
    let policy: CannedPolicy
    let customer: String?
    /// The request and where it came from, for the record of what it made happen.
    var requestID: [UInt8] = []
    var address = ""
}
