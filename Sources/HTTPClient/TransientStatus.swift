/// Statuses of answers that may be others when the same is asked again.
public enum TransientStatus {
    /// Timeouts, conflicts, locks, limits of rate, and the troubles of servers. The rest of 3xx and 4xx stays as it is.
    public static func contains(_ status: Int) -> Bool {
        [408, 409, 423, 425, 429].contains(status) || !(200...499).contains(status)
    }
}
