/// A change of names that a power cut may undo. It survives as a whole, and only with all earlier ones of its names.
struct NameChange: Sendable {
    struct Place: Hashable, Sendable {
        var directory: Int
        var name: FileName
    }

    struct Half: Sendable {
        var place: Place
        var before: Node?
        var after: Node?
    }

    var first: Half
    /// A rename's new name.
    var second: Half?
    var time: Int
    /// Forgotten by a sync that failed: later syncs of its directory do not make it durable.
    var isForgotten = false

    var halves: [Half] { second.map { [first, $0] } ?? [first] }

    /// Whether it ties two directories together.
    var crosses: Bool { second.map { $0.place.directory != first.place.directory } ?? false }

    func touches(_ directory: Int) -> Bool {
        first.place.directory == directory || second?.place.directory == directory
    }
}
