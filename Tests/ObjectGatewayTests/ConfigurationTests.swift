import Buckets
import Bytes
import HTTPServer
import JSON
import Metadata
import Testing

@testable import ObjectGateway

private func file(_ text: String) throws -> EnvironmentFile {
    try EnvironmentFile(text: [UInt8](text.utf8), path: "settings.env")
}

private func message(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return "\(error)" }
    return nil
}

@Suite struct ConfigurationTests {
    @Test func `a flag wins over the environment, that over the file, that over the default`() throws {
        var sources = SettingSources()
        #expect(try GatewayConfiguration.read(sources).region == "us-east-1")
        sources.file = try file("OGW_REGION=from-file\n")
        #expect(try GatewayConfiguration.read(sources).region == "from-file")
        sources.environment = ["OGW_REGION": "from-env"]
        #expect(try GatewayConfiguration.read(sources).region == "from-env")
        sources.flags = ["--region": "from-flag"]
        #expect(try GatewayConfiguration.read(sources).region == "from-flag")
    }

    @Test func `an empty variable counts as not set`() throws {
        let read = try GatewayConfiguration.read(SettingSources(environment: ["OGW_REGION": "", "OGW_DATA": ""]))
        #expect(read.region == "us-east-1" && read.data == "./ogw-data")
    }

    @Test func `every default in the table is what the settings have when nothing is set`() throws {
        let untouched = GatewayConfiguration()
        for setting in Setting.all where !setting.defaultText.isEmpty {
            var read = GatewayConfiguration()
            try setting.read(&read, SettingValue(text: setting.defaultText, place: setting.name, isSecret: false))
            #expect("\(read)" == "\(untouched)", "\(setting.name)")
        }
    }

    @Test func `names and flags are distinct and name each other`() {
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
        for setting in Setting.all {
            #expect(Setting.flagged(setting.flag)?.name == setting.name)
            #expect(setting.name.hasPrefix("OGW_") && !setting.summary.isEmpty)
        }
        #expect(Setting.named("OGW_S3_LISTEN")?.flag == "--s3-listen")
    }

