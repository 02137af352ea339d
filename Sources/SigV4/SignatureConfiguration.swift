/// What a signature is checked against.
public struct SignatureConfiguration: Sendable {
    /// The one region that credential scopes must name.
    public var region: [UInt8]
    /// How far a request's time may lie from the server's, either way.
    public var skewMax: Duration

    public init(region: String = "us-east-1", skewMax: Duration = .seconds(900)) {
        self.region = [UInt8](region.utf8)
        self.skewMax = skewMax
    }

    var skewMax_ms: Int64 { skewMax.components.seconds.multipliedReportingOverflow(by: 1000).partialValue }
}
