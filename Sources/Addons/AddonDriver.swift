public import JSON

/// How an addon is asked, by the protocol that it speaks.
public protocol AddonDriver: Sendable {
    /// Hands over the work. The same call may have come before.
    func begin(_ call: AddonCall) async throws(AddonFailure) -> AddonOutcome
    /// Looks after work that `begin` handed over, by the ticket that it gave.
    func look(at ticket: JSONValue) async throws(AddonFailure) -> AddonOutcome
    /// Nobody waits for the work any more. What cannot be said is left unsaid.
    func cancel(_ ticket: JSONValue) async
    /// Whether it answers, and takes the secret. Costs nothing there.
    func test() async throws(AddonFailure)
}

/// What an addon is asked.
public struct AddonCall: Sendable {
    public struct File: Sendable, Equatable {
        public var name: String
        /// In bytes.
        public var size: UInt64
        public var contentType: String
        /// Presigned.
        public var url: String
    }

    /// Equal over the tries of a step, and no other's.
    public var idempotencyKey: String
    /// `{"event", "asset", "user", "files", ...}`, as the contract has it.
    public var payload: JSONValue

    public init(idempotencyKey: String, payload: JSONValue) {
        (self.idempotencyKey, self.payload) = (idempotencyKey, payload)
    }
}

/// Where the work is.
public enum AddonOutcome: Sendable, Equatable {
    case done(AddonAnswer)
    case pending(AddonPending)
}

/// Work that is not done yet.
public struct AddonPending: Sendable, Equatable {
    /// By which it is found again; of a few kilobytes at most.
    public var ticket: JSONValue
    /// False where nothing can be looked at: the addon calls back.
    public var canBeLookedAt: Bool
    /// When to look again, as far as the addon said.
    public var wait: Duration?
    public var stage: String?
    public var fraction: Double

    public init(
        ticket: JSONValue, canBeLookedAt: Bool, wait: Duration? = nil, stage: String? = nil, fraction: Double = 0
    ) {
        (self.ticket, self.canBeLookedAt, self.wait) = (ticket, canBeLookedAt, wait)
        (self.stage, self.fraction) = (stage, fraction)
    }
}

/// Why an addon did not do what it was asked.
public struct AddonFailure: Error, Sendable, Equatable {
    /// For the person who looks after it; never with a secret.
    public var reason: String
    /// The same can never work.
    public var isPermanent: Bool
    /// The work that was handed over is lost or over: the next try hands it over again.
    public var startsAnew: Bool
    /// What the other side asked for.
    public var retryAfter: Duration?

    public init(
        _ reason: String, isPermanent: Bool = false, startsAnew: Bool = false, retryAfter: Duration? = nil
    ) {
        self.reason = String(reason.prefix(1000))
        (self.isPermanent, self.startsAnew, self.retryAfter) = (isPermanent, startsAnew, retryAfter)
    }
}
