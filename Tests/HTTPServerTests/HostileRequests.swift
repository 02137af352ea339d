import Testing

/// A request that must be refused, and the status it gets. Each stands for a known way to smuggle, to split, or to exhaust.
struct HostileRequest: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let status: Int

    init(_ name: String, _ text: String, _ status: Int = 400) {
        self.name = name
        self.bytes = [UInt8](text.utf8)
        self.status = status
    }

    var testDescription: String { name }
}

private func fields(_ name: String, _ fields: String, _ status: Int = 400) -> HostileRequest {
    HostileRequest(name, "POST /k HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n", status)
}

private func line(_ name: String, _ line: String, _ status: Int = 400) -> HostileRequest {
    HostileRequest(name, "\(line)\r\nHost: a\r\n\r\n", status)
}

private func host(_ name: String, _ fields: String) -> HostileRequest {
    HostileRequest(name, "GET / HTTP/1.1\r\n\(fields)\r\n")
}

let hostileRequests: [HostileRequest] = [
    // The length of the body
    fields("length and coding", "Content-Length: 4\r\nTransfer-Encoding: chunked"),
    fields("coding and length", "Transfer-Encoding: chunked\r\nContent-Length: 4"),
    fields("zero length and coding", "Content-Length: 0\r\nTransfer-Encoding: chunked"),
    fields("two lengths that differ", "Content-Length: 4\r\nContent-Length: 5"),
    fields("two lengths that agree", "Content-Length: 4\r\nContent-Length: 4"),
    fields("a list of lengths", "Content-Length: 4, 4"),
    fields("a length with a sign", "Content-Length: +4"),
    fields("a negative length", "Content-Length: -4"),
    fields("a hexadecimal length", "Content-Length: 0x4"),
    fields("a fractional length", "Content-Length: 4.0"),
    fields("an empty length", "Content-Length:"),
    fields("a length with a space inside", "Content-Length: 4 4"),
    fields("a length above 64 bits", "Content-Length: 18446744073709551616"),
    fields("a length of a hundred digits", "Content-Length: " + String(repeating: "1", count: 100)),
    fields("a length in other digits", "Content-Length: \u{0664}"),
    // The coding of the body
    fields("an unknown coding", "Transfer-Encoding: gzip", 501),
    fields("a coding before chunked", "Transfer-Encoding: gzip, chunked", 501),
    fields("a coding that only looks chunked", "Transfer-Encoding: xchunked", 501),
    fields("chunked with a parameter", "Transfer-Encoding: chunked;q=1", 501),
    fields("chunked in quotes", "Transfer-Encoding: \"chunked\"", 501),
    fields("identity", "Transfer-Encoding: identity", 501),
    fields("chunked not last", "Transfer-Encoding: chunked, gzip"),
    fields("chunked twice in a list", "Transfer-Encoding: chunked, chunked"),
    fields("chunked in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    fields("chunked, then identity in a second field", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    fields("an empty coding", "Transfer-Encoding:"),
    fields("a coding with a vertical tab", "Transfer-Encoding: \u{0B}chunked"),
    HostileRequest("a coding in version 1.0", "POST /k HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
    // The shape of fields
    fields("a space before the colon", "Transfer-Encoding : chunked"),
    fields("a tab before the colon", "X-A\t: b"),
    fields("a folded field", "X-A: b\r\n c"),
    fields("a folded field by a tab", "X-A: b\r\n\tc"),
    HostileRequest("a blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    fields("a field without a colon", "X-A"),
    fields("a field without a name", ": b"),
    fields("a name with a control byte", "X-\u{01}A: b"),
    fields("a name with a slash", "X/A: b"),
    fields("a name beyond ASCII", "X-Ä: b"),
    fields("a NUL in a value", "X-A: b\0c"),
    fields("a NUL in a name", "X\0: b"),
    fields("a bare carriage return in a value", "X-A: b\rContent-Length: 4"),
    fields("a DEL in a value", "X-A: b\u{7F}"),
    fields("an escape in a value", "X-A: \u{1B}[2J"),
    fields("a bare line feed between fields", "X-A: b\nX-B: c"),
    HostileRequest("a bare line feed at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    HostileRequest("bare line feeds everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
    HostileRequest("a carriage return alone as line end", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    fields("too many fields", Array(repeating: "X: y", count: 201).joined(separator: "\r\n"), 431),
    fields("a head that is too large", "X: " + String(repeating: "y", count: 17_000), 431),
    // The request line
    line("no target", "GET HTTP/1.1"),
    line("version 0.9", "GET /"),
    line("an empty target", "GET  HTTP/1.1"),
    line("two spaces after the target", "GET /  HTTP/1.1"),
    line("a space in the target", "GET /a b HTTP/1.1"),
    line("a tab for a space", "GET\t/ HTTP/1.1"),
    line("a blank at the start", " GET / HTTP/1.1"),
    line("a blank at the end", "GET / HTTP/1.1 "),
    line("a method that is no token", "GE(T / HTTP/1.1"),
    line("a method that is too long", String(repeating: "A", count: 33) + " / HTTP/1.1"),
    line("a NUL in the target", "GET /a\0 HTTP/1.1"),
    line("a control byte in the target", "GET /a\u{01} HTTP/1.1"),
    line("a DEL in the target", "GET /a\u{7F} HTTP/1.1"),
    line("a fragment", "GET /a#b HTTP/1.1"),
    line("a target without a slash", "GET a HTTP/1.1"),
    line("another scheme", "GET ftp://a/ HTTP/1.1"),
    line("an authority as target", "CONNECT a:443 HTTP/1.1"),
    line("an asterisk for GET", "GET * HTTP/1.1"),
    line("an absolute target of another host", "GET http://b/ HTTP/1.1"),
    line("an absolute target without a host", "GET http:/// HTTP/1.1"),
    line("a target that is too long", "GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1", 414),
    line("version 2.0", "GET / HTTP/2.0", 505),
    line("the preface of HTTP/2", "PRI * HTTP/2.0", 505),
    line("version 3.0", "GET / HTTP/3.0", 505),
    line("a version with a long number", "GET / HTTP/1.10"),
    line("a version without a dot", "GET / HTTP/11"),
    line("a version in lower case", "GET / http/1.1"),
    line("another protocol", "GET / ICAP/1.1"),
    HostileRequest("a TLS greeting", "\u{16}\u{03}\u{01}\u{02}\0\u{01}"),
    HostileRequest("two empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    // The host
    host("no host", ""),
    host("two hosts", "Host: a\r\nHost: b\r\n"),
    host("the same host twice", "Host: a\r\nHost: a\r\n"),
    host("an empty host", "Host:\r\n"),
    host("a list of hosts", "Host: a, b\r\n"),
    host("a host with a user", "Host: u@a\r\n"),
    host("a host with a path", "Host: a/b\r\n"),
    host("a host with a blank", "Host: a b\r\n"),
    // Expectations
    fields("another expectation", "Content-Length: 4\r\nExpect: 200-ok", 417),
    fields("an expectation beside the known one", "Content-Length: 4\r\nExpect: 100-continue, x", 417),
]
