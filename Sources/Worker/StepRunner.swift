import Addons
import Bytes
import Files
import HTTPClient
import Hooks
import JSON
import Threads

/// Does the steps, in a folder whose files go with each job. For one job at a time.
// @unchecked: `helpers` is touched by the one task that runs jobs.
final class StepRunner: @unchecked Sendable {
    private let configuration: WorkerConfiguration
    private let gateway: GatewayClient
    private let pool: Pool
    private let logos: LogoCache
    private let news: @Sendable (WorkerNews) -> Void
    /// For requests to hosts that users named.
    private let session: HTTPSession
    private let drivers = AddonDrivers()
    /// By class.
    private var helpers: [String: MediaHelper] = [:]

    /// Where decoders read and write.
    private var folder: String { "\(configuration.folder)/files" }

    init(
        _ configuration: WorkerConfiguration, gateway: GatewayClient, pool: Pool,
        news: @escaping @Sendable (WorkerNews) -> Void
    ) throws {
        (self.configuration, self.gateway, self.pool, self.news) = (configuration, gateway, pool, news)
        session = try HTTPSession.start(connectionsMax: 4)
        logos = LogoCache(folder: "\(configuration.folder)/logos", session: session)
    }

    /// Makes the folders, empty. Blocks.
    func prepare() throws(SystemError) {
        FolderRemoval.empty(configuration.folder)
        // The folder above, too, where a supervisor names one that is not there yet.
        let above = configuration.folder.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        if !above.isEmpty { try LinuxDisk().makeDirectory(above) }
        try LinuxDisk().makeDirectory(configuration.folder)
        for name in ["files", "logos"] { try LinuxDisk().makeDirectory("\(configuration.folder)/\(name)") }
    }

    /// Ends the helpers, and removes the folder. Blocks.
    func close() {
        for helper in helpers.values { helper.end() }
        helpers = [:]
        FolderRemoval.remove(configuration.folder)
    }

    /// Removes the job's files.
    func clean() { pool.blocking { FolderRemoval.empty(folder) } }

    /// `isCancelled` is asked now and then.
    func run(
        _ job: Assignment, outbound: OutboundRules, tell: @Sendable (String, Double) -> Void,
        isCancelled: @escaping @Sendable () -> Bool
    ) async -> StepResult {
        let deadline = ContinuousClock.now + job.timeout
        do {
            switch job.kind {
            case "watermark", "variants", "preview", "probe", "transcode":
                return try await decode(job, outbound, deadline: deadline, tell, isCancelled)
            case "deliver":
                let delivery = Delivery(
                    job: job, worker: configuration.name, gateway: gateway, session: session, outbound: outbound,
                    folder: folder, pool: pool)
                return .completed(files: [], result: try await delivery.run(deadline: deadline, tell, isCancelled))
            case "addon":
                let step = AddonStep(
                    job: job, gateway: gateway, session: session, outbound: outbound, drivers: drivers, folder: folder,
                    pool: pool)
                return try await step.run(try await order(of: job, isCancelled), deadline: deadline, tell, isCancelled)
            // The gateway knows the tags and what they name.
            case "tag": return .completed(files: [], result: nil)
            default:
                throw StepFailure(reason: "this worker does not know steps of kind \(job.kind)")
            }
        } catch let failure as StepFailure {
            return isCancelled() ? .stopped : .failed(failure)
        } catch GatewayError.lost, MediaHelper.Failure.stopped {
            return .stopped
        } catch GatewayError.refused(_, let reason) {
            return .failed(StepFailure(reason: reason))
        } catch GatewayError.away(let reason) {
            return .failed(StepFailure(reason: "the gateway was away while the job was begun: \(reason)"))
        } catch {
            return .failed(StepFailure(reason: "\(error)"))
        }
    }

    private func order(of job: Assignment, _ isCancelled: @Sendable () -> Bool) async throws -> AddonOrder {
        var order: AddonOrder?
        do {
            try await untilReached(isCancelled) { order = try await gateway.addon(of: job) }
        } catch GatewayError.refused(_, let reason) {
            throw StepFailure(reason: reason, isPermanent: true)
        }
        guard let order else { throw MediaHelper.Failure.stopped }
        return order
    }

    // MARK: Media

