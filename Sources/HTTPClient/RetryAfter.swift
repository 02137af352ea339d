public import Bytes

/// The field `Retry-After` (RFC 9110 section 10.2.3).
public enum RetryAfter {
    /// Seconds, or a date. Nil for neither, and for a moment that has passed.
    public static func wait(_ text: String?, now: Timestamp) -> Duration? {
        guard let text else { return nil }
        if let seconds = Ascii.decimal(text.utf8) { return .seconds(Int64(clamping: min(seconds, 1 << 31))) }
        guard let moment = DateFormats.parseHTTP(text.utf8), moment > now else { return nil }
        return .milliseconds(moment.milliseconds - now.milliseconds)
    }
}
