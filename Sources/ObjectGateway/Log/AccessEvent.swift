/// What the access log tells of one finished request. It has no place for a query or a header, so no signature and no
/// presigned query can reach the log.
public struct AccessEvent: Sendable {
    public var requestID: [UInt8]
    public var peer: String
    /// The name of the user, nil for an anonymous or refused request.
    public var user: String?
    public var operation: StaticString
    public var method: ArraySlice<UInt8>
    /// The raw path, without the query.
    public var path: ArraySlice<UInt8>
    public var status: Int
    /// The S3 error code.
    public var errorCode: String?
    public var bytesIn: UInt64
    public var bytesOut: UInt64
    public var duration: Duration

    public init(
        requestID: [UInt8], peer: String, user: String?, operation: StaticString, method: ArraySlice<UInt8>,
        path: ArraySlice<UInt8>, status: Int, errorCode: String?, bytesIn: UInt64, bytesOut: UInt64,
        duration: Duration
    ) {
        self.requestID = requestID
        self.peer = peer
        self.user = user
        self.operation = operation
        self.method = method
        self.path = path
        self.status = status
        self.errorCode = errorCode
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.duration = duration
    }
}
