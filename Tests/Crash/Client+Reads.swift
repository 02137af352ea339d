import Bytes
import CrashHistory
import Threads
import XML

extension Client {
    func get(_ key: Key, isRange: Bool = false) {
        var range: String?
        if isRange {
            let first = numbers.below(numbers.chance(50) ? 5000 : 140_000)
            range = "bytes=\(first)-\(first + numbers.below(70_000))"
        }
        let start = Monotonic.nanoseconds
        let outcome = session.call("GET", key.path, range: range)
        let end = Monotonic.nanoseconds
        if case .answer(let answer) = outcome {
            switch answer.status {
            case 200, 206:
                counts.acknowledged += 1
                let found = BodyCheck(answer, of: key, ledger).id
                if let found { note(key, start, end, .sees(.write(found))) }
                return
            case 404: return note(key, start, end, .sees(.absent))
            case 416 where isRange: return note(key, start, end, .sees(.present))
            default: break
            }
        }
        _ = judge(outcome, "GET \(key.path)")
    }

    func head(_ key: Key) {
        let start = Monotonic.nanoseconds
        let outcome = session.call("HEAD", key.path)
        let end = Monotonic.nanoseconds
        if case .answer(let answer) = outcome {
            if answer.status == 200 {
                counts.acknowledged += 1
                if let found = BodyCheck(answer, of: key, ledger, hasBody: false).id {
                    note(key, start, end, .sees(.write(found)))
                }
                return
            }
            if answer.status == 404 { return note(key, start, end, .sees(.absent)) }
        }
        _ = judge(outcome, "HEAD \(key.path)")
    }

    func getVersion(_ key: Key) {
        let versions = ledger.versions(of: key).filter { !$0.isMarker }
        guard !versions.isEmpty else { return put(key) }
        let version = versions[numbers.below(versions.count)]
        let start = Monotonic.nanoseconds
        let outcome = session.call("GET", key.path, query: "versionId=\(version.id)")
        let end = Monotonic.nanoseconds
        if case .answer(let answer) = outcome {
            if answer.status == 200 {
                counts.acknowledged += 1
                guard let found = BodyCheck(answer, of: key, ledger).id else { return }
                if found != version.entry {
                    ledger.find("\(key.path) version \(version.id) is write \(found), and was write \(version.entry)")
                }
                return note(key, start, end, .seesVersion(version.entry, isThere: true))
            }
            if answer.status == 404 { return note(key, start, end, .seesVersion(version.entry, isThere: false)) }
        }
        _ = judge(outcome, "GET \(key.path) by version")
    }

    func getTags(_ key: Key) {
        let start = Monotonic.nanoseconds
        let outcome = session.call("GET", key.path, query: "tagging=")
        let end = Monotonic.nanoseconds
        if case .answer(let answer) = outcome {
            if answer.status == 200 {
                counts.acknowledged += 1
                return note(key, start, end, .seesTag(Self.tag(answer.body) ?? 0))
            }
            if answer.status == 404 || answer.status == 405 { return note(key, start, end, .sees(.absent)) }
        }
        _ = judge(outcome, "GET ?tagging of \(key.path)")
    }

    /// The number that a tag set carries.
    static func tag(_ body: [UInt8]) -> EntryID? {
        let document = try? XMLDocument.parse(body)
        return (document?.child("TagSet")?.child("Tag")?.string("Value")).flatMap { EntryID($0) }
    }

    func list() {
        let start = Monotonic.nanoseconds
        guard let objects = Listings.objects(session, bucket: Key.plainBucket) else { return }
        let end = Monotonic.nanoseconds
        for key in Key.plain {
            if let object = objects[key.name] {
                note(key, start, end, fact: .etag(object.etag))
            } else {
                note(key, start, end, .sees(.absent))
            }
        }
    }

    func listVersions() {
        let start = Monotonic.nanoseconds
        guard let versions = Listings.versions(session, bucket: Key.versionedBucket) else { return }
        let end = Monotonic.nanoseconds
        // A page of 1000 is one snapshot; several need not be.
        guard versions.count < 1000 else { return }
        for key in Key.versioned {
            note(key, start, end, fact: .versions(versions.filter { $0.key == key.name }))
        }
    }
}
