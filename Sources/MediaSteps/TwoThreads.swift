import Glibc
import Synchronization

/// Runs independent parts of a step on two threads: encoders work on one each.
enum TwoThreads {
    /// Calls `body` once for each number below `count`, and returns when all have returned. `isCaller` is true on the
    /// calling thread. Where no thread can be had, the calling one does it all.
    static func run(count: Int, _ body: @escaping (_ index: Int, _ isCaller: Bool) -> Void) {
        let work = Work(count: count, body)
        var thread = pthread_t()
        // SAFETY: the reference is retained here and released by the thread, which is joined below.
        let context = unsafe Unmanaged.passRetained(work).toOpaque()
        let failed =
            count < 2
            ? EAGAIN
            : unsafe pthread_create(
                &thread, nil,
                { context in
                    if let context = unsafe context {
                        unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run(isCaller: false)
                    }
                    return nil
                }, context)
        if failed != 0 { unsafe Unmanaged<Work>.fromOpaque(context).release() }
        work.run(isCaller: true)
        if failed == 0 { pthread_join(thread, nil) }
    }

    private final class Work {
        private let next = Atomic<Int>(0)
        private let count: Int
        private let body: (Int, Bool) -> Void

        init(count: Int, _ body: @escaping (Int, Bool) -> Void) {
            self.count = count
            self.body = body
        }

        func run(isCaller: Bool) {
            while true {
                let index = next.add(1, ordering: .acquiringAndReleasing).oldValue
                if index >= count { return }
                body(index, isCaller)
            }
        }
    }
}
