import CrashHistory
import Testing

@testable import LoadClient
@testable import ogw_crash

/// Answers to GET that a broken store could give, each of which has to be found out.
@Suite struct BodyCheckTests {
    private let key = Key.ordinary[0]
    private let ledger = Ledger()
    private let first: WrittenContent
    private let second: WrittenContent

    init() {
        first = WrittenContent(key: Key.ordinary[0].path, id: ledger.newID(), size: 5000)
        second = WrittenContent(key: Key.ordinary[0].path, id: ledger.newID(), size: 5000)
        for content in [first, second] { ledger.begin(content, on: key, etag: Ledger.etag(content.bytes)) }
    }

    private func answer(
        _ body: [UInt8], etag: String, write: Int, status: Int = 200, fields: String = ""
    ) -> Session.Answer {
        let head = "HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\nx-amz-meta-write: \(write)\r\n\(fields)\r\n"
        let reply = ClientConnection.Reply(status: status, length: body.count, etag: etag, head: [UInt8](head.utf8))
        return Session.Answer(status: status, reply: reply, body: body)
    }

    /// The write that the answer proves, and what is found.
    private func check(_ answer: Session.Answer, of key: Key? = nil) -> (id: Int?, findings: [String]) {
        let id = BodyCheck(answer, of: key ?? self.key, ledger).id
        return (id, ledger.takeFindings())
    }

    private var firstETag: String { Ledger.etag(first.bytes) }

    @Test func `A whole answer proves its write`() {
        let (id, findings) = check(answer(first.bytes, etag: firstETag, write: first.id))
        #expect(id == first.id)
        #expect(findings.isEmpty)
    }

    @Test func `A part of a write is checked against that part`() {
        let part = first.bytes(in: 100..<300)
        let range = "Content-Range: bytes 100-299/5000\r\n"
        #expect(check(answer(part, etag: firstETag, write: first.id, status: 206, fields: range)).id == first.id)
        let moved = "Content-Range: bytes 101-300/5000\r\n"
        #expect(check(answer(part, etag: firstETag, write: first.id, status: 206, fields: moved)).findings.count == 1)
    }

    @Test func `A body of two writes, or with zeros, is found`() {
        let mixed = [UInt8](first.bytes[..<2500] + second.bytes[2500...])
        #expect(check(answer(mixed, etag: firstETag, write: first.id)).id == nil)
        let torn = [UInt8](first.bytes[..<4096]) + [UInt8](repeating: 0, count: 904)
        #expect(check(answer(torn, etag: firstETag, write: first.id)).findings.first?.contains("zero") == true)
    }

    @Test func `A short body is found`() {
        #expect(check(answer([UInt8](first.bytes.dropLast()), etag: firstETag, write: first.id)).findings.count == 1)
    }

    @Test func `The bytes of one write with the metadata or the ETag of another are found`() {
        #expect(check(answer(first.bytes, etag: firstETag, write: second.id)).findings.count == 1)
        #expect(check(answer(first.bytes, etag: Ledger.etag(second.bytes), write: second.id)).findings.count == 1)
    }

    @Test func `Metadata, an ETag or a key that the write never had is found`() {
        #expect(check(answer(first.bytes, etag: firstETag, write: 999)).findings.count == 1)
        #expect(check(answer(first.bytes, etag: "\"00\"", write: first.id)).findings.count == 1)
        #expect(check(answer(first.bytes, etag: firstETag, write: first.id), of: Key.ordinary[1]).findings.count == 1)
    }

    @Test func `A copy has the bytes of its source`() {
        let copy = ledger.newID()
        ledger.beginCopy(copy, from: key, to: Key.copies[0])
        #expect(check(answer(first.bytes, etag: firstETag, write: copy), of: Key.copies[0]).id == copy)
        // From then on it has these bytes and no others.
        let other = answer(second.bytes, etag: Ledger.etag(second.bytes), write: copy)
        #expect(check(other, of: Key.copies[0]).findings.count == 1)
        let stranger = ledger.newID()
        ledger.beginCopy(stranger, from: Key.ordinary[1], to: Key.copies[0])
        let wrong = answer(first.bytes, etag: firstETag, write: stranger)
        #expect(check(wrong, of: Key.copies[0]).findings.count == 1)
    }

    @Test func `A version id that names two writes is found`() {
        let key = Key.versioned[0]
        let contents = [1, 2].map { _ in WrittenContent(key: key.path, id: ledger.newID(), size: 100) }
        for content in contents { ledger.begin(content, on: key, etag: Ledger.etag(content.bytes)) }
        let findings = contents.map { content in
            let etag = Ledger.etag(content.bytes)
            return check(
                answer(content.bytes, etag: etag, write: content.id, fields: "x-amz-version-id: v1\r\n"), of: key
            ).findings.count
        }
        #expect(findings == [0, 1])
    }
}
