import LoadClient

/// A store that is broken on purpose, which a harness has to catch: one that does not is itself broken.
struct Mutant: Sendable {
    var name: String
    /// The harness that has to catch it.
    var harness: String
    /// For the preloaded library.
    var preloaded: [String: String] = [:]
    /// For the server itself: what only its own code can do wrong. A debug build reads OGW_MUTANT.
    var environment: [String: String] = [:]

    /// Within so many cycles.
    var cyclesMax = 10
    var load_ms = 1000
    /// Nil for a number that changes from cycle to cycle.
    var clients: Int?

    /// Left-out syncs of directories are not among them: ext4 commits names along with the log, whose sync makes a larger file
    /// durable. The simulated disk does nobody that favour, and its schedules catch them.
    static let all = [
        Mutant(name: "no-sync", harness: "power", preloaded: ["OGW_FAULT_SYNC": "none"]),
        Mutant(name: "late-sync", harness: "power", preloaded: ["OGW_FAULT_SYNC": "late"]),
    ]

    static func named(_ name: String) throws(ClientError) -> Mutant {
        guard let mutant = all.first(where: { $0.name == name }) else {
            throw ClientError("--mutant \(name): expected one of \(all.map(\.name).joined(separator: ", "))")
        }
        return mutant
    }

    func applied(to setup: ServerSetup) throws -> ServerSetup {
        var setup = preloaded.isEmpty ? setup : try setup.preloading(preloaded)
        setup.environment.merge(environment) { _, new in new }
        return setup
    }
}
