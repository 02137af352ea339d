internal import CLinux
import Glibc

/// Where one worker waits without work until another one calls it. A call that comes before the wait is kept.
// @unchecked: the mutex guards `isCalled`, the pool's lock guards `shift` and `isWoken`; the C objects are written by their
// own functions only.
@safe final class Parking: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var isCalled = false
    /// The shift of `Crew` that counts the thread as running; 0 while none does.
    var shift: UInt64 = 0
    /// The thread was called for what is queued and has not come yet.
    var isWoken = false

    init() {
        // SAFETY: allocated once, initialised before use, destroyed and freed in deinit only.
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe condition = .allocate(capacity: 1)
        unsafe condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        // SAFETY: no reference is left, so nobody waits here.
        unsafe pthread_cond_destroy(condition)
        unsafe condition.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Returns true when called, false when `limit_ns` passed first; 0 sets no limit.
    func wait(limit_ns: UInt64) -> Bool {
        // SAFETY: both pointers live as long as self.
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        let end = Monotonic.nanoseconds &+ limit_ns
        var moment = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        while !isCalled {
            if limit_ns == 0 {
                unsafe pthread_cond_wait(condition, mutex)
            } else if unsafe pthread_cond_timedwait(condition, mutex, &moment) == ETIMEDOUT {
                break
            }
        }
        defer { isCalled = false }
        return isCalled
    }

    func call() {
        // SAFETY: as above.
        unsafe pthread_mutex_lock(mutex)
        isCalled = true
        unsafe pthread_cond_signal(condition)
        unsafe pthread_mutex_unlock(mutex)
    }
}
