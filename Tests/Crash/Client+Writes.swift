import Bytes
import CrashHistory
import LoadClient
import Threads
import XML

extension Client {
    static func fields(of id: EntryID) -> [(name: String, value: String)] {
        [("x-amz-meta-write", "\(id)"), ("x-amz-tagging", "t=\(id)")]
    }

    func put(_ key: Key, ifAbsent: Bool = false, size: Int? = nil) {
        let content = WrittenContent(key: key.path, id: ledger.newID(), size: size ?? self.size())
        let body = content.bytes
        let etag = Ledger.etag(body)
        ledger.begin(content, on: key, etag: etag)
        let fields = Self.fields(of: content.id) + (ifAbsent ? [("if-none-match", "*")] : [])
        let start = Monotonic.nanoseconds
        let outcome = session.call("PUT", key.path, fields: fields, body: body)
        let end = Monotonic.nanoseconds
        let action = Call.Action.write(content.id, ifAbsent: ifAbsent)
        if case .answer(let answer) = outcome {
            if answer.status == 200 {
                counts.acknowledged += 1
                if answer.reply.etag != etag { ledger.find("PUT \(key.path) answered ETag \(answer.reply.etag)") }
                bind(answer, content.id, key)
                return note(key, start, end, action)
            }
            if ifAbsent, answer.status == 412 { return note(key, start, end, .sees(.present)) }
            // ConditionalRequestConflict: lost against another that was under way.
            if ifAbsent, answer.status == 409 { return }
        }
        if judge(outcome, "PUT \(key.path) of \(content.size) bytes") == .unknown { note(key, start, .max, action) }
    }

    func delete(_ key: Key) {
        let marker = ledger.newID()
        let start = Monotonic.nanoseconds
        let outcome = session.call("DELETE", key.path)
        let end = Monotonic.nanoseconds
        if case .answer(let answer) = outcome, answer.status == 204 {
            counts.acknowledged += 1
            bind(answer, marker, key, isMarker: true)
            return note(key, start, end, .delete(marker))
        }
        if judge(outcome, "DELETE \(key.path)") == .unknown { note(key, start, .max, .delete(marker)) }
    }

    /// Deletes one version for good.
    func remove(_ key: Key) {
        let versions = ledger.versions(of: key)
        guard !versions.isEmpty else { return put(key) }
        let version = versions[numbers.below(versions.count)]
        ledger.forget(version, of: key)
        let start = Monotonic.nanoseconds
        let outcome = session.call("DELETE", key.path, query: "versionId=\(version.id)")
        let end = Monotonic.nanoseconds
        if case .answer(let answer) = outcome, answer.status == 204 {
            counts.acknowledged += 1
            return note(key, start, end, .remove(version.entry))
        }
        if judge(outcome, "DELETE \(key.path) by version") == .unknown {
            note(key, start, .max, .remove(version.entry))
        }
    }

    func copy(from source: Key, to key: Key) {
        let id = ledger.newID()
        ledger.beginCopy(id, from: source, to: key)
        let fields =
            Self.fields(of: id) + [
                ("x-amz-copy-source", source.path), ("x-amz-metadata-directive", "REPLACE"),
                ("x-amz-tagging-directive", "REPLACE"),
            ]
        let start = Monotonic.nanoseconds
        let outcome = session.call("PUT", key.path, fields: fields)
        let end = Monotonic.nanoseconds
        if case .answer(let answer) = outcome {
            if answer.status == 200 {
                counts.acknowledged += 1
                let etag = (try? XMLDocument.parse(answer.body))?.string("ETag") ?? ""
                if ledger.content(etag) == nil { ledger.find("COPY to \(key.path) answered ETag \(etag)") }
                ledger.settleCopy(id, etag: etag)
                note(key, start, end, .write(id))
                return note(source, start, end, fact: .etag(etag))
            }
            if answer.status == 404 { return note(source, start, end, .sees(.absent)) }
        }
        if judge(outcome, "COPY \(source.path) to \(key.path)") == .unknown { note(key, start, .max, .write(id)) }
    }

    func tag(_ key: Key) {
        let id = ledger.newID()
        let document = "<Tagging><TagSet><Tag><Key>t</Key><Value>\(id)</Value></Tag></TagSet></Tagging>"
        let start = Monotonic.nanoseconds
        let outcome = session.call("PUT", key.path, query: "tagging=", body: [UInt8](document.utf8))
        let end = Monotonic.nanoseconds
        if case .answer(let answer) = outcome {
            if answer.status == 200 {
                counts.acknowledged += 1
                return note(key, start, end, .tag(id))
            }
            if answer.status == 404 || answer.status == 405 { return note(key, start, end, .sees(.absent)) }
        }
        if judge(outcome, "PUT ?tagging of \(key.path)") == .unknown { note(key, start, .max, .tag(id)) }
    }

    /// Remembers the version id that an acknowledged call gave.
    func bind(_ answer: Session.Answer, _ entry: EntryID, _ key: Key, isMarker: Bool = false) {
        guard key.isVersioned else { return }
        guard let version = answer.reply.field("x-amz-version-id"), !version.isEmpty else {
            return ledger.find("\(key.path): an answer without a version id")
        }
        if let other = ledger.name(version, entry, of: key, isMarker: isMarker) {
            ledger.find("\(key.path): version id \(version) was given to \(other) and to \(entry)")
        }
    }
}
