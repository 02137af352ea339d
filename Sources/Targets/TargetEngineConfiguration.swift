public import HTTPClient
public import Hooks

/// Settings of the delivery of events, and of the taking of events from sources; every default is visible here.
public struct TargetEngineConfiguration: Sendable {
    /// As events name it.
    public var region = "us-east-1"
    /// What webhooks may reach.
    public var outbound = OutboundRules()
    /// Waits after failures: one second, doubled up to a minute. How often is tried is not limited.
    public var retry: RetryPolicy
    /// Between looks at waiting deliveries and at events that nobody told of.
    public var tick = Duration.milliseconds(250)
    /// Events of a target that are read ahead.
    public var windowMax = 10_000
    /// Between notes of how far a target is.
    public var notePause = Duration.milliseconds(100)
    /// Where nothing was delivered, it is noted so often.
    public var noteInterval = Duration.seconds(60)
    /// Between looks at a source that had nothing.
    public var sourcePause = Duration.milliseconds(100)
    /// How long a gateway is the one that delivers to a target, or takes from a source, since it last said so. It says so every second.
    public var dutyPeriod = Duration.seconds(15)

    public init() {
        retry = RetryPolicy()
        retry.attempts = .max
        retry.base = .seconds(1)
        retry.max = .seconds(60)
    }
}
