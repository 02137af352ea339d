import Buckets
import Bytes
import HTTPClient
import HTTPServer
import Metadata

extension Setting {
    /// Every setting, in the order of the help. `ogw serve --help` and the documentation are made from this table.
    public static let all: [Setting] =
        [
            Setting("OGW_DATA", "FOLDER", default: "./ogw-data", "Folder of the store; made where it is absent.") {
                (c, v) throws(SettingError) in
                c.data = try v.nonEmpty(wanted: "the path of a folder")
            },
            Setting("OGW_S3_LISTEN", "HOST:PORT,...", default: "127.0.0.1:9000", "Addresses of the S3 listener.") {
                (c, v) throws(SettingError) in
                c.s3Listen = try v.addresses(mayBeOff: false)
            },
            Setting(
                "OGW_SERVICES_LISTEN", "HOST:PORT,...|off", default: "127.0.0.1:9001",
                "Addresses of the services listener: REST, health, metrics."
            ) { (c, v) throws(SettingError) in
                c.servicesListen = try v.addresses(mayBeOff: true)
            },
            Setting("OGW_REGION", "NAME", default: "us-east-1", "The region that clients sign for.") {
                (c, v) throws(SettingError) in
                let wanted = "1 to 64 of a-z 0-9 and -"
                c.region = try v.nonEmpty(wanted: wanted)
                guard v.text.utf8.count <= 64,
                    v.text.utf8.allSatisfy({ Ascii.isLower($0) || Ascii.isDigit($0) || $0 == Ascii.dash })
                else { throw v.error(wanted: wanted) }
            },
            Setting(
                "OGW_ROOT_ACCESS_KEY", "KEY", default: "",
                "Access key of the user root; generated and printed at the first start where it is not set."
            ) { (c, v) throws(SettingError) in
                guard UserRules.isAccessKey([UInt8](v.text.utf8)) else {
                    throw v.error(wanted: UserRules.accessKeyRule)
                }
                c.rootAccessKey = [UInt8](v.text.utf8)
            },
            Setting(
                "OGW_ROOT_SECRET_KEY", "SECRET", default: "", isSecret: true,
                "Secret key of the user root; goes with OGW_ROOT_ACCESS_KEY."
            ) { (c, v) throws(SettingError) in
                guard UserRules.isSecret([UInt8](v.text.utf8)) else { throw v.error(wanted: UserRules.secretRule) }
                c.rootSecretKey = [UInt8](v.text.utf8)
            },
            Setting(
                "OGW_CONFIG", "FILE", default: "",
                "The start file: JSON with users, buckets, addons, targets and sources, which every start makes or brings to what stands there."
            ) { (c, v) throws(SettingError) in
                c.startFile = try v.nonEmpty(wanted: "the path of a JSON file")
            },
            Setting(
                "OGW_METADATA", "sqlite|mongodb://...", default: "sqlite",
                "Where metadata is kept: in the data folder, or in a replica set of MongoDB 6 or later (database ogw, unless named)."
            ) { (c, v) throws(SettingError) in
                if v.text.hasPrefix("mongodb://") || v.text.hasPrefix("mongodb+srv://") {
                    c.metadata = .mongoDB(v.text)
                    return
                }
                guard v.text == "sqlite" else {
                    // What was meant for an address may hold a password.
                    let isAddress = v.text.contains("@") || v.text.contains("://")
                    throw SettingError(
                        place: v.place, value: isAddress ? nil : v.text, wanted: "sqlite or mongodb://...")
                }
                c.metadata = .sqlite
            },
            Setting("OGW_MONGODB_POOL", "N", default: "64", "Commands of MongoDB under way at once; further ones wait.")
            {
                (c, v) throws(SettingError) in
                c.mongoClientsMax = try v.integer(1...1_000)
            },
            Setting(
                "OGW_KEY_FILE", "FILE", default: "",
                "File of the key that seals the users' secret keys, made where it is absent; secret.key in OGW_DATA where not set. All gateways on one database need the same."
            ) { (c, v) throws(SettingError) in
                c.keyFile = try v.nonEmpty(wanted: "the path of a key file")
            },
            Setting(
                "OGW_BLOBS", "local|s3://BUCKET/PREFIX?endpoint=URL&region=NAME", default: "local",
                "Where the objects' bytes are kept: in the data folder, or on an engine that speaks S3. Small ones lie in the log (OGW_INLINE_MAX)."
            ) { (c, v) throws(SettingError) in
                if v.text == "local" {
                    c.blobs = .local
                    return
                }
                do throws(EngineAddress.Malformed) { c.blobs = .remote(try EngineAddress(v.text)) } catch {
                    throw v.error(wanted: v.text.hasPrefix("s3://") ? error.wanted : "local or \(error.wanted)")
                }
            },
            Setting(
                "OGW_TLS_CERT", "FILE", default: "",
                "PEM file of the certificate chain; with it the S3 and services listeners speak TLS. Read again on SIGHUP."
            ) { (c, v) throws(SettingError) in
                c.tlsCertificate = try v.nonEmpty(wanted: "the path of a PEM file")
            },
            Setting("OGW_TLS_KEY", "FILE", default: "", "PEM file of the private key.") { (c, v) throws(SettingError) in
                c.tlsKey = try v.nonEmpty(wanted: "the path of a PEM file")
            },
            Setting(
                "OGW_PUBLIC_URL", "URL", default: "",
                "How clients reach the S3 listener; the first address where not set."
            ) { (c, v) throws(SettingError) in
                c.publicURL = try readPublicURL(v)
            },
            Setting(
                "OGW_SERVICES_URL", "URL", default: "",
                "How addons reach the services listener to call back; the first address where not set."
            ) { (c, v) throws(SettingError) in
                c.servicesURL = try readPublicURL(v)
            },
            Setting(
                "OGW_DOMAIN", "NAME,...", default: "localhost",
                "Host names whose subdomains are buckets (virtual-host style)."
            ) { (c, v) throws(SettingError) in
                let wanted = "host names without a port, separated by commas"
                let names = try v.list(wanted: wanted).map { String(ascii: Ascii.lowered($0.utf8)) }
                for name in names where !isHostName(name) { throw v.error(wanted: wanted) }
                c.domains = names
            },
            Setting(
                "OGW_BLOCK_PUBLIC_ACCESS", "on|off", default: "on",
                "Whether buckets refuse public policies until they are told otherwise, as on AWS."
            ) { (c, v) throws(SettingError) in
                c.blocksPublicAccess = try v.onOff()
            },
            Setting("OGW_LOG_FORMAT", "json|text", default: "text", "Form of the log on standard error.") {
                (c, v) throws(SettingError) in
                c.logFormat = try v.choice(LogFormat.self)
            },
            Setting(
                "OGW_LOG_LEVEL", "debug|info|warning|error", default: "info", "The least grave event that is logged."
            ) {
                (c, v) throws(SettingError) in
                guard let level = LogLevel.allCases.first(where: { $0.name.description == v.text }) else {
                    throw v.error(wanted: "debug, info, warning or error")
                }
                c.logLevel = level
            },
            Setting("OGW_ACCESS_LOG", "on|off", default: "on", "Log a line for each S3 request.") {
                (c, v) throws(SettingError) in
                c.logsAccess = try v.onOff()
            },
        ] + engine + limits + upkeep + jobs

