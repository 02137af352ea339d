/// Stands for a target that nothing can be sent to, as its secret does not open or its settings are not read: so its line gives its events up in
/// time, and keeps none from being forgotten.
struct UnusableTarget: EventTarget {
    let failure: TargetFailure
    let isOrdered = true
    let concurrency = 1
    let batchMax = 1

    func send(_ messages: [TargetMessage]) async -> Delivery { Delivery(acceptedCount: 0, failure: failure) }

    func close() {}
}
