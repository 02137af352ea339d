import Metadata
import Testing

/// Which store the contract of events, jobs and targets is tried on.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case embedded, mongoDB

    var testDescription: String { rawValue }
}

/// A store of its own, by its kind.
struct EventScene: Sendable {
    let store: any EventStore
    let embedded: Embedded?
    let shared: Shared?
    var subject: Subject { Subject(store: store) }

    init(_ kind: StoreKind) async throws {
        switch kind {
        case .embedded:
            let embedded = try Embedded()
            (self.embedded, shared, store) = (embedded, nil, embedded.store)
        case .mongoDB:
            let shared = try await Shared()
            (embedded, self.shared, store) = (nil, shared, shared.store)
        }
    }

    func close() async throws {
        await embedded?.close()
        try shared?.drop()
    }
}
