import Bytes
import HTTPServer
import Hooks
import JSON
import Metadata

/// Server-sent events of runs (HTML, section 9.2). The id of an event names a place in the feed of this run of the gateway, so that a
/// client that comes back with `Last-Event-ID` misses nothing, or is told that something is missing.
struct JobStreams: Sendable {
    let routes: JobRoutes
    /// Between comments that keep the connection.
    private static let pause = Duration.seconds(15)
    /// The id of the last event of a run's stream.
    private static let endID = "end"

    // MARK: One run

    /// The run as it is, its changes as they come, and as it was in the end.
    func run(_ input: RouteInput) async throws -> RouteAnswer {
        let engine = routes.jobs
        // The place before the look, so that nothing falls between.
        let place = engine.feed.last
        let group = try await routes.group(input, engine)
        // A 204 tells a browser to come back no more.
        if let last = input.lastEventID, last.elementsEqual(Self.endID.utf8), group.ended != nil { return .empty }
        return try Self.answer(engine) { writer in
            guard try await tell(of: group, at: place, to: writer, engine) else { return }
            var told = group
            // What another gateway does of it is not in this one's feed.
            func lookAgain() async throws -> Bool {
                guard let present = try await engine.store.jobGroup(group.id) else { return false }
                if present == told { return true }
                told = present
                return try await tell(of: present, at: engine.feed.last, to: writer, engine)
            }
            let idle: (() async throws -> Bool)? = engine.store.isShared ? lookAgain : nil
            try await follow(engine, from: place, writer, idle: idle) { change in
                guard change.group == group.id else { return true }
                if case .progress(let step, let progress) = change.kind {
                    try await writer.write(
                        Self.event(
                            "progress", id: Self.id(change.position, engine), Self.value(step: step, progress)))
                    return true
                }
                guard let present = try await engine.store.jobGroup(group.id) else { return false }
                told = present
                return try await tell(of: present, at: change.position, to: writer, engine)
            }
        }
    }

    /// False where it has ended.
    private func tell(
        of group: JobGroup, at place: UInt64, to writer: BodyWriter, _ engine: JobEngine
    ) async throws -> Bool {
        let value = try await routes.value(of: group, engine)
        let hasEnded = group.ended != nil
        let id = hasEnded ? Self.endID : Self.id(place, engine)
        try await writer.write(Self.event(hasEnded ? "complete" : "job", id: id, value))
        return !hasEnded
    }

    // MARK: All runs

    func all(_ input: RouteInput) async throws -> RouteAnswer {
        let engine = routes.jobs
        let known = input.lastEventID.map { Self.place($0, engine) }
        let isForgotten = known == .some(nil)
        let start = (known ?? nil) ?? engine.feed.last
        return try Self.answer(engine) { writer in
            if isForgotten { try await writer.write(Self.event("reset", id: Self.id(start, engine), .object([]))) }
            try await follow(engine, from: start, writer) { change in
                guard input.sees(customer: change.customer) else { return true }
                let (name, value) = Self.value(of: change)
                try await writer.write(Self.event(name, id: Self.id(change.position, engine), value))
                return true
            }
        }
    }

    private static func value(of change: JobFeed.Change) -> (String, JSONValue) {
        let about: JSONValue = [
            "id": .string(String(ascii: change.group.text)), "hook": .string(change.hook),
            "bucket": .string(change.bucket.description), "key": .string(change.key.text),
        ]
        switch change.kind {
        case .created: return ("job.created", about)
        case .step(let step, let state, let attempt):
            return (
                "job.step",
                about.adding("step", .string(step)).adding("state", .string(state.name))
                    .adding("attempt", .integer(Int64(attempt)))
            )
        case .progress(let step, let progress):
            guard case .object(let members) = value(step: step, progress) else { return ("job.progress", about) }
            return ("job.progress", members.reduce(about) { $0.adding($1.name, $1.value) })
        case .ended(let state):
            return ("job.finished", about.adding("state", .string(JobJSON.name(of: state))))
        }
    }

    private static func value(step: String, _ progress: JobProgress) -> JSONValue {
        ["step": .string(step), "stage": .string(progress.stage), "fraction": .number(progress.fraction)]
    }

    // MARK: What both share

    /// Hands on what comes after `place`, until `body` says no, the gateway stops, or the client goes. `idle` is called after each two seconds
    /// in which nothing came, and may say no too.
    private func follow(
        _ engine: JobEngine, from place: UInt64, _ writer: BodyWriter, idle: (() async throws -> Bool)? = nil,
        _ body: (JobFeed.Change) async throws -> Bool
    ) async throws {
        var place = place
        while true {
            let pause = idle == nil ? Self.pause : .seconds(2)
            switch await engine.feed.next(after: place, until: .now + pause) {
            case .changes(let changes):
                for change in changes {
                    place = change.position
                    if try await !body(change) { return }
                }
            case .forgotten(let last):
                place = last
                try await writer.write(Self.event("reset", id: Self.id(last, engine), .object([])))
            case .nothing:
                try await writer.write([UInt8](":\n\n".utf8))
                if let idle, try await !idle() { return }
            case .ended: return
            }
        }
    }

    private static func answer(
        _ engine: JobEngine, _ body: @escaping @Sendable (BodyWriter) async throws -> Void
    ) throws(Problem) -> RouteAnswer {
        .events { writer in
            // Counted here, since an answer may never be sent.
            guard engine.feed.enter() else {
                return try await writer.write(
                    event("overloaded", id: nil, ["detail": "Too many watch already; try again later."]))
            }
            defer { engine.feed.leave() }
            // Sends the head at once, however long nothing happens.
            try await writer.write([UInt8]("retry: 2000\n\n".utf8))
            try await body(writer)
        }
    }

    private static func event(_ name: String, id: String?, _ value: JSONValue) -> [UInt8] {
        var out = [UInt8]("event: \(name)\n".utf8)
        if let id { out += "id: \(id)\n".utf8 }
        // One line: JSON as it is written here has no line breaks.
        out += "data: ".utf8
        out += value.text
        out += "\n\n".utf8
        return out
    }

    private static func id(_ place: UInt64, _ engine: JobEngine) -> String { "\(engine.feed.epoch)-\(place)" }

    /// Nil for a place of another run of the gateway, or one that is not kept any more.
    private static func place(_ id: [UInt8], _ engine: JobEngine) -> UInt64? {
        let parts = id.split(separator: Ascii.dash)
        guard parts.count == 2, Ascii.decimal(parts[0]) == UInt64(engine.feed.epoch) else { return nil }
        return Ascii.decimal(parts[1])
    }
}

extension JSONValue {
    /// An object with one member more.
    fileprivate func adding(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members + [Member(name, value)])
    }
}
