import Glibc

/// What the pool keeps for one thread. Only that thread touches it.
final class ThreadContext {
    /// The pool whose worker this thread is; nil on other threads.
    let pool: ObjectIdentifier?
    /// The next job that is enqueued runs on this thread as soon as the event handler returns.
    var takesTail = false
    var tail: UnownedJob?
    /// The tasks that yielded in the current turn; they are queued when it is over.
    var yielded: [Waiter<Void>] = []
    var isBlocking = false
    /// Depth of `corked` calls, and what was enqueued inside them.
    var corkDepth = 0
    var corked: [UnownedJob] = []

    init(pool: ObjectIdentifier?) { self.pool = pool }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        unsafe pthread_key_create(&key, releaseContext)
        return key
    }()

    /// The context of the calling thread, nil where none was made.
    static var current: ThreadContext? {
        guard let pointer = unsafe pthread_getspecific(key) else { return nil }
        // SAFETY: only `attach` sets the key, with a retained context that the key's destructor releases.
        return unsafe Unmanaged<ThreadContext>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Makes this the context of the calling thread until the thread ends.
    func attach() {
        unsafe pthread_setspecific(Self.key, Unmanaged.passRetained(self).toOpaque())
    }
}

private func releaseContext(_ pointer: UnsafeMutableRawPointer?) {
    // SAFETY: the key holds what `attach` retained, once.
    if let pointer = unsafe pointer { unsafe Unmanaged<ThreadContext>.fromOpaque(pointer).release() }
}
