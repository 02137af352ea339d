import Bytes
import Glibc
import LoadClient
import Metadata
import Mongo
import Threads

/// What a change of a key costs in MongoDB, in several ways, beside a bare insert by the same driver.
enum MongoLoads {
    /// `--uri` with a database, which is dropped; `--folder` for the files of blobs. One after another, each `--rounds` times for
    /// `--seconds` on `--threads` at once, so that what else the machine does meets all of them:
    /// - `insert`: one document by a majority, the least that a durable write costs;
    /// - `put`: 4 KiB, or `--size` bytes, by `ObjectStore`, content and a version in a versioned bucket, the relay running. Up to `--inline`
    ///   bytes lie in the database, more in a file;
    /// - `head`: the version alone;
    /// - `transaction`: the head, the former version, an event and a job in one transaction, again until it succeeds.
    ///
    /// Each on up to `--keys` new keys; with `again-` before its name on 2,000 keys over and over, with `hot-` on one. `--kinds` names those
    /// that are wanted.
    static func run(_ arguments: Arguments) throws {
        let load = try MongoLoad(arguments)
        let all = "insert,put,again-put,hot-put,head,again-head,hot-head,transaction,hot-transaction"
        let kinds = try arguments.text("kinds", default: all).split(separator: ",").map(String.init)
        let rounds = try arguments.number("rounds", default: 2)
        var found: [String: (timings: [Timings], seconds: Double)] = [:]
        try load.prepare()
        for _ in 0..<rounds {
            for kind in kinds {
                let start = Monotonic.nanoseconds
                let timings = try load.run(kind)
                let seconds = Loads.elapsed(since: start)
                let former = found[kind] ?? ([], 0)
                found[kind] = (former.timings + [timings], former.seconds + seconds)
            }
        }
        let floor = found["insert"].map { Double(Timings.joined($0.timings).count) / $0.seconds }
        for kind in kinds {
            guard let (timings, seconds) = found[kind] else { continue }
            let joined = Timings.joined(timings)
            let share = floor.map { Double(joined.count) / seconds / $0 } ?? 0
            print("\(kind): \(joined.report(seconds: seconds, bytesEach: 0)) of insert: \(share)")
        }
        load.close()
    }

    /// Fills a bucket with `--keys` in folders of 1,000, and times pages of 1,000 keys and of 1,000 common prefixes. `--keep yes` leaves
    /// the database, and `--filled yes` finds it so.
    static func list(_ arguments: Arguments) throws {
        let isFilled = try arguments.text("filled", default: "no") == "yes"
        let load = try MongoLoad(arguments, isFilled: isFilled)
        if !isFilled { try load.fill() }
        for (name, delimiter) in [("keys", nil as [UInt8]?), ("prefixes", [UInt8]("/".utf8))] {
            var timings = Timings()
            let start = Monotonic.nanoseconds
            for round in 0..<40 {
                let folder = load.keys / 1_000 * round / 40
                let query = ListQuery(
                    bucket: try load.bucket(), prefix: [], delimiter: delimiter,
                    after: delimiter == nil ? [UInt8]("folder-\(1_000_000 + folder)/".utf8) : nil, limit: 1_000)
                let before = Monotonic.nanoseconds
                let page = try MongoLoad.wait(on: load.pool) { try await load.store.listObjects(query) }
                timings.add(Monotonic.nanoseconds - before)
                if round == 0 { print("\(name): \(page.objects.count + page.commonPrefixes.count) entries") }
            }
            print(timings.report(seconds: Loads.elapsed(since: start), bytesEach: 0))
        }
        load.close(keepsDatabase: try arguments.text("keep", default: "no") == "yes")
    }
}
