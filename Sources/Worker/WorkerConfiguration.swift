/// Settings of a worker; every default is visible here.
public struct WorkerConfiguration: Sendable {
    /// Where the gateway is.
    public enum Gateway: Sendable {
        /// The path of its control socket.
        case socket(String)
        /// Its services listener, without a slash at the end, and a worker's token.
        case url(String, token: String)
    }

    public var gateway: Gateway
    /// 1 to 64 of A-Z a-z 0-9 . _ - @.
    public var name: String
    /// Empty for all.
    public var queues: [String] = []
    /// Made where it is absent; what is in it goes.
    public var folder: String
    /// The path of `ogw-media`.
    public var mediaProgram: String
    /// The gateway started it, and it ends with its input.
    public var isSupervised = false
    /// It ends after so long without a job; nil for never.
    public var idleTime: Duration?
    /// How long a claim waits for a job.
    public var claimWait = Duration.seconds(20)
    /// Between two attempts to reach a gateway that is away, at most.
    public var retryWaitMax = Duration.seconds(5)
    /// Requests that one `ogw-media` answers.
    public var helperRequestsMax = 50

    public init(gateway: Gateway, name: String, folder: String, mediaProgram: String) {
        (self.gateway, self.name, self.folder, self.mediaProgram) = (gateway, name, folder, mediaProgram)
    }
}

/// What a worker has to tell the person who runs it.
public enum WorkerNews: Sendable {
    case gatewayAway(String)
    case gatewayBack
    /// It does not take this worker: its token is unknown, or it runs no jobs.
    case refused(String)
    case begun(job: String, hook: String, step: String, attempt: Int)
    case completed(job: String, Duration)
    case failed(job: String, reason: String)
    /// Another has the job, or it was cancelled.
    case lost(job: String)
    case gaveBack(job: String)
    /// Somebody outside is at work on it, and no worker is held.
    case parked(job: String)
}