    @Test(arguments: [
        ("OGW_S3_LISTEN", "9000"), ("OGW_S3_LISTEN", "127.0.0.1:99999"), ("OGW_S3_LISTEN", "a:1,,b:2"),
        ("OGW_S3_LISTEN", "off"), ("OGW_S3_LISTEN", "::1:9000"), ("OGW_SERVICES_LISTEN", "unix:relative"),
        ("OGW_REGION", "us east"), ("OGW_CONNECTIONS_MAX", "0"), ("OGW_CONNECTIONS_MAX", "12x"),
        ("OGW_CONNECTIONS_MAX", "99999999999999999999999"), ("OGW_OBJECT_SIZE_MAX", "5 GB"),
        ("OGW_OBJECT_SIZE_MAX", "99999999999TiB"), ("OGW_HEAD_TIMEOUT", "soon"), ("OGW_HEAD_TIMEOUT", "0s"),
        ("OGW_LOG_FORMAT", "xml"), ("OGW_LOG_LEVEL", "loud"), ("OGW_ACCESS_LOG", "perhaps"),
        ("OGW_METADATA", "postgres"), ("OGW_BLOBS", "tape"), ("OGW_PUBLIC_URL", "example.com"),
        ("OGW_DOMAIN", "a..b"), ("OGW_DOMAIN", "s3.example.com:9000"), ("OGW_ROOT_ACCESS_KEY", "a/b"),
        ("OGW_BASE_EVERY", "1KiB"), ("OGW_BASES_KEPT", "0"), ("OGW_COMPACT_BELOW", "91"), ("OGW_COMPACT_RATE", "0"),
        ("OGW_MAINTENANCE_INTERVAL", "0s"), ("OGW_SCRUB_INTERVAL", "1s"), ("OGW_SCRUB_DELAY", "48h"),
    ])
    func `an error names the setting, the value and what was wanted`(name: String, value: String) throws {
        let text = try #require(
            message { _ = try GatewayConfiguration.read(SettingSources(environment: [name: value])) })
        #expect(text.hasPrefix("\(name) is \"\(value)\": wanted "))
        #expect(text.hasSuffix("."))
    }

    @Test func `what the store does by itself is set`() throws {
        let read = try GatewayConfiguration.read(
            SettingSources(environment: [
                "OGW_BASE_EVERY": "1GiB", "OGW_BASES_KEPT": "3", "OGW_COMPACT_BELOW": "20", "OGW_COMPACT_RATE": "1MiB",
                "OGW_MAINTENANCE_INTERVAL": "1m", "OGW_SCRUB_RATE": "2MiB", "OGW_SCRUB_INTERVAL": "7h",
                "OGW_SCRUB_DELAY": "0",
            ]))
        #expect(read.maintenance.baseEveryBytes == 1 << 30 && read.maintenance.basesKept == 3)
        #expect(read.maintenance.liveShareMin == 20 && read.maintenance.compactionBytesPerSecond == 1 << 20)
        #expect(read.maintenance.interval == .seconds(60))
        #expect(read.scrub.rate == 2 << 20 && read.scrub.interval == .seconds(7 * 3600) && read.scrub.delay == .zero)
    }

    @Test func `a flag's error names the flag, a file's error the line`() throws {
        #expect(
            message { _ = try GatewayConfiguration.read(SettingSources(flags: ["--threads": "many"])) }
                == "--threads is \"many\": wanted a whole number from 0 to 256.")
        let file = try file("\nOGW_THREADS=many\n")
        let text = message { _ = try GatewayConfiguration.read(SettingSources(file: file)) }
        #expect(text?.hasPrefix("OGW_THREADS (settings.env line 2) is \"many\"") == true)
    }

    @Test func `no message repeats a secret or a database address`() throws {
        for (name, value) in [("OGW_ROOT_SECRET_KEY", "short"), ("OGW_METADATA", "mongo://u:pass@host/")] {
            let text = try #require(
                message { _ = try GatewayConfiguration.read(SettingSources(environment: [name: value])) })
            #expect(text.contains(name) && !text.contains("short") && !text.contains("pass"))
        }
    }

    @Test func `a connection string of MongoDB is taken as it is`() throws {
        let configuration = try GatewayConfiguration.read(
            SettingSources(environment: ["OGW_METADATA": "mongodb://h/d?replicaSet=rs0", "OGW_MONGODB_POOL": "8"]))
        #expect(configuration.metadata == .mongoDB("mongodb://h/d?replicaSet=rs0"))
        #expect(configuration.mongoClientsMax == 8)
    }

    @Test func `half a pair is an error that names the other half`() {
        for (given, value, missing) in [
            ("OGW_ROOT_ACCESS_KEY", "AKIA", "OGW_ROOT_SECRET_KEY"),
            ("OGW_ROOT_SECRET_KEY", "0123456789", "OGW_ROOT_ACCESS_KEY"),
            ("OGW_TLS_CERT", "a.pem", "OGW_TLS_KEY"), ("OGW_TLS_KEY", "a.pem", "OGW_TLS_CERT"),
        ] {
            let text = message { _ = try GatewayConfiguration.read(SettingSources(environment: [given: value])) }
            #expect(text?.hasPrefix(missing) == true)
        }
    }

    @Test func `sizes, durations, lists and addresses are read in all their forms`() throws {
        let read = try GatewayConfiguration.read(
            SettingSources(environment: [
                "OGW_OBJECT_SIZE_MAX": "6GiB", "OGW_DISK_FREE_MIN": "1000", "OGW_HEAD_TIMEOUT": "1500ms",
                "OGW_IDLE_TIMEOUT": "2m", "OGW_STALL_TIMEOUT": "9", "OGW_DOMAIN": "S3.Example.com, localhost",
                "OGW_S3_LISTEN": "[::1]:9000,0.0.0.0:9100,unix:/run/s3.sock", "OGW_SERVICES_LISTEN": "off",
                "OGW_PUBLIC_URL": "https://s3.example.com//",
            ]))
        #expect(read.objectSizeMax == 6 << 30 && read.diskFreeMin == 1000)
        #expect(read.headTimeout == .milliseconds(1500) && read.idleTimeout == .seconds(120))
        #expect(read.stallTimeout == .seconds(9))
        #expect(read.domains == ["s3.example.com", "localhost"])
        #expect(read.s3Listen.map(\.description) == ["[::1]:9000", "0.0.0.0:9100", "unix:/run/s3.sock"])
        #expect(read.servicesListen.isEmpty)
        #expect(read.publicURL == "https://s3.example.com")
    }
}

@Suite struct EnvironmentFileTests {
    @Test func `comments, quotes, export and Windows line ends are understood`() throws {
        let read = try file(
            """
            # a comment
            OGW_REGION=eu-west-1   # trailing comment
              export OGW_DATA = "/srv/my data # not a comment"
            OGW_DOMAIN='a"b'\r

            EMPTY=
            HASH=a#b
            """)
        #expect(
            read.entries == [
                .init(name: "OGW_REGION", value: "eu-west-1", line: 2),
                .init(name: "OGW_DATA", value: "/srv/my data # not a comment", line: 3),
                .init(name: "OGW_DOMAIN", value: "a\"b", line: 4), .init(name: "EMPTY", value: "", line: 6),
                .init(name: "HASH", value: "a#b", line: 7),
            ])
    }

    @Test(arguments: ["novalue", "=x", "A B=x", "A=\"open", "A='x' y", "A=\u{0}"])
    func `a line that is none of these is an error with its number`(line: String) {
        let text = message { _ = try file("OK=1\n\(line)\n") }
        #expect(text?.hasPrefix("settings.env line 2") == true)
    }

    @Test func `a slip in the name of a setting is an error`() throws {
        let file = try file("OGW_REGOIN=x\n")
        let text = message { _ = try GatewayConfiguration.read(SettingSources(file: file)) }
        #expect(text == "settings.env line 1 is \"OGW_REGOIN\": wanted a setting that `ogw serve --help` lists.")
    }

    @Test func `the last line for a name wins`() throws {
        let file = try file("OGW_REGION=a\nOGW_REGION=b\n")
        #expect(try GatewayConfiguration.read(SettingSources(file: file)).region == "b")
    }
}