    private func decode(
        _ job: Assignment, _ outbound: OutboundRules, deadline: ContinuousClock.Instant,
        _ tell: @Sendable (String, Double) -> Void, _ isCancelled: @Sendable () -> Bool
    ) async throws -> StepResult {
        guard let input = job.inputs.first else {
            throw StepFailure(reason: "no file is there to be read", isPermanent: true)
        }
        tell("fetch", 0)
        try await untilReached(isCancelled) {
            _ = try? LinuxDisk().remove("\(folder)/input")
            _ = try await gateway.download("inputs/0", of: job, to: "\(folder)/input")
        }
        if let logo = job.logo {
            let path = "\(folder)/\(MediaOptions.logoFile)"
            try await untilReached(isCancelled) {
                _ = try? LinuxDisk().remove(path)
                try await logos.fetch(
                    logo, of: job, gateway: gateway, outbound: outbound, pool: pool, to: path)
            }
        }
        var helperClass = Self.firstGuess(input.contentType)
        for _ in 0..<3 {
            let answer = try ask(job, helperClass, deadline: deadline, tell, isCancelled)
            guard let error = answer["error"] else { return try result(of: answer, job) }
            guard error["code"]?.string == "class", let other = error["class"]?.string, other != helperClass else {
                throw StepFailure(
                    reason: error["reason"]?.string ?? "ogw-media gave no reason",
                    isPermanent: error["permanent"]?.bool ?? false)
            }
            helperClass = other
        }
        throw StepFailure(reason: "no class of ogw-media takes the file", isPermanent: true)
    }

    /// Repeats what failed since the gateway is away.
    private func untilReached(
        _ isCancelled: @Sendable () -> Bool, _ body: () async throws -> Void
    ) async throws {
        var wait = Duration.milliseconds(200)
        var isTold = false
        while true {
            do { return try await body() } catch GatewayError.away(let reason) {
                if !isTold { news(.gatewayAway(reason)) }
                isTold = true
            }
            if isCancelled() { throw MediaHelper.Failure.stopped }
            await pool.sleep(for: wait)
            wait = min(wait * 2, configuration.retryWaitMax)
        }
    }

    private func ask(
        _ job: Assignment, _ helperClass: String, deadline: ContinuousClock.Instant,
        _ tell: @Sendable (String, Double) -> Void, _ isCancelled: @Sendable () -> Bool
    ) throws -> JSONValue {
        try pool.blocking {
            do throws(MediaHelper.Failure) {
                let helper = try helper(of: helperClass, isCancelled)
                let left = ContinuousClock.now.duration(to: deadline)
                let answer = try helper.ask(
                    job.kind, input: "input", options: job.options, timeout: max(left, .milliseconds(1)), tell: tell,
                    isCancelled: isCancelled)
                if helper.requestCount >= configuration.helperRequestsMax { drop(helperClass) }
                return answer
            } catch {
                drop(helperClass)
                switch error {
                case .stopped: throw error
                case .notStarted(let reason): throw StepFailure(reason: "ogw-media does not start: \(reason)")
                case .died(let reason):
                    throw StepFailure(reason: "ogw-media died of it: \(reason)", isCrash: true)
                }
            }
        }
    }

    private func helper(
        of helperClass: String, _ isCancelled: () -> Bool
    ) throws(MediaHelper.Failure) -> MediaHelper {
        if let helper = helpers[helperClass] { return helper }
        let helper = try MediaHelper.start(
            configuration.mediaProgram, helperClass: helperClass, folder: folder, isCancelled: isCancelled)
        helpers[helperClass] = helper
        return helper
    }

    private func drop(_ helperClass: String) { helpers.removeValue(forKey: helperClass)?.end() }

    private func result(of answer: JSONValue, _ job: Assignment) throws(StepFailure) -> StepResult {
        let kinds = (job.options["kinds"]?.array ?? []).compactMap(\.string).compactMap(PreviewOptions.Kind.init)
        var files: [MadeFile] = []
        for output in answer["outputs"]?.array ?? [] {
            guard let name = output["name"]?.string, let file = output["file"]?.string,
                let size = output["size"]?.integer, !file.utf8.contains(Ascii.slash), file != "..", size >= 0
            else { throw StepFailure(reason: "ogw-media named a file that it cannot have made", isCrash: true) }
            guard PreviewOptions.isWanted(name, of: Set(kinds)) else { continue }
            files.append(
                MadeFile(
                    name: name, path: "\(folder)/\(file)", size: UInt64(clamping: size),
                    contentType: output["mime"]?.string ?? "application/octet-stream",
                    variant: output["variant"]?.string))
        }
        return .completed(files: files, result: answer["results"])
    }

    /// Most files are what their content type says; a helper says which class takes what is not its own.
    private static func firstGuess(_ contentType: String) -> String {
        if contentType.hasPrefix("video/") || contentType.hasPrefix("audio/") { return "media" }
        let isDocument =
            contentType.hasPrefix("text/") || contentType.hasPrefix("application/")
            || contentType.hasPrefix("image/svg")
        return isDocument && contentType != "application/octet-stream" ? "documents" : "images"
    }
}
