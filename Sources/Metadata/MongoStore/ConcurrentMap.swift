import Threads

extension Pool {
    /// `body` of each element, at most `widthMax` at once on the pool's threads, in the order of the elements.
    func mapConcurrently<Element: Sendable, Value: Sendable>(
        _ elements: [Element], widthMax: Int, _ body: @escaping @Sendable (Element) async -> Value
    ) async -> [Value] {
        if elements.count <= 1 {
            var values: [Value] = []
            for element in elements { values.append(await body(element)) }
            return values
        }
        let state = Lock(MapState<Value>(values: Array(repeating: nil, count: elements.count)))
        let width = min(max(1, widthMax), elements.count)
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            state.withLock { ($0.running, $0.done) = (width, done) }
            for _ in 0..<width {
                run {
                    while let index = state.withLock({ $0.take() }) {
                        let value = await body(elements[index])
                        state.withLock { $0.values[index] = value }
                    }
                    let last = state.withLock { state -> CheckedContinuation<Void, Never>? in
                        state.running -= 1
                        return state.running == 0 ? state.done.take() : nil
                    }
                    last?.resume()
                }
            }
        }
        return state.withLock { $0.values }.compactMap(\.self)
    }
}

private struct MapState<Value: Sendable> {
    var values: [Value?]
    var next = 0
    var running = 0
    var done: CheckedContinuation<Void, Never>?

    init(values: [Value?]) { self.values = values }

    mutating func take() -> Int? {
        guard next < values.count else { return nil }
        defer { next += 1 }
        return next
    }
}