    /// Of blobs on an engine only.
    private static let engine: [Setting] = [
        Setting("OGW_BLOBS_ACCESS_KEY", "KEY", default: "", "Access key for the engine that OGW_BLOBS names.") {
            (c, v) throws(SettingError) in
            c.engine.accessKey = [UInt8](try v.nonEmpty(wanted: "an access key").utf8)
        },
        Setting(
            "OGW_BLOBS_SECRET_KEY", "SECRET", default: "", isSecret: true,
            "Secret key for the engine; goes with OGW_BLOBS_ACCESS_KEY."
        ) { (c, v) throws(SettingError) in
            c.engine.secretKey = [UInt8](try v.nonEmpty(wanted: "a secret key").utf8)
        },
        Setting(
            "OGW_BLOBS_PART_SIZE", "SIZE", default: "16MiB",
            "Larger content goes to the engine in parts of this size, at most 10,000."
        ) { (c, v) throws(SettingError) in
            c.engine.partBytes = Int(try v.size((5 << 20)...(512 << 20)))
        },
        Setting(
            "OGW_BLOBS_MEMORY", "SIZE", default: "256MiB",
            "What all uploads to the engine together hold in memory; one that finds no room waits."
        ) { (c, v) throws(SettingError) in
            c.engine.uploadBytesMax = Int(try v.size((16 << 20)...(1 << 40)))
        },
        Setting(
            "OGW_BLOBS_GARBAGE_AFTER", "DURATION", default: "",
            "How long the engine keeps what nothing names any more, beside what is being read; where not set, 1h, and 48h with metadata in MongoDB."
        ) { (c, v) throws(SettingError) in
            c.engine.garbageLifetime = try v.duration(.zero...Duration.seconds(366 * 86_400))
        },
    ]

