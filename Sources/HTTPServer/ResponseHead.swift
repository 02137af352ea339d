import Bytes
import Glibc
import Threads

/// Writes the start line and fields of a response.
enum ResponseHead {
    static let continuation = [UInt8]("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// How a response's body is delimited on the wire.
    enum Framing: Equatable {
        /// 204 and 304: neither a body nor a length.
        case none
        case length(UInt64)
        case chunked
        /// HTTP/1.0 with a length that is not known.
        case untilClose
    }

    enum Persistence { case assumed, keepAlive, close }

    /// `room`: bytes that the caller will append.
    static func encode(
        status: Int, headers: HeaderBlock, framing: Framing, persistence: Persistence, date: [UInt8], room: Int
    ) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(160 + headers.encoded.count + room)
        append("HTTP/1.1 ", to: &out)
        Ascii.appendDecimal(UInt64(min(max(status, 100), 999)), to: &out)
        out.append(Ascii.space)
        append(phrase(status), to: &out)
        append("\r\nDate: ", to: &out)
        out.append(contentsOf: date)
        append("\r\n", to: &out)
        out.append(contentsOf: headers.encoded)
        switch framing {
        case .none, .untilClose: break
        case .length(let length):
            append("Content-Length: ", to: &out)
            Ascii.appendDecimal(length, to: &out)
            append("\r\n", to: &out)
        case .chunked: append("Transfer-Encoding: chunked\r\n", to: &out)
        }
        switch persistence {
        case .assumed: break
        case .keepAlive: append("Connection: keep-alive\r\n", to: &out)
        case .close: append("Connection: close\r\n", to: &out)
        }
        append("\r\n", to: &out)
        return out
    }

    static func append(_ text: StaticString, to out: inout [UInt8]) {
        // SAFETY: a static string's bytes live for ever.
        unsafe out.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The phrases of RFC 9110 section 15 for what a gateway answers.
    static func phrase(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Status"
        }
    }
}

/// The Date field's value, made once a second.
final class DateCache: Sendable {
    private let cached = Lock<(second: Int64, text: [UInt8])>((0, []))

    func text(_ now: Timestamp) -> [UInt8] {
        let second = now.seconds
        return cached.withLock { cached in
            if cached.second != second { cached = (second, DateFormats.http(Timestamp(seconds: second))) }
            return cached.text
        }
    }
}
