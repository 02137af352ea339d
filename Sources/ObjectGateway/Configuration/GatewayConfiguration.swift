public import Buckets
public import HTTPClient
public import HTTPServer
public import Metadata

/// Every setting of the gateway, read once at the start. The defaults here are those of `Setting.all`.
public struct GatewayConfiguration: Sendable {
    /// The data folder; made with mode 0700 where it is absent.
    public var data = "./ogw-data"
    public var s3Listen = [ListenAddress.tcp(host: "127.0.0.1", port: 9000)]
    /// Empty for no services listener.
    public var servicesListen = [ListenAddress.tcp(host: "127.0.0.1", port: 9001)]
    public var region = "us-east-1"
    /// Both or none.
    public var rootAccessKey: [UInt8]?
    public var rootSecretKey: [UInt8]?
    /// Path of the start file.
    public var startFile: String?
    public var metadata = MetadataChoice.sqlite
    /// Commands of MongoDB under way at once.
    public var mongoClientsMax = 64
    /// Path of the file with the key that seals secrets; nil for the one of the data folder.
    public var keyFile: String?
    public var blobs = BlobsChoice.local
    public var engine = Engine()
    /// PEM files; both or none.
    public var tlsCertificate: String?
    public var tlsKey: String?
    /// Without a trailing slash; nil for `http://` and the first S3 address.
    public var publicURL: String?
    /// Without a trailing slash; nil for the first address of the services listener.
    public var servicesURL: String?
    /// Host names under which `bucket.name` is virtual-host style; lower case, without port.
    public var domains: [String] = ["localhost"]
    public var logFormat = LogFormat.text
    public var logLevel = LogLevel.info
    public var logsAccess = true
    /// Connections at once on each listener.
    public var connectionsMax = 10_000
    /// Bytes of one object stored in one request or one part.
    public var objectSizeMax: UInt64 = 5 << 30
    /// How long a request's head may take.
    public var headTimeout = Duration.seconds(30)
    /// How long a connection may rest between requests.
    public var idleTimeout = Duration.seconds(75)
    /// How long a transfer may stay below the minimum rate.
    public var stallTimeout = Duration.seconds(30)
    /// Bytes per second.
    public var rateMin: UInt64 = 1024
    /// How long requests under way may go on after SIGTERM.
    public var stopTimeout = Duration.seconds(30)
    /// 0 for the engine's own choice.
    public var threads = 0
    /// Free bytes below which writes are answered 507; nil for the blobs' own default.
    public var diskFreeMin: UInt64?
    /// How long a file that was found to be what was written is sent without being checked again.
    public var verifiedFor = Duration.seconds(24 * 3600)
    /// Such files that are remembered.
    public var verifiedMax = 1 << 16
    /// The check in the background.
    public var scrub = ScrubConfiguration()
    /// Bases and compaction.
    public var maintenance = MaintenanceConfiguration()
    /// Bytes of the largest object that lies in the log instead of having a file.
    public var inlineMax = 128 << 10
    /// Workers that the gateway starts itself.
    public var workers = SupervisorConfiguration()
    /// Whether buckets where nothing was said of it refuse public access, as on AWS.
    public var blocksPublicAccess = true
    /// How long a read waits for a variant that is made for it.
    public var variantWait = Duration.seconds(20)
    /// Private addresses that outgoing requests of jobs may reach.
    public var outbound = OutboundRules()
    /// How far a request's date may lie from the clock.
    public var clockSkewMax = Duration.seconds(900)

    public init() {}

    public enum MetadataChoice: Sendable, Equatable {
        case sqlite
        /// A connection string, which may hold a password.
        case mongoDB(String)
    }

    public enum BlobsChoice: Sendable, Equatable {
        case local
        case remote(EngineAddress)
    }

    /// How blobs are kept on the engine, where they are.
    public struct Engine: Sendable {
        /// Both or none.
        public var accessKey: [UInt8]?
        public var secretKey: [UInt8]?
        /// Bytes of one part of an upload to the engine.
        public var partBytes = 16 << 20
        /// Bytes that all uploads to the engine hold in memory.
        public var uploadBytesMax = 256 << 20
        /// Nil for 1 h, and 48 h with metadata in MongoDB.
        public var garbageLifetime: Duration?
    }

    /// What OGW_PUBLIC_URL says, or the first TCP address in `bound`, by which this machine reaches the S3 listener.
    public func publicURL(bound: [ListenAddress]) -> String { publicURL ?? url(of: bound) ?? url(port: 9000) }

    /// The same of the services listener; nil where there is none.
    func servicesURL(bound: [ListenAddress]) -> String? { bound.isEmpty ? nil : servicesURL ?? url(of: bound) }

    private var scheme: String { tlsCertificate == nil ? "http" : "https" }

    private func url(port: Int) -> String { "\(scheme)://127.0.0.1:\(port)" }

    private func url(of bound: [ListenAddress]) -> String? {
        for case .tcp(let host, let port) in bound {
            let isWildcard = host.isEmpty || host == "0.0.0.0" || host == "::"
            return "\(scheme)://\(ListenAddress.tcp(host: isWildcard ? "127.0.0.1" : host, port: port))"
        }
        return nil
    }
}
