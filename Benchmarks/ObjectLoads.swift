import Bytes
import Glibc
import LoadClient
import Synchronization
import Threads

/// The commands that put load on objects that are there already, or on the listing of a bucket.
enum ObjectLoads {
    /// `--method` (GET, HEAD or DELETE) on `prefix` and the numbers below `count`: over and over for `seconds`, or each
    /// number once where `seconds` is not given.
    static func each(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let method = try arguments.text("method")
        let prefix = try arguments.text("prefix")
        let count = try arguments.number("count")
        let connections = try arguments.number("connections", default: 1)
        let isOnce = !arguments.names.contains("seconds")
        let seconds = try arguments.number("seconds", default: 3600)
        let next = Atomic<Int>(0)
        let start = Monotonic.nanoseconds
        let end = start + UInt64(seconds) * 1_000_000_000
        let all = try ClientThreads.run(connections) { _ in
            let connection = try endpoint.connect()
            var timings = Timings()
            while Monotonic.nanoseconds < end {
                let number = next.add(1, ordering: .relaxed).oldValue
                if isOnce && number >= count { break }
                let path = "\(prefix)\(number % count)"
                _ = try timings.measure { try request(endpoint, connection, method, path) }
            }
            return timings
        }
        print(Timings.joined(all).report(seconds: Loads.elapsed(since: start), bytesEach: 0))
    }

    private static func request(
        _ endpoint: Endpoint, _ connection: ClientConnection, _ method: String, _ path: String
    ) throws -> ClientConnection.Reply {
        try connection.send(endpoint.head(method, path))
        return try Endpoint.checked(connection.reply(hasBody: method != "HEAD"), "\(method) \(path)")
    }

    /// Of 100 requests `gets` read one of the `count` objects under `prefix`; the others write a new one. Prints one line
    /// whose members `get` and `put` are reports of their own.
    static func mixed(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let prefix = try arguments.text("prefix")
        let count = try arguments.number("count")
        let size = try arguments.number("bytes")
        let gets = try arguments.number("gets", default: 70)
        let connections = try arguments.number("connections", default: 1)
        let seconds = try arguments.number("seconds")
        let body = Content.bytes(size)
        // Two runs over one store do not write the same keys.
        let run = Monotonic.nanoseconds
        let start = Monotonic.nanoseconds
        let end = start + UInt64(seconds) * 1_000_000_000
        let all = try ClientThreads.run(connections) { index in
            let connection = try endpoint.connect()
            var (read, written) = (Timings(), Timings())
            // Steps of a number without a common factor with 100 meet every remainder in turn, well mixed.
            var draw = index * 37
            while Monotonic.nanoseconds < end {
                draw += 61
                if draw % 100 < gets {
                    let path = "\(prefix)\(draw % count)"
                    _ = try read.measure { try endpoint.exchange(connection, "GET", path) }
                } else {
                    let path = "\(prefix)new-\(run)-\(index)-\(draw)"
                    _ = try written.measure { try endpoint.exchange(connection, "PUT", path, body: body) }
                }
            }
            return (read, written)
        }
        let took = Loads.elapsed(since: start)
        let reports = [Timings.joined(all.map(\.0)), Timings.joined(all.map(\.1))].map {
            $0.report(seconds: took, bytesEach: size)
        }
        let total = all.reduce(0) { $0 + $1.0.count + $1.1.count }
        print("{\"get\": \(reports[0]), \"put\": \(reports[1]), \"per_second\": \(Double(total) / took)}")
    }

    /// Fills a bucket for listings: keys of two parts, `group` of them under each first part, in ascending order.
    static func fill(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let bucket = try arguments.text("bucket")
        let count = try arguments.number("count")
        let group = try arguments.number("group", default: 100)
        let connections = try arguments.number("connections", default: 64)
        let next = Atomic<Int>(0)
        let start = Monotonic.nanoseconds
        let all = try ClientThreads.run(connections) { _ in
            let connection = try endpoint.connect()
            var timings = Timings()
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                if number >= count { return timings }
                let path = "/\(bucket)/\(key(number, group: group))"
                _ = try timings.measure { try endpoint.exchange(connection, "PUT", path, body: [0x78]) }
            }
        }
        print(Timings.joined(all).report(seconds: Loads.elapsed(since: start), bytesEach: 1))
    }

    private static func key(_ number: Int, group: Int) -> String {
        "d\(padded(number / group))/o\(padded(number))"
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 9 - digits.count)) + digits
    }

    /// Lists a page of 1,000 again and again, begun behind the key of number `after` that `fill` gives it; `--delimiter`
    /// makes it common prefixes. Prints how many entries the page had beside the timings.
    static func list(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let bucket = try arguments.text("bucket")
        let group = try arguments.number("group", default: 100)
        let after = Int(try arguments.text("after", default: "-1")) ?? -1
        let isDelimited = try arguments.text("delimiter", default: "no") == "yes"
        var query = isDelimited ? "delimiter=%2F&list-type=2&max-keys=1000" : "list-type=2&max-keys=1000"
        if after >= 0 {
            // A first part alone stands before all of its keys, so that a page of common prefixes begins with it.
            let name = key(after, group: group)
            let start = isDelimited ? String(name.prefix { $0 != "/" }) : name
            query += "&start-after=\(start.split(separator: "/").joined(separator: "%2F"))"
        }
        let connection = try endpoint.connect()
        var (timings, entries) = (Timings(), 0)
        let start = Monotonic.nanoseconds
        for _ in 0..<(try arguments.number("count", default: 20)) {
            var answer: [UInt8] = []
            try timings.measure {
                _ = try endpoint.exchange(connection, "GET", "/\(bucket)", query: query) { bytes in
                    for index in bytes.indices { answer.append(bytes[index]) }
                }
            }
            entries = occurrences(of: isDelimited ? "<CommonPrefixes>" : "<Key>", in: answer)
        }
        print(timings.report(seconds: Loads.elapsed(since: start), bytesEach: 0))
        print("{\"entries\": \(entries)}")
    }

    private static func occurrences(of tag: String, in answer: [UInt8]) -> Int {
        let wanted = [UInt8](tag.utf8)
        return answer.indices.reduce(0) { count, index in
            answer[index] == wanted[0] && answer[index...].starts(with: wanted) ? count + 1 : count
        }
    }
}
