/// All calls that met on one key between two states that are known.
public struct KeyHistory: Sendable {
    public var key: String
    public var isVersioned: Bool
    /// Before the first call.
    public var initial: KeyState
    /// In any order.
    public var calls: [Call]

    public init(key: String, isVersioned: Bool = false, initial: KeyState = KeyState(), calls: [Call]) {
        self.key = key
        self.isVersioned = isVersioned
        self.initial = initial
        self.calls = calls
    }

    public enum Verdict: Sendable, Equatable {
        /// Some order of the calls explains all that was seen.
        case explained
        /// No order does; says why in a sentence.
        case unexplained(String)
        /// The search was given up.
        case undecided
    }

    /// Looks for one order of the calls, each between its start and its end, in which a single register would have answered
    /// as the store did (linearizability). Calls of unknown outcome may be left out.
    ///
    /// The search is that of Wing and Gong with Lowe's memory of states that led nowhere. What only sees is taken as soon as it
    /// fits, which loses nothing, so that the order of the changes alone is searched.
    public func check(stepsMax: Int = 400_000) -> Verdict {
        var search = Search(self)
        switch search.run(stepsMax: stepsMax) {
        case .found: return .explained
        case .gaveUp: return .undecided
        case .exhausted: return .unexplained(Diagnosis(self, deepest: search.deepest).sentence)
        }
    }
}

/// The place from which the search got furthest.
struct Deepest {
    var count = -1
    var state = KeyState()
    /// A call that has to come next and cannot.
    var blocked: [Call] = []
}

private struct Search {
    enum Ending { case found, exhausted, gaveUp }

    /// Which calls are placed, and what they made of the key.
    private struct Node: Hashable {
        var placed: [UInt64]
        var count: Int
        var state: KeyState
        /// All calls before this one are placed.
        var first: Int
    }

    private let calls: [Call]
    private let isVersioned: Bool
    private let certainCount: Int
    private let initial: KeyState
    private(set) var deepest = Deepest()

    init(_ history: KeyHistory) {
        calls = history.calls.sorted { $0.start < $1.start }
        isVersioned = history.isVersioned
        certainCount = calls.count(where: \.isCertain)
        initial = history.initial
    }

    mutating func run(stepsMax: Int) -> Ending {
        let root = Node(
            placed: [UInt64](repeating: 0, count: (calls.count + 63) / 64), count: 0, state: initial, first: 0)
        var stack = [root]
        var seen: Set<Node> = []
        var steps = 0
        while var node = stack.popLast() {
            steps += 1
            if steps > stepsMax { return .gaveUp }
            let next = placeWhatOnlySees(&node)
            if node.count == certainCount { return .found }
            if !seen.insert(node).inserted { continue }
            if node.count > deepest.count {
                let blocked = next.filter { calls[$0].isCertain }.min { calls[$0].end < calls[$1].end }
                deepest = Deepest(count: node.count, state: node.state, blocked: blocked.map { [calls[$0]] } ?? [])
            }
            // The last pushed is tried first: what certainly happened, in the order of ends, before what may have.
            let changes = next.filter { calls[$0].action.changes }
            for index in changes.sorted(by: { calls[$0].end > calls[$1].end }) {
                guard let state = node.state.after(calls[index].action, isVersioned: isVersioned) else { continue }
                var child = node
                child.state = state
                place(index, in: &child)
                stack.append(child)
            }
        }
        return .exhausted
    }

    /// The calls that may come next: those that began before every other one that is not placed had ended.
    private func candidates(_ node: Node) -> [Int] {
        var found: [Int] = []
        var endMin = UInt64.max
        for index in node.first..<calls.count {
            if calls[index].start > endMin { break }
            if isPlaced(index, in: node) { continue }
            found.append(index)
            endMin = min(endMin, calls[index].end)
        }
        return found.filter { calls[$0].start <= endMin }
    }

    private func placeWhatOnlySees(_ node: inout Node) -> [Int] {
        while true {
            let next = candidates(node)
            var isChanged = false
            for index in next where !calls[index].action.changes {
                if node.state.after(calls[index].action, isVersioned: isVersioned) != nil {
                    place(index, in: &node)
                    isChanged = true
                }
            }
            if !isChanged { return next }
        }
    }

    private func isPlaced(_ index: Int, in node: Node) -> Bool { node.placed[index / 64] >> (index % 64) & 1 == 1 }

    private func place(_ index: Int, in node: inout Node) {
        node.placed[index / 64] |= 1 << (index % 64)
        if calls[index].isCertain { node.count += 1 }
        while node.first < calls.count, isPlaced(node.first, in: node) { node.first += 1 }
    }
}
