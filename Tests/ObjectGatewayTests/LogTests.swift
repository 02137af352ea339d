import Bytes
import Glibc
import JSON
import Testing

@testable import ObjectGateway

/// The text that `body` makes a log write.
func logged(format: LogFormat = .json, level: LogLevel = .info, access: Bool = true, _ body: (Log) -> Void) -> String {
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else { return "" }
    let log = Log(format: format, level: level, writesAccess: access, descriptor: ends[1])
    body(log)
    log.drain()
    close(ends[1])
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let got = unsafe read(ends[0], &buffer, buffer.count)
        if got <= 0 { break }
        text += buffer.prefix(got)
    }
    close(ends[0])
    return String(ascii: text)
}

func accessEvent(path: String = "/bucket/key", user: String? = "root", status: Int = 200) -> AccessEvent {
    AccessEvent(
        requestID: [UInt8]("0123".utf8), peer: "127.0.0.1", user: user, operation: "GetObject",
        method: [UInt8]("GET".utf8)[...], path: [UInt8](path.utf8)[...], status: status,
        errorCode: status < 400 ? nil : "NoSuchKey", bytesIn: 0, bytesOut: 4096, duration: .microseconds(1500))
}

@Suite struct LogTests {
    @Test func `an event is one JSON object with its fields in order`() {
        let text = logged { $0.event("started", ["address": .text("127.0.0.1:9000"), "count": .integer(3)]) }
        #expect(text.hasPrefix("{\"time\":\"2"))
        #expect(
            text.hasSuffix(
                "\",\"level\":\"info\",\"event\":\"started\",\"address\":\"127.0.0.1:9000\",\"count\":3}\n"))
    }

    @Test(arguments: [LogFormat.json, .text])
    func `no value ends its line or leaves a control byte in it`(format: LogFormat) {
        let hostile = [UInt8](0...255) + [UInt8]("\u{2028}\u{2029}\u{85}x".utf8)
        let text = logged(format: format) { $0.event("seen", ["value": .bytes(hostile)]) }
        #expect(text.utf8.filter { $0 == Ascii.lineFeed }.count == 1)
        #expect(text.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        #expect(!text.unicodeScalars.contains("\u{2028}") && !text.unicodeScalars.contains("\u{2029}"))
    }

    @Test func `the text form quotes what could be taken for another field`() {
        let text = logged(format: .text) { $0.event("seen", ["path": .text("/a status=200"), "plain": .text("x")]) }
        #expect(text.hasSuffix(" info seen path=\"/a status=200\" plain=x\n"))
    }

    @Test func `events below the level are not written`() {
        #expect(logged(level: .warning) { $0.event("noise") }.isEmpty)
        #expect(!logged(level: .warning) { $0.event("trouble", level: .error) }.isEmpty)
    }

    @Test func `an access line tells the request and is written at the next flush`() {
        let text = logged { $0.access(accessEvent(status: 404)) }
        for part in [
            "\"event\":\"request\"", "\"request_id\":\"0123\"", "\"operation\":\"GetObject\"", "\"status\":404",
            "\"error\":\"NoSuchKey\"", "\"bytes_out\":4096", "\"duration_us\":1500", "\"user\":\"root\"",
        ] { #expect(text.contains(part)) }
    }

    @Test func `access lines can be switched off without losing events`() {
        let text = logged(access: false) {
            $0.access(accessEvent())
            $0.event("kept")
        }
        #expect(!text.contains("GetObject") && text.contains("kept"))
    }

    @Test func `lines that find no reader are dropped and counted, not waited for`() {
        var ends: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        let log = Log(format: .json, descriptor: ends[1])
        let long = String(repeating: "x", count: 100_000)
        for _ in 0..<3 { log.event("long", ["text": .text(long)]) }
        #expect(log.dropped > 0)
        close(ends[0])
        close(ends[1])
    }
}
