import Bytes
import Hooks
import JSON

/// A job as the gateway hands it out.
struct Assignment: Sendable {
    struct Input: Sendable {
        var name: String
        /// In bytes.
        var size: UInt64
        var contentType: String
    }

    enum Logo: Sendable {
        /// An object, which the gateway hands out under the job's lease.
        case object(etag: String)
        case url(String)
    }

    var id: String
    /// In hexadecimal digits.
    var lease: String
    var leasePeriod: Duration
    var attempt: Int
    var hook: String
    var step: String
    /// What the step does: `watermark`, `deliver` ...
    var kind: String
    /// Of one try.
    var timeout: Duration
    var event: String
    var bucket: String
    var key: String
    var version: String
    var inputs: [Input]
    var options: JSONValue
    var logo: Logo?

    init(reading value: JSONValue, at path: String) throws(JSONFault) {
        // A newer gateway may say more.
        let members = try JSONMembers(anyOf: value, at: path, secrets: ["lease"])
        id = try members.requiredText("id", wanted: "an id")
        lease = try members.requiredText("lease", wanted: "a lease")
        leasePeriod = .milliseconds(try members.integer("lease_ms", in: 1...86_400_000) ?? 30_000)
        attempt = Int(try members.integer("attempt", in: 0...1_000_000_000) ?? 1)
        hook = try members.requiredText("hook", wanted: "a name")
        step = try members.requiredText("step", wanted: "a name")
        kind = try members.requiredText("kind", wanted: "a kind of step")
        timeout = .milliseconds(try members.integer("timeout_ms", in: 1...604_800_000) ?? 3_600_000)
        event = try members.text("event", wanted: "an event") ?? ""
        bucket = try members.text("bucket", wanted: "a bucket") ?? ""
        key = try members.text("key", wanted: "a key") ?? ""
        version = try members.text("version", wanted: "a version") ?? ""
        options = members["options"] ?? .object([])
        inputs = []
        for (place, value) in try members.list("inputs", countMax: 10_000) {
            let input = try JSONMembers(anyOf: value, at: place)
            inputs.append(
                Input(
                    name: try input.text("name", wanted: "a name") ?? "file",
                    size: UInt64(clamping: try input.integer("size", in: 0...Int64.max) ?? 0),
                    contentType: try input.text("content_type", wanted: "a content type") ?? ""))
        }
        guard let value = members["logo"] else { return }
        let inner = try JSONMembers(anyOf: value, at: members.path(of: "logo"))
        if let url = try inner.text("url", wanted: "a URL") {
            logo = .url(url)
        } else {
            logo = .object(etag: try inner.requiredText("etag", wanted: "an ETag"))
        }
    }
}