    private static let limits: [Setting] = [
        Setting("OGW_CONNECTIONS_MAX", "N", default: "10000", "Connections at once on each listener.") {
            (c, v) throws(SettingError) in
            c.connectionsMax = try v.integer(1...1_000_000)
        },
        Setting("OGW_OBJECT_SIZE_MAX", "SIZE", default: "5GiB", "The largest object or part of one request.") {
            (c, v) throws(SettingError) in
            c.objectSizeMax = try v.size((5 << 20)...(5 << 40))
        },
        Setting("OGW_HEAD_TIMEOUT", "DURATION", default: "30s", "How long a request's head may take.") {
            (c, v) throws(SettingError) in
            c.headTimeout = try v.duration(.milliseconds(100)...Duration.seconds(3600))
        },
        Setting("OGW_IDLE_TIMEOUT", "DURATION", default: "75s", "How long a connection may rest between requests.") {
            (c, v) throws(SettingError) in
            c.idleTimeout = try v.duration(.milliseconds(100)...Duration.seconds(86_400))
        },
        Setting(
            "OGW_STALL_TIMEOUT", "DURATION", default: "30s",
            "How long a transfer may stay below OGW_RATE_MIN before it is cut."
        ) { (c, v) throws(SettingError) in
            c.stallTimeout = try v.duration(.milliseconds(100)...Duration.seconds(3600))
        },
        Setting("OGW_RATE_MIN", "N", default: "1024", "The least rate of a transfer in bytes per second.") {
            (c, v) throws(SettingError) in
            c.rateMin = UInt64(try v.integer(0...1_000_000_000))
        },
        Setting(
            "OGW_STOP_TIMEOUT", "DURATION", default: "30s", "How long requests may go on after SIGTERM or SIGINT."
        ) { (c, v) throws(SettingError) in
            c.stopTimeout = try v.duration(.zero...Duration.seconds(3600))
        },
        Setting("OGW_THREADS", "N", default: "0", "Worker threads; 0 for the engine's own choice.") {
            (c, v) throws(SettingError) in
            c.threads = try v.integer(0...256)
        },
        Setting(
            "OGW_DISK_FREE_MIN", "SIZE", default: "",
            "Free disk space below which writes are refused (507); where not set, 256 MiB or 5 % of a smaller file system."
        ) { (c, v) throws(SettingError) in
            c.diskFreeMin = try v.size(0...(1 << 50))
        },
        Setting(
            "OGW_INLINE_MAX", "SIZE", default: "128KiB",
            "The largest object that lies in the log, or in MongoDB up to 64 KiB, instead of having a file."
        ) { (c, v) throws(SettingError) in
            c.inlineMax = Int(try v.size(0...UInt64(BlobsConfiguration.inlineBytesLimit)))
        },
        Setting(
            "OGW_VERIFIED_FOR", "DURATION", default: "24h",
            "How long a file whose bytes were checked is sent without being checked again; 0 checks at each read."
        ) { (c, v) throws(SettingError) in
            c.verifiedFor = try v.duration(.zero...Duration.seconds(366 * 86_400))
        },
        Setting("OGW_VERIFIED_MAX", "N", default: "65536", "Files that are remembered as checked.") {
            (c, v) throws(SettingError) in
            c.verifiedMax = try v.integer(0...10_000_000)
        },
        Setting(
            "OGW_CLOCK_SKEW_MAX", "DURATION", default: "15m", "How far a signed request's date may lie from the clock."
        ) { (c, v) throws(SettingError) in
            c.clockSkewMax = try v.duration(.seconds(1)...Duration.seconds(86_400))
        },
    ]

