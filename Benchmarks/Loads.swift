import Bytes
import Digests
import Glibc
import LoadClient
import SigV4
import Synchronization
import Threads

/// The commands that put load on a server. Each prints one line of JSON.
enum Loads {
    /// Uploads `count` objects of `bytes` over `connections`, or as many as fit into `seconds`, each under a new key; with
    /// `--keys` they take turns with so many.
    static func put(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let prefix = try arguments.text("prefix")
        let connections = try arguments.number("connections", default: 1)
        let size = try arguments.number("bytes")
        let countMax = try arguments.number("count", default: Int.max)
        let seconds = try arguments.number("seconds", default: 600)
        let keys = try arguments.number("keys", default: Int.max)
        let body = Content.bytes(size)
        var payload = PayloadMode.unsigned
        if try arguments.text("payload", default: "unsigned") == "sha256" { payload = .sha256(Digest.sha256(body)) }
        let next = Atomic<Int>(0)
        let start = Monotonic.nanoseconds
        let end = start + UInt64(seconds) * 1_000_000_000
        let mode = payload
        let all = try ClientThreads.run(connections) { _ in
            let connection = try endpoint.connect()
            var timings = Timings()
            while Monotonic.nanoseconds < end {
                let number = next.add(1, ordering: .relaxed).oldValue
                if number >= countMax { break }
                _ = try timings.measure {
                    try endpoint.exchange(connection, "PUT", "\(prefix)\(number % keys)", body: body, payload: mode)
                }
            }
            return timings
        }
        print(Timings.joined(all).report(seconds: elapsed(since: start), bytesEach: size))
    }

    /// Downloads `path` again and again.
    static func get(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let path = try arguments.text("path")
        let connections = try arguments.number("connections", default: 1)
        let size = try arguments.number("bytes")
        let seconds = try arguments.number("seconds")
        let start = Monotonic.nanoseconds
        let end = start + UInt64(seconds) * 1_000_000_000
        let all = try ClientThreads.run(connections) { _ in
            let connection = try endpoint.connect()
            var timings = Timings()
            while Monotonic.nanoseconds < end {
                let reply = try timings.measure { try endpoint.exchange(connection, "GET", path) }
                if reply.length != size { throw ClientError("GET \(path): \(reply.length) bytes") }
            }
            return timings
        }
        print(Timings.joined(all).report(seconds: elapsed(since: start), bytesEach: size))
    }

    /// What an upload cannot do without, in this process: the digests, the write and fdatasync of an unnamed file.
    static func cost(_ arguments: Arguments) throws {
        let folder = try arguments.text("folder")
        let size = try arguments.number("bytes")
        let count = try arguments.number("count")
        let threads = try arguments.number("threads", default: 1)
        let set: DigestSet =
            try arguments.text("payload", default: "unsigned") == "sha256" ? [.md5, .sha256] : [.md5]
        let body = Content.bytes(size)
        let start = Monotonic.nanoseconds
        let all = try ClientThreads.run(threads) { _ in
            var timings = Timings()
            for _ in 0..<(count + threads - 1) / threads {
                let digest = DigestStream(set)
                try timings.measure {
                    let file = try DurableFile(in: folder)
                    var rest = body.span
                    while !rest.isEmpty {
                        let piece = rest.extracting(first: 256 * 1024)
                        rest = rest.extracting(droppingFirst: 256 * 1024)
                        digest.update(piece)
                        try file.append(piece)
                    }
                    _ = digest.finish()
                    try file.sync()
                }
            }
            return timings
        }
        print(Timings.joined(all).report(seconds: elapsed(since: start), bytesEach: size))
    }

    /// `uploads` uploads of `bytes` at once, and beside them one client that gets `path` again and again.
    static func interference(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let path = try arguments.text("path")
        let uploads = try arguments.number("uploads", default: 4)
        let size = try arguments.number("bytes")
        let piece = Content.bytes(8 << 20)
        let running = Atomic<Int>(uploads)
        let start = Monotonic.nanoseconds
        let all = try ClientThreads.run(uploads + 1) { index in
            let connection = try endpoint.connect()
            var timings = Timings()
            if index == uploads {
                while running.load(ordering: .relaxed) > 0 {
                    _ = try timings.measure { try endpoint.exchange(connection, "GET", path) }
                }
                return timings
            }
            defer { running.subtract(1, ordering: .relaxed) }
            try connection.send(endpoint.head("PUT", "/bench/large-\(index)", length: size))
            var left = size
            while left > 0 {
                try connection.send(piece, first: left)
                left -= min(left, piece.count)
            }
            _ = try Endpoint.checked(connection.reply(), "PUT of a large object")
            return timings
        }
        let seconds = elapsed(since: start)
        print(Timings.joined(all).report(seconds: seconds, bytesEach: 4096))
        print("{\"upload_mib_per_second\": \(Double(uploads * size) / 1_048_576 / seconds)}")
    }

    /// Opens `connections`, does one request on each, says so, and holds them until standard input ends.
    static func idle(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let path = try arguments.text("path")
        var open: [ClientConnection] = []
        for _ in 0..<(try arguments.number("connections")) {
            let connection = try endpoint.connect(receiveBytes: 8192)
            try endpoint.exchange(connection, "GET", path)
            open.append(connection)
        }
        print("ready")
        fflush(nil)
        _ = readLine()
        withExtendedLifetime(open) {}
    }

    static func elapsed(since start: UInt64) -> Double { Double(Monotonic.nanoseconds - start) / 1e9 }
}
