import Bytes
import CrashHistory
import Digests
import LoadClient
import Threads
import XML

/// A multipart upload, owned by one client at a time.
struct OpenUpload: Sendable {
    enum Ending: Sendable { case none, completed, aborted }

    var id: String
    var key: Key
    var content: WrittenContent
    /// The bytes of each part, the first first.
    var parts: [Range<Int>]
    /// The ETags of the parts whose upload was acknowledged, by number.
    var acknowledged: [Int: String] = [:]
    /// Parts that may be there.
    var unknown: Set<Int> = []
    /// What was tried to end it, and whether that was acknowledged.
    var ending = Ending.none
    var endingIsCertain = false

    var digests: [[UInt8]] { parts.map { Digest.md5(content.bytes(in: $0)) } }
}

extension Client {
    private static let uploadsMax = 2

    /// Begins an upload, or takes one a step further.
    func stepUpload() {
        let open = uploads.indices.filter { uploads[$0].ending == .none }
        guard let index = open.randomElement(using: &numbers), open.count >= Self.uploadsMax || numbers.chance(70)
        else { return create() }
        if numbers.chance(6) { return abort(index) }
        let missing = (1...uploads[index].parts.count).filter { uploads[index].acknowledged[$0] == nil }
        if let number = missing.randomElement(using: &numbers) { return upload(number, index) }
        complete(index)
    }

    private func create() {
        let key = pick(Key.uploads)
        // All parts but the last are 5 MiB or more.
        let head = numbers.chance(85) ? 0 : 5 << 20
        let content = WrittenContent(key: key.path, id: ledger.newID(), size: head + max(4096, size()))
        let parts = head == 0 ? [0..<content.size] : [0..<head, head..<content.size]
        var upload = OpenUpload(id: "", key: key, content: content, parts: parts)
        // A copy of an object of several parts has an ETag of one.
        ledger.begin(
            content, on: key, etag: Ledger.etag(ofParts: upload.digests), others: [Ledger.etag(content.bytes)])
        let outcome = session.call("POST", key.path, query: "uploads=", fields: Self.fields(of: content.id))
        guard case .answer(let answer) = outcome, answer.status == 200 else {
            _ = judge(outcome, "POST ?uploads of \(key.path)")
            return
        }
        counts.acknowledged += 1
        upload.id = (try? XMLDocument.parse(answer.body))?.string("UploadId") ?? ""
        uploads.append(upload)
    }

    private func upload(_ number: Int, _ index: Int) {
        let upload = uploads[index]
        let body = upload.content.bytes(in: upload.parts[number - 1])
        let outcome = session.call(
            "PUT", upload.key.path, query: "partNumber=\(number)&uploadId=\(upload.id)", body: body)
        if case .answer(let answer) = outcome, answer.status == 200 {
            counts.acknowledged += 1
            uploads[index].acknowledged[number] = answer.reply.etag
        } else if judge(outcome, "PUT of part \(number) of \(upload.key.path)") == .unknown {
            uploads[index].unknown.insert(number)
        }
    }

    private func complete(_ index: Int) {
        let upload = uploads[index]
        uploads[index].ending = .completed
        let list = (1...upload.parts.count).map { number in
            "<Part><PartNumber>\(number)</PartNumber><ETag>\(upload.acknowledged[number] ?? "")</ETag></Part>"
        }.joined()
        let document = "<CompleteMultipartUpload>\(list)</CompleteMultipartUpload>"
        let start = Monotonic.nanoseconds
        let outcome = session.call(
            "POST", upload.key.path, query: "uploadId=\(upload.id)", body: [UInt8](document.utf8))
        let end = Monotonic.nanoseconds
        if case .answer(let answer) = outcome, answer.status == 200 {
            counts.acknowledged += 1
            let etag = (try? XMLDocument.parse(answer.body))?.string("ETag") ?? ""
            if etag != Ledger.etag(ofParts: upload.digests) {
                ledger.find("Complete of \(upload.key.path) answered ETag \(etag)")
            }
            uploads[index].endingIsCertain = true
            return note(upload.key, start, end, .write(upload.content.id))
        }
        switch judge(outcome, "Complete of \(upload.key.path)") {
        case .unknown: note(upload.key, start, .max, .write(upload.content.id))
        case .refused: uploads[index].ending = .none
        }
    }

    private func abort(_ index: Int) {
        let upload = uploads[index]
        uploads[index].ending = .aborted
        let outcome = session.call("DELETE", upload.key.path, query: "uploadId=\(upload.id)")
        if case .answer(let answer) = outcome, answer.status == 204 {
            counts.acknowledged += 1
            uploads[index].endingIsCertain = true
        } else if judge(outcome, "Abort of an upload of \(upload.key.path)") == .refused {
            uploads[index].ending = .none
        }
    }
}