    /// What the store does by itself.
    private static let upkeep: [Setting] = [
        Setting(
            "OGW_SCRUB_RATE", "SIZE", default: "16MiB",
            "Bytes per second that the check of everything stored reads in the background; 0 for none."
        ) { (c, v) throws(SettingError) in
            c.scrub.rate = try v.size(0...(1 << 40))
        },
        Setting(
            "OGW_SCRUB_INTERVAL", "DURATION", default: "24h", "From the beginning of one check to that of the next."
        ) {
            (c, v) throws(SettingError) in
            c.scrub.interval = try v.duration(.seconds(60)...Duration.seconds(366 * 86_400))
        },
        Setting("OGW_SCRUB_DELAY", "DURATION", default: "10m", "From the start to the first check, or its going on.") {
            (c, v) throws(SettingError) in
            c.scrub.delay = try v.duration(.zero...Duration.seconds(86_400))
        },
        Setting(
            "OGW_BASE_EVERY", "SIZE", default: "256MiB",
            "A copy of the database (a base) is made when the log has grown by so much, and by as much as the database is large."
        ) { (c, v) throws(SettingError) in
            c.maintenance.baseEveryBytes = try v.size((1 << 20)...(1 << 40))
        },
        Setting("OGW_BASES_KEPT", "N", default: "2", "Bases kept; the log is kept from the oldest one on.") {
            (c, v) throws(SettingError) in
            c.maintenance.basesKept = try v.integer(1...100)
        },
        Setting(
            "OGW_COMPACT_BELOW", "PERCENT", default: "50",
            "A segment of the log of which less than this share is needed is compacted; 0 waits until none is."
        ) { (c, v) throws(SettingError) in
            c.maintenance.liveShareMin = try v.integer(0...90)
        },
        Setting("OGW_COMPACT_RATE", "SIZE", default: "32MiB", "Bytes per second that compaction moves.") {
            (c, v) throws(SettingError) in
            c.maintenance.compactionBytesPerSecond = try v.size((64 << 10)...(1 << 40))
        },
        Setting("OGW_MAINTENANCE_INTERVAL", "DURATION", default: "10s", "How often bases and segments are looked at.") {
            (c, v) throws(SettingError) in
            c.maintenance.interval = try v.duration(.seconds(1)...Duration.seconds(86_400))
        },
    ]

    /// The jobs of hooks.
    private static let jobs: [Setting] = [
        Setting("OGW_WORKERS_MIN", "N", default: "0", "Workers that the gateway keeps running for the jobs of hooks.") {
            (c, v) throws(SettingError) in
            c.workers.countMin = try v.integer(0...1_000)
        },
        Setting(
            "OGW_WORKERS_MAX", "N", default: "",
            "Workers that it starts at most, as there is work; one for each processor where not set. 0 leaves all jobs to `ogw worker`."
        ) { (c, v) throws(SettingError) in
            c.workers.countMax = try v.integer(0...1_000)
        },
        Setting(
            "OGW_MEDIA", "PROGRAM", default: "", "The program ogw-media; the one beside ogw where not set."
        ) { (c, v) throws(SettingError) in
            c.workers.media = try v.nonEmpty(wanted: "the path of a program")
        },
        Setting(
            "OGW_VARIANT_WAIT", "DURATION", default: "20s",
            "How long a read with ?variant= waits for a picture that is made for it, before it answers 503."
        ) { (c, v) throws(SettingError) in
            c.variantWait = try v.duration(.zero...Duration.seconds(300))
        },
        Setting(
            "OGW_OUTBOUND_ALLOW", "HOST:PORT,...", default: "",
            "Hosts with private addresses that the URLs of hooks may name; any public address may be named."
        ) { (c, v) throws(SettingError) in
            let wanted = "hosts with their ports, such as 10.0.0.7:8080, separated by commas"
            let hosts = try v.list(wanted: wanted)
            for host in hosts {
                guard case .tcp(let name, let port)? = ListenAddress(host), !name.isEmpty, port > 0 else {
                    throw v.error(wanted: wanted)
                }
            }
            c.outbound = OutboundRules(allowed: hosts)
        },
    ]

    private static func readPublicURL(_ value: SettingValue) throws(SettingError) -> String {
        let wanted = "a URL such as https://s3.example.com"
        var rest = value.text.utf8[...]
        while rest.last == Ascii.slash { rest = rest.dropLast() }
        for scheme in ["http://", "https://"] where rest.starts(with: scheme.utf8) && rest.count > scheme.utf8.count {
            if rest.allSatisfy({ $0 > Ascii.space && $0 < 0x7F && $0 != Ascii.question && $0 != 0x23 }) {
                return String(ascii: rest)
            }
        }
        throw value.error(wanted: wanted)
    }

    private static func isHostName(_ name: String) -> Bool {
        name.utf8.count <= 253
            && name.utf8.split(separator: Ascii.dot, omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.count)
                    && label.allSatisfy { Ascii.isLower($0) || Ascii.isDigit($0) || $0 == Ascii.dash }
            }
    }
}
