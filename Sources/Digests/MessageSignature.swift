public import Bytes

/// By what a receiver knows that a message is from this store: a timestamp, and HMAC-SHA256 over the timestamp, a dot and the body. A
/// body that was recorded cannot be sent again later.
public enum MessageSignature {
    /// The fields of a request. None without a key.
    public static func fields(
        of body: [UInt8], by key: HMACKey?, at moment: Timestamp
    ) -> [(name: String, value: String)] {
        guard let key else { return [] }
        let timestamp = "\(moment.seconds)"
        return [
            (name: "x-ogw-timestamp", value: timestamp),
            (
                name: "x-ogw-signature",
                value: "v1=" + Hex.string(key.code(of: Array("\(timestamp).".utf8) + body))
            ),
        ]
    }
}
