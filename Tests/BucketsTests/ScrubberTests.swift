import Bytes
import Files
import Metadata
import TestSupport
import Testing
import Threads

@testable import Buckets

@Suite(.timeLimit(.minutes(2))) struct ScrubberTests {
    private static let limit = 1000

    private func scrubber(_ fixture: Fixture, rate: UInt64 = 0) -> Scrubber {
        var configuration = ScrubConfiguration()
        configuration.rate = rate
        configuration.delay = .zero
        return Scrubber(objects: fixture.objects, configuration: configuration)
    }

    /// The report of a pass over everything.
    private func check(_ scrubber: Scrubber, repairs: Bool = false) async throws -> ScrubReport {
        scrubber.begin(repairs: repairs)
        while scrubber.isRunning { await Fixture.pool.sleep(for: .milliseconds(5)) }
        #expect(scrubber.failure == nil)
        #expect(scrubber.report.finished != nil)
        return scrubber.report
    }

    private func flip(_ offset: UInt64, in path: String) throws {
        let file = try LinuxDisk().open(path, .update)
        let byte = try #require(try file.read(at: offset, count: 1).first)
        try file.write([byte ^ 1].span, at: offset)
    }

    private func quarantined(_ fixture: Fixture) throws -> [String] {
        try LinuxDisk().names(in: fixture.folder.path + "/store/quarantine").sorted()
    }

    @Test func `what is whole is found whole, every blob once`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        for number in 0..<300 { try await fixture.put(pattern(10 + number, seed: UInt64(number)), "small-\(number)") }
        try await fixture.put(pattern((3 << 20) + 1), "large")
        try await fixture.put(pattern(2000), "medium")
        try await fixture.put([], "empty")
        let scrubber = scrubber(fixture)
        #expect(scrubber.report == ScrubReport())
        let report = try await check(scrubber)
        #expect(report.blobs == 302)
        var bytes: UInt64 = 2000 + (3 << 20) + 1
        for number: UInt64 in 0..<300 { bytes += 10 + number }
        #expect(report.bytes == bytes)
        #expect(report.errors == 0 && report.orphans == 0 && report.findings == [])
        #expect(scrubber.checkedCount == 302)
        #expect(try quarantined(fixture) == [])
    }

    @Test func `each kind of damage is found, listed and reported once, and nothing else is`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let reports = Lock<[BlobID]>([])
        fixture.blobs.damage.observe { damage in reports.withLock { $0.append(damage.blob) } }
        func put(_ name: String, _ size: Int) async throws -> BlobID {
            try #require(try await fixture.put(pattern(size), name).content.blobs.first)
        }
        let whole = try await put("whole", 300_000)
        let wrongByte = try await put("wrong byte", 300_000)
        let wrongTrailer = try await put("wrong trailer", 300_000)
        let short = try await put("short", 300_000)
        let missing = try await put("missing", 2000)
        let inLog = try await put("in the log", 500)
        try flip(299_999, in: fixture.blobs.path(of: wrongByte))
        try flip(300_001, in: fixture.blobs.path(of: wrongTrailer))
        try LinuxDisk().open(fixture.blobs.path(of: short), .update).truncate(to: 299_000)
        try fixture.blobs.remove(missing)
        guard case .segment(let number, let offset) = try await fixture.metadata.blob(inLog)?.location else { return }
        try flip(offset + 400, in: fixture.blobs.root + "/seg/0000000\(number).seg")

        let scrubber = scrubber(fixture)
        for _ in 0..<2 {
            let report = try await check(scrubber)
            #expect(report.findings.map(\.blob) == [wrongByte, wrongTrailer, short, missing, inLog])
            #expect(report.findings.map(\.kind) == [.damaged, .damaged, .damaged, .missing, .damaged])
            #expect(report.findings.map(\.isQuarantined) == [true, true, true, false, false])
            #expect(report.errors == 5 && report.orphans == 0 && report.blobs == 6)
        }
        #expect(reports.withLock { $0 } == [wrongByte, wrongTrailer, short, missing, inLog])
        let names = [wrongByte, wrongTrailer, short].map(Quarantine.name(of:))
        #expect(try quarantined(fixture) == names.flatMap { [$0, $0 + ".txt"] }.sorted())
        // Its name stays, and its reads fail.
        for name in ["wrong byte", "wrong trailer", "short", "in the log"] {
            let version = try #require(
                try await fixture.metadata.version(of: fixture.key(name), in: fixture.bucket, version: nil))
            await #expect(throws: BucketsError.self) { try await fixture.read(version) }
        }
        _ = whole
    }

    @Test func `a repair moves damaged files away and keeps them`() async throws {
        let fixture = try Fixture()
        let version = try await fixture.put(pattern(100_000))
        let blob = try #require(version.content.blobs.first)
        try flip(5, in: fixture.blobs.path(of: blob))
        let report = try await check(scrubber(fixture), repairs: true)
        #expect(report.findings.map(\.isQuarantined) == [true])
        #expect(try fixture.files() == [])
        let kept = fixture.blobs.root + "/quarantine/" + Quarantine.name(of: blob)
        #expect(try LinuxDisk().open(kept, .read).size() > 100_000)
        let note = try #require(try LinuxDisk().contents(of: kept + ".txt"))
        #expect(String(decoding: note, as: UTF8.self).contains("blob \(blob.value): the block at 0"))
        // From now on it is known.
        let later = try await check(scrubber(fixture))
        #expect(later.findings.map(\.kind) == [.lost] && later.errors == 0 && later.lost == 1)
        #expect(later.findings[0].reason.contains("the block at 0"))
    }

    @Test func `damaged pages of the database are among the errors`() async throws {
        let fixture = try Fixture()
        fixture.metadata.state.withLock {
            $0.damagedPages = [DamagedPage(file: "meta/main.db", number: 7)]
        }
        let report = try await check(scrubber(fixture))
        #expect(report.errors == 1 && report.findings.map(\.kind) == [.page])
        #expect(report.findings[0].blob == BlobID(7) && report.findings[0].reason.contains("page of meta/main.db"))
        #expect(ScrubReport(report.text) == report)
    }

    @Test func `files that no row names are orphans, garbage is none, and a repair moves them`() async throws {
        let folder = try TemporaryFolder()
        let former = try Fixture(folder: folder)
        let orphan = try #require(try await former.put(pattern(1000), "forgotten").content.blobs.first)
        // Another opening, whose store knows of nothing.
        let fixture = try Fixture(folder: folder)
        try await fixture.put(pattern(1000), "garbage")
        try await fixture.delete("garbage")
        let scrubber = scrubber(fixture)
        var report = try await check(scrubber)
        #expect(report.findings.map(\.kind) == [.orphan])
        #expect(report.findings.map(\.blob) == [orphan])
        #expect(report.orphans == 1 && report.errors == 0)
        #expect(try quarantined(fixture) == [])
        report = try await check(scrubber, repairs: true)
        #expect(report.findings.map(\.isQuarantined) == [true])
        #expect(try quarantined(fixture).count == 2)
        #expect(try await check(scrubber).orphans == 0)
        #expect(try await fixture.objects.sweeper.sweep() == 1)
    }

    @Test func `a blob that is moved or dropped while it is checked is no damage`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        let moved = try await fixture.put(pattern(100), "moved")
        let dropped = try await fixture.put(pattern(2000), "dropped")
        let blobs = try await fixture.metadata.blobs(after: BlobID(0), limit: 10)
        #expect(blobs.map(\.id) == [moved, dropped].flatMap(\.content.blobs))
        try fixture.metadata.relocateAll()
        try await fixture.delete("dropped")
        try await fixture.objects.sweeper.sweep()
        let opener = BlobOpener(
            metadata: fixture.metadata, blobs: fixture.blobs, segments: fixture.segments, pool: Fixture.pool)
        let checker = BlobChecker(opener: opener) { _ in true }
        for blob in blobs { #expect(try await checker.check(blob) == .whole) }
    }

    @Test func `a check that is stopped goes on where it was, in another process too`() async throws {
        let fixture = try Fixture(inlineBytesMax: Self.limit)
        for number in 0..<20 { try await fixture.put(pattern(100_000, seed: UInt64(number)), "key-\(number)") }
        let slow = scrubber(fixture, rate: 1 << 20)
        slow.start()
        while slow.report.blobs < 3 { await Fixture.pool.sleep(for: .milliseconds(5)) }
        await slow.stop()
        let before = slow.report
        #expect(before.finished == nil && before.blobs < 20)
        slow.begin(repairs: false)
        #expect(slow.report == before)

        let next = scrubber(fixture, rate: 1 << 30)
        #expect(next.report == before)
        next.start()
        while next.report.finished == nil { await Fixture.pool.sleep(for: .milliseconds(5)) }
        #expect(next.report.blobs == 20)
        #expect(next.report.started == before.started)
        #expect(next.checkedCount == 20 - before.blobs)
        await next.stop()
    }

    @Test func `a rate of zero checks nothing in the background`() async throws {
        let fixture = try Fixture()
        try await fixture.put(pattern(10))
        let scrubber = scrubber(fixture, rate: 0)
        scrubber.start()
        #expect(!scrubber.isRunning && scrubber.report.started == nil)
        await scrubber.stop()
    }

    @Test func `a report is read back as it was written, and anything else is none`() throws {
        var report = ScrubReport()
        #expect(ScrubReport(report.text) == report)
        report.started = Timestamp(milliseconds: 1_700_000_000_001)
        report.finished = Timestamp(milliseconds: 1_700_000_000_002)
        (report.position, report.blobs, report.bytes) = (BlobID(77), 5, .max)
        for number: UInt64 in 0..<3 {
            report.note(
                ScrubFinding(
                    kind: ScrubFinding.Kind.allCases[Int(number)], blob: BlobID(number), reason: "a reason of words",
                    moment: Timestamp(milliseconds: 5), isQuarantined: number == 1))
        }
        #expect(report.errors == 2 && report.orphans == 1)
        #expect(ScrubReport(report.text) == report)
        for number: UInt64 in 0..<2000 {
            report.note(
                ScrubFinding(
                    kind: .orphan, blob: BlobID(number), reason: "r", moment: Timestamp(milliseconds: 5),
                    isQuarantined: false))
        }
        #expect(report.findings.count == ScrubReport.findingsMax)
        for text in [
            "", "ogw-scrub 2\n", "ogw-scrub 1\nblobs x\n", "ogw-scrub 1\nother 1\n", "ogw-scrub 1\nfinding x\n",
        ] {
            #expect(ScrubReport([UInt8](text.utf8)) == nil)
        }
    }
}
