import Addons
import JSON

/// What the gateway says of a job's addon, under its lease.
struct AddonOrder: Sendable {
    /// As it is registered, without the secret.
    var document: JSONValue
    var secret: [UInt8]
    var call: AddonCall
    /// What a worker left that went before.
    var ticket: JSONValue?
    /// What came from outside.
    var answer: JSONValue?

    init(_ value: JSONValue) {
        document = value["settings"] ?? .null
        secret = Array((value["secret"]?.string ?? "").utf8)
        call = AddonCall(
            idempotencyKey: value["idempotency_key"]?.string ?? "", payload: value["payload"] ?? .object([]))
        ticket = value["ticket"].flatMap { $0 == .null ? nil : $0 }
        answer = value["answer"].flatMap { $0 == .null ? nil : $0 }
    }
}
