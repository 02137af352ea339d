import Bytes
import Glibc
import LoadClient
import SigV4

/// The commands that prepare what other load generators send.
enum Requests {
    /// Stores `count` objects of `bytes` under `prefix` and a number, and the same bytes below `folder` for a peer.
    static func seed(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let prefix = try arguments.text("prefix")
        let folder = try arguments.text("folder")
        let size = try arguments.number("bytes")
        let connection = try endpoint.connect()
        for number in 0..<(try arguments.number("count")) {
            let body = Content.bytes(size, seed: UInt64(number) + 1)
            try endpoint.exchange(connection, "PUT", "\(prefix)\(number)", body: body)
            guard let file = unsafe fopen("\(folder)\(prefix)\(number)", "w") else { throw ClientError.system("fopen") }
            let written = unsafe fwrite(body, 1, body.count, file)
            if unsafe fclose(file) != 0 || written != body.count { throw ClientError.system("fwrite") }
        }
    }

    static func makeBucket(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        try endpoint.exchange(try endpoint.connect(), "PUT", "/\(arguments.text("bucket"))")
    }

    /// Prints the head of one signed request, for clients that speak TLS.
    static func sign(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let head = try endpoint.head(
            arguments.text("method"), arguments.text("path"), length: Int(arguments.text("bytes", default: "0")) ?? 0)
        print(String(decoding: head, as: UTF8.self), terminator: "")
    }

    /// Prints a script for wrk that sends `count` requests in turn, signed now: a signature by header is good for the
    /// clock skew that the gateway allows, so the generator's own signing does not blur the figure. `--plain yes` leaves the
    /// signatures out, for a peer that knows none.
    static func lua(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let prefix = try arguments.text("prefix")
        let method = try arguments.text("method", default: "GET")
        let size = method == "GET" ? 0 : try arguments.number("bytes")
        let isPlain = try arguments.text("plain", default: "no") == "yes"
        var script = "local body = string.rep(\"x\", \(size))\nlocal requests = {\n"
        for number in 0..<(try arguments.number("count")) {
            let path = "\(prefix)\(number)"
            var head = try String(decoding: endpoint.head(method, path, length: size), as: UTF8.self)
            if isPlain {
                let length = method == "GET" ? "" : "Content-Length: \(size)\r\n"
                head = "\(method) \(path) HTTP/1.1\r\nHost: \(endpoint.host)\r\n\(length)\r\n"
            }
            script += "    \"\(head.replacingLineEnds())\" .. body,\n"
        }
        script += """
            }
            local n = 0
            function request()
                n = n % #requests + 1
                return requests[n]
            end
            function done(summary, latency)
                local e = summary.errors
                io.write(string.format(
                    '{"requests": %d, "seconds": %f, "per_second": %f, "bytes": %d, "errors": %d, "p50_ms": %f, "p90_ms": %f, "p99_ms": %f}\\n',
                    summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6), summary.bytes,
                    e.connect + e.read + e.write + e.status + e.timeout,
                    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3))
            end
            """
        print(script)
    }
}

extension String {
    /// As it stands between the quotes of a Lua string.
    fileprivate func replacingLineEnds() -> String { map { $0 == "\r\n" ? "\\r\\n" : String($0) }.joined() }
}
