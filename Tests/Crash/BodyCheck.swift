import Bytes
import CrashHistory
import LoadClient

/// Tells which write an answer to GET or HEAD is of, and whether it is that write whole: its bytes, its ETag, its metadata.
/// What is wrong goes to the ledger.
struct BodyCheck {
    /// Nil where the answer does not prove it.
    private(set) var id: EntryID?

    init(_ answer: Session.Answer, of key: Key, _ ledger: Ledger, hasBody: Bool = true) {
        let what = "\(key.path) (request \(answer.reply.field("x-amz-request-id") ?? "?"))"
        guard let text = answer.reply.field("x-amz-meta-write"), let id = EntryID(text),
            let write = ledger.write(id), write.key == key
        else {
            ledger.find(
                "\(what) came with metadata that nobody wrote: \(answer.reply.field("x-amz-meta-write") ?? "none")")
            return
        }
        let etag = answer.reply.etag
        guard let content = ledger.content(etag) else {
            ledger.find("\(what), write \(id), came with ETag \(etag), which is of no bytes that were written")
            return
        }
        if let known = write.etag, known != etag {
            ledger.find("\(what): ETag \(etag) with the metadata of write \(id), whose ETag is \(known)")
            return
        }
        if write.etag == nil {
            // Bytes that few differ in may be those of many writes.
            if let source = write.source, content.size > 16, content.key != source.path {
                ledger.find("\(what): a copy of \(source.path) has the bytes of \(content.key)")
            }
            ledger.settleCopy(id, etag: etag)
        }
        guard let (range, total) = Self.extent(answer), total == content.size else {
            ledger.find("\(what), write \(id): the size is not \(content.size)")
            return
        }
        if hasBody, let difference = content.difference(answer.body, in: range) {
            ledger.find("\(what), write \(id) of \(content.size) bytes, range \(range): \(difference)")
            return
        }
        if let version = answer.reply.field("x-amz-version-id"), key.isVersioned {
            if let other = ledger.name(version, id, of: key, isMarker: false) {
                ledger.find("\(what): version \(version) is write \(id), and was \(other)")
            }
        }
        self.id = id
    }

    /// Which bytes the answer says to bring, of how many.
    private static func extent(_ answer: Session.Answer) -> (Range<Int>, Int)? {
        if answer.status == 206 {
            guard let text = answer.reply.field("content-range") else { return nil }
            let numbers = text.split { !("0"..."9").contains($0) }.compactMap { Int($0) }
            guard numbers.count == 3, numbers[0] <= numbers[1] else { return nil }
            return (numbers[0]..<numbers[1] + 1, numbers[2])
        }
        guard let length = answer.reply.field("content-length").flatMap({ Int($0) }) else { return nil }
        return (0..<length, length)
    }
}
