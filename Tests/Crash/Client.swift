import CrashHistory
import Glibc
import LoadClient
import Synchronization
import Threads

/// One client of the load: makes random calls, and writes down what each says. Owned by one thread.
final class Client {
    let session: Session
    let ledger: Ledger
    var numbers: Numbers
    /// Whether the store may be failing by now, so that errors of the server are no finding.
    let mayFail: Flag
    private(set) var notes: [Note] = []
    var counts = CallCounts()
    /// Uploads that are begun and neither completed nor aborted.
    var uploads: [OpenUpload]

    init(_ endpoint: Endpoint, _ ledger: Ledger, _ numbers: Numbers, mayFail: Flag, uploads: [OpenUpload] = []) {
        session = Session(endpoint)
        self.ledger = ledger
        self.numbers = numbers
        self.mayFail = mayFail
        self.uploads = uploads
    }

    /// Makes calls until `stop` is set.
    func run(until stop: Flag) {
        while !stop.isSet { step() }
    }

    func step() {
        switch numbers.below(100) {
        case 0..<26: put(pick(Key.ordinary + Key.versioned))
        case 26..<33: put(contested(), ifAbsent: true)
        case 33..<40: delete(pick(Key.all))
        case 40..<46: copy(from: pick(Key.ordinary + Key.uploads + Key.versioned), to: pick(Key.copies))
        case 46..<50: tag(pick(Key.ordinary + Key.copies + Key.versioned))
        case 50..<62: get(pick(Key.all))
        case 62..<68: head(pick(Key.all))
        case 68..<74: get(pick(Key.all), isRange: true)
        case 74..<76: list()
        case 76..<77: listVersions()
        case 77..<80: getTags(pick(Key.all))
        case 80..<84: getVersion(pick(Key.versioned))
        case 84..<89: remove(pick(Key.versioned))
        default: stepUpload()
        }
    }

    func pick(_ keys: [Key]) -> Key { keys[numbers.below(keys.count)] }

    /// The same key for all clients for a few milliseconds, so that they race.
    private func contested() -> Key { Key.contested[Int(Monotonic.milliseconds / 8) % Key.contested.count] }

    func note(_ key: Key, _ start: UInt64, _ end: UInt64, _ action: Call.Action) {
        notes.append(Note(key: key, start: start, end: end, fact: .action(action)))
    }
    func note(_ key: Key, _ start: UInt64, _ end: UInt64, fact: Note.Fact) {
        notes.append(Note(key: key, start: start, end: end, fact: fact))
    }

    /// How a call ended, when its answer is none of those that the caller knows.
    enum Other {
        case refused, unknown
    }

    /// Judges an outcome that is not one of the expected answers.
    func judge(_ outcome: Session.Outcome, _ what: String) -> Other {
        switch outcome {
        case .notSent:
            usleep(2_000)
            return .refused
        case .unknown(let reason):
            counts.unknown += 1
            if reason.hasSuffix("errno \(EAGAIN)") {
                ledger.find("\(what) was not answered within \(Session.patience_s) s")
            }
            return .unknown
        case .answer(let answer):
            switch answer.status {
            case 503, 507:
                counts.refused += 1
                // A store that says 503 may not know itself; one that says 507 has done nothing.
                return answer.status == 503 ? .unknown : .refused
            case 500...:
                counts.errors += 1
                if !mayFail.isSet {
                    ledger.find("\(what) answered \(answer.status) \(answer.code), and nothing had failed")
                }
                return .unknown
            default:
                // A body that a stopping server did not take in whole is refused by 400.
                if !mayFail.isSet || answer.code != "IncompleteBody" {
                    ledger.find("\(what) answered \(answer.status) \(answer.code)")
                }
                return .refused
            }
        }
    }

    /// Sizes around what stores treat differently: nothing, one byte, small, near and above 128 KiB, large.
    func size() -> Int {
        switch numbers.below(100) {
        case 0..<7: 0
        case 7..<14: 1
        case 14..<50: 4096
        case 50..<70: 90_000 + numbers.below(20_000)
        case 70..<86: 132_096
        default: 1 << 20
        }
    }
}

/// What one thread tells others.
final class Flag: Sendable {
    private let value: Atomic<Bool>

    init(_ value: Bool = false) { self.value = Atomic(value) }

    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

struct CallCounts: Sendable {
    var acknowledged = 0
    var refused = 0
    var unknown = 0
    var errors = 0

    static func + (a: CallCounts, b: CallCounts) -> CallCounts {
        CallCounts(
            acknowledged: a.acknowledged + b.acknowledged, refused: a.refused + b.refused,
            unknown: a.unknown + b.unknown, errors: a.errors + b.errors)
    }
}

extension CallCounts: CustomStringConvertible {
    var description: String {
        "\(acknowledged) acknowledged, \(unknown) unknown, \(refused) refused, \(errors) errors"
    }
}
