import Glibc

extension Timestamp {
    /// The wall clock's time. It may step back; nothing is ordered by it.
    public static func now() -> Timestamp {
        var time = timespec()
        // SAFETY: the call fills the struct lent to it.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000)
    }
}
