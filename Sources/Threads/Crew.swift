/// Which of the pool's threads run, which wait in epoll, and which are parked. Decides under the pool's lock; whoever asked
/// performs what is decided. No I/O.
///
/// As many threads as there are places run or poll at a time, since a thread more than there are cores only adds switches. A
/// thread that takes long (in a handler, or in a call that blocks) keeps its place until it is found out: while nobody polls,
/// one parked thread is the watcher and looks every millisecond. Where no thread came for work meanwhile, all that run are
/// taken to be stuck. A new shift begins with the watcher; those of the former one find a free place, or park, when they come
/// back.
struct Crew {
    /// Whom to wake after the lock was released.
    enum Call {
        case nobody
        /// Any thread that polls.
        case poller
        case parked(Parking)
    }

    enum Turn {
        case work(Work, Call)
        /// Take the events that are there, without waiting.
        case look
        /// Wait for events.
        case poll
        /// Wait to be called.
        case park
        /// As `park`, and come to `watch` after a while.
        case watch
        case end(Call)
    }

    /// Turns between two looks at the sockets while the queue does not become empty.
    private static let turnsPerLook = 16
    /// Watches in a row that found somebody polling before the watcher waits to be called.
    private static let quietWatchesMax = 32

    let places: Int
    var queue = JobQueue()
    /// Threads end as soon as nothing is queued.
    private(set) var isEnding = false
    private(set) var running = 0
    private(set) var polling = 0
    private var parked: [Parking] = []
    private var watcher: Parking?
    private var isWatching = false
    private var quietWatches = 0
    /// Somebody was woken for the queue and has not come yet.
    private var isWaking = false
    private(set) var shift: UInt64 = 1
    /// Raised whenever a thread comes for work, and what it was at the watcher's last look.
    private var arrivals: UInt64 = 0
    private var arrivalsSeen: UInt64 = 0
    private var turnsSinceLook = 0

    init(places: Int) { self.places = places }

    /// A thread comes for work.
    mutating func next(_ own: Parking) -> Turn {
        arrivals &+= 1
        if own.isWoken { (own.isWoken, isWaking) = (false, false) }
        if own.shift != shift {
            guard running + polling < places || isEnding else { return park(own) }
            own.shift = shift
            running += 1
        }
        if turnsSinceLook < Self.turnsPerLook || polling > 0, let work = queue.popFirst() {
            turnsSinceLook += 1
            return .work(work, call())
        }
        if !queue.isEmpty {
            turnsSinceLook = 0
            return .look
        }
        running -= 1
        own.shift = 0
        if isEnding { return .end(polling > 0 ? .poller : .nobody) }
        polling += 1
        return .poll
    }

    /// A thread comes back from polling, with events that it leaves to all but the first. `watcher`, where there is one, must
    /// be called too.
    mutating func polled(
        _ own: Parking, surplus: some Sequence<UInt64>, wasWoken: Bool
    ) -> (call: Call, watcher: Parking?) {
        polling -= 1
        running += 1
        own.shift = shift
        looked(surplus: surplus, wasWoken: wasWoken)
        let call = call()
        guard polling == 0, !isWatching, let watcher else { return (call, nil) }
        beginWatch()
        return (call, watcher)
    }

    /// A thread found events while it was running.
    mutating func looked(surplus: some Sequence<UInt64>, wasWoken: Bool) {
        arrivals &+= 1
        turnsSinceLook = 0
        if wasWoken { isWaking = false }
        for event in surplus { queue.append(.event(event)) }
    }

    /// Whom to wake for what is queued.
    mutating func call() -> Call {
        guard !queue.isEmpty, !isWaking else { return .nobody }
        if polling > 0 {
            isWaking = true
            return .poller
        }
        guard running < places, let called = takeParked() else { return .nobody }
        isWaking = true
        running += 1
        (called.shift, called.isWoken) = (shift, true)
        return .parked(called)
    }

    /// A parked thread wakes, because it was called or because its time is over. `watcher`, where there is one, must be called.
    mutating func wakes(_ own: Parking, wasCalled: Bool) -> (turn: Turn, watcher: Parking?) {
        if own.shift == shift || isEnding || watcher !== own {
            // Called for work; or the shift that it was called for has ended meanwhile, and it is like any other that comes.
            let isParked = parked.contains { $0 === own }
            return (isParked ? .park : next(own), nil)
        }
        guard isWatching else { return (.park, nil) }
        if wasCalled { return (.watch, nil) }
        if polling > 0 {
            quietWatches += 1
            isWatching = quietWatches < Self.quietWatchesMax
            return (isWatching ? .watch : .park, nil)
        }
        quietWatches = 0
        guard arrivals == arrivalsSeen else {
            arrivalsSeen = arrivals
            return (.watch, nil)
        }
        shift += 1
        running = 1
        own.shift = shift
        isWaking = false
        watcher = parked.popLast()
        beginWatch()
        return (next(own), watcher)
    }

    /// A parked thread that is one too many wants to leave for good. False where it was called meanwhile, or must stay.
    mutating func leaves(_ own: Parking) -> Bool {
        guard let place = parked.firstIndex(where: { $0 === own }) else { return false }
        parked.remove(at: place)
        return true
    }

    /// Lets the threads end. Returns all that are parked, which must be called.
    mutating func end() -> [Parking] {
        isEnding = true
        defer { (parked, watcher, isWatching) = ([], nil, false) }
        return parked + (watcher.map { [$0] } ?? [])
    }

    private mutating func park(_ own: Parking) -> Turn {
        own.shift = 0
        guard watcher == nil else {
            parked.append(own)
            return .park
        }
        watcher = own
        guard polling == 0 else { return .park }
        beginWatch()
        return .watch
    }

    private mutating func beginWatch() {
        isWatching = watcher != nil
        quietWatches = 0
        arrivalsSeen = arrivals
    }

    private mutating func takeParked() -> Parking? {
        if let last = parked.popLast() { return last }
        defer { (watcher, isWatching) = (nil, false) }
        return watcher
    }
}
