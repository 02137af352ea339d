public import Glibc

/// A mutual exclusion lock around a value, on `pthread_mutex`.
///
/// `Synchronization.Mutex` is a priority-inheritance futex on Linux: slower by two orders of magnitude under contention,
/// and invisible to the thread sanitizer. No I/O, hashing or `await` belongs inside `withLock`.
///
/// A closure is not a value of its own here, but a property of one: each `withLock` would put two more thunks around it, and each call
/// of it go through all of them.
// @unchecked: the mutex guards `value`.
@safe public final class Lock<Value>: @unchecked Sendable {
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline var value: Value

    public init(_ value: consuming sending Value) {
        // SAFETY: allocated once, initialised before use, destroyed and freed in deinit only.
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        // SAFETY: no reference to the lock is left, so nobody holds it.
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deinitialize(count: 1)
        unsafe mutex.deallocate()
    }

    /// Inlinable, so that it is specialised for its callers in other modules.
    /// Not reentrant: a `withLock` inside `body` on the same lock deadlocks.
    @inlinable
    public func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        // SAFETY: the pointer lives as long as self.
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
