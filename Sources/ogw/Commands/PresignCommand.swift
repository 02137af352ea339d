import Bytes
import JSON
import ObjectGateway

/// `ogw presign s3://BUCKET/KEY`.
enum PresignCommand: Command {
    static let syntax = CommandSyntax(
        "presign", "Print a URL that lets whoever has it get or put one object.", operands: ["s3://BUCKET/KEY"],
        options: [
            .init("--method", "METHOD", "GET or PUT. Default GET."),
            .init("--expires", "DURATION", "How long the URL works, 1s to 7d. Default 1h."),
            .init("--version-id", "ID", "The version to get. Default the latest."),
            .init("--user", "USER", "Sign with this user's keys from the store. Default root."),
            .init("--access-key", "KEY", "Sign with this key, without asking a store; goes with --secret-key."),
            .init("--secret-key", "SECRET", "The secret key. Other users of the machine can see it while this runs."),
            .init("--endpoint", "URL", "The S3 endpoint in the URL. Default OGW_PUBLIC_URL, or the first S3 address."),
        ] + Control.options,
        settings: ["OGW_DATA", "OGW_REGION", "OGW_PUBLIC_URL", "OGW_S3_LISTEN"].compactMap(Setting.named),
        example: """
            curl -o photo.jpg "$(ogw presign s3://my-bucket/photo.jpg --expires 15m)"
            curl -T photo.jpg "$(ogw presign s3://my-bucket/photo.jpg --method PUT)"
            """)

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let (bucket, key) = try location(arguments.operands[0])
        let method = arguments.values["--method"] ?? "GET"
        guard method == "GET" || method == "PUT" else {
            throw usage("--method is \"\(method)\": wanted GET or PUT")
        }
        let seconds = try expires(arguments.values["--expires"] ?? "1h")
        let url: String
        if let accessKey = arguments.values["--access-key"] {
            guard let secret = arguments.values["--secret-key"] else {
                throw usage("--secret-key is missing: wanted it beside --access-key")
            }
            let configuration = try Environment.configuration(arguments)
            let endpoint =
                arguments.values["--endpoint"] ?? configuration.publicURL(bound: configuration.s3Listen)
            let presigner = Presigner(
                endpoint: endpoint, accessKey: [UInt8](accessKey.utf8), secret: [UInt8](secret.utf8),
                region: configuration.region)
            guard let presigner else { throw usage("--endpoint is \"\(endpoint)\": wanted an http or https URL") }
            let made = presigner.url(
                method: method, bucket: bucket, key: [UInt8](key.utf8), versionID: arguments.values["--version-id"],
                expires: .seconds(seconds))
            guard let made else { throw usage("--expires is out of range: wanted \(Presigner.expiresRule)") }
            url = made
        } else {
            guard arguments.values["--secret-key"] == nil else {
                throw usage("--access-key is missing: wanted it beside --secret-key")
            }
            url = try askStore(arguments, method: method, bucket: bucket, key: key, seconds: seconds)
        }
        Control.show(["url": .string(url)], arguments) { _ in url }
        return 0
    }

    private static func askStore(
        _ arguments: ParsedArguments, method: String, bucket: String, key: String, seconds: Int64
    ) throws -> String {
        var members: [JSONValue.Member] = [
            .init("method", .string(method)), .init("bucket", .string(bucket)), .init("key", .string(key)),
            .init("expires_s", .integer(seconds)),
        ]
        let location: (place: String, value: String?) = ("s3://BUCKET/KEY", arguments.operands[0])
        var places = ["bucket": location, "key": location, "expires_s": ("--expires", arguments.values["--expires"])]
        for (field, flag) in [("version_id", "--version-id"), ("user", "--user"), ("endpoint", "--endpoint")] {
            guard let value = arguments.values[flag] else { continue }
            members.append(.init(field, .string(value)))
            places[field] = (flag, value)
        }
        let request = Control.Request(method: "POST", path: "/presign", body: .object(members), places: places)
        return try Control.ask(request, arguments, as: self).text("url")
    }

    private static func location(_ text: String) throws -> (bucket: String, key: String) {
        let wanted = "s3://BUCKET/KEY is \"\(text)\": wanted a location such as s3://my-bucket/photo.jpg"
        guard text.hasPrefix("s3://") else { throw usage(wanted) }
        let parts = text.utf8.dropFirst("s3://".utf8.count)
            .split(separator: Ascii.slash, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { throw usage(wanted) }
        return (String(ascii: parts[0]), String(ascii: parts[1]))
    }

    private static func expires(_ text: String) throws -> Int64 {
        let units: [(String, UInt64)] = [("", 1), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]
        let digits = text.utf8.prefix { Ascii.isDigit($0) }
        let suffix = String(text.dropFirst(digits.count))
        guard let number = Ascii.decimal(digits), number <= 604_800,
            let unit = units.first(where: { $0.0 == suffix }), (1...604_800).contains(number * unit.1)
        else {
            throw usage("--expires is \"\(text)\": wanted a duration such as 90s, 15m, 1h or 7d, at most 7d")
        }
        return Int64(number * unit.1)
    }
}
