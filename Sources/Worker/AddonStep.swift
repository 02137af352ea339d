import Addons
import Bytes
import Files
import Glibc
import HTTPClient
import Hooks
import JSON
import Threads

/// The step `addon`: hands the work over, or goes on with what a worker handed over before, and takes what was made.
struct AddonStep {
    let job: Assignment
    let gateway: GatewayClient
    let session: HTTPSession
    let outbound: OutboundRules
    let drivers: AddonDrivers
    let folder: String
    let pool: Pool
    private static let fileBytesMax: UInt64 = 2 << 30
    /// Between two looks: a second at first, doubled up to this.
    private static let lookWaitMax = Duration.seconds(15)

    init(
        job: Assignment, gateway: GatewayClient, session: HTTPSession, outbound: OutboundRules, drivers: AddonDrivers,
        folder: String, pool: Pool
    ) {
        (self.job, self.gateway, self.session, self.outbound) = (job, gateway, session, outbound)
        (self.drivers, self.folder, self.pool) = (drivers, folder, pool)
    }

    /// What is kept of work that was handed over.
    private struct Ticket {
        /// When its time is over, by the clock of the worker that handed it over.
        var until: Timestamp
        var lookCount: Int64
        /// The driver's own.
        var own: JSONValue

        init(until: Timestamp, lookCount: Int64, own: JSONValue) {
            (self.until, self.lookCount, self.own) = (until, lookCount, own)
        }

        init?(_ value: JSONValue) {
            guard let until = value["until_ms"]?.integer, let own = value["own"] else { return nil }
            self.init(
                until: Timestamp(milliseconds: until), lookCount: max(0, value["looks"]?.integer ?? 0), own: own)
        }

        var value: JSONValue {
            ["until_ms": .integer(until.milliseconds), "looks": .integer(lookCount), "own": own]
        }
    }

    func run(
        _ order: AddonOrder, deadline: ContinuousClock.Instant, _ tell: @Sendable (String, Double) -> Void,
        _ isCancelled: @escaping @Sendable () -> Bool
    ) async throws -> StepResult {
        let settings: AddonSettings
        do throws(JSONFault) { settings = try AddonSettings(reading: order.document, at: "") } catch {
            throw StepFailure(reason: "the addon's settings are not what this worker reads: \(error)")
        }
        let line = AddonLine(
            session: session, pool: pool, outbound: outbound, timeout: settings.timeout, deadline: deadline,
            isCancelled: isCancelled)
        let driver = drivers.open(settings, secret: order.secret, line: line)
        if let value = order.answer { return try await finish(try Self.answer(value), deadline, tell, isCancelled) }
        let former = order.ticket.flatMap(Ticket.init)
        let now = Timestamp.now()
        if let former, former.until <= now {
            await driver.cancel(former.own)
            throw StepFailure(
                reason: "the addon had no answer within \(DurationText.write(job.timeout))", startsAnew: true)
        }
        let ticket =
            former
            ?? Ticket(
                until: Timestamp(milliseconds: now.milliseconds &+ job.timeout.milliseconds), lookCount: 0,
                own: .object([]))
        tell(former == nil ? "call" : "wait", 0)
        let outcome: AddonOutcome
        do throws(AddonFailure) {
            outcome =
                if former == nil { try await driver.begin(order.call) } else { try await driver.look(at: ticket.own) }
        } catch {
            // A look that fails is no failure of the work: another look may find it.
            guard former == nil || error.isPermanent || error.startsAnew || isCancelled() else {
                return park(ticket, AddonPending(ticket: ticket.own, canBeLookedAt: true, wait: error.retryAfter))
            }
            throw StepFailure(
                reason: error.reason, isPermanent: error.isPermanent, retryAfter: error.retryAfter,
                startsAnew: error.startsAnew)
        }
        switch outcome {
        case .pending(let pending):
            tell(pending.stage ?? "wait", pending.fraction)
            return park(ticket, pending)
        case .done(let answer): return try await finish(answer, deadline, tell, isCancelled)
        }
    }

    private func park(_ ticket: Ticket, _ pending: AddonPending) -> StepResult {
        var next = ticket
        next.own = pending.ticket
        next.lookCount += 1
        let left = Duration.milliseconds(max(0, next.until.milliseconds &- Timestamp.now().milliseconds))
        guard pending.canBeLookedAt else { return .parked(ticket: next.value, wait: left) }
        let own = min(.seconds(1 << min(ticket.lookCount, 10)), Self.lookWaitMax)
        return .parked(ticket: next.value, wait: min(max(pending.wait ?? own, .milliseconds(100)), left))
    }

    /// What was called back, which the gateway has read already.
    private static func answer(_ value: JSONValue) throws(StepFailure) -> AddonAnswer {
        let word: AddonWord
        do throws(JSONFault) { word = try AddonWord(reading: value) } catch {
            throw StepFailure(reason: "what the addon called back cannot be read: \(error)", startsAnew: true)
        }
        switch word {
        case .done(let answer): return answer
        case .failed(let reason, let isPermanent):
            throw StepFailure(reason: "the addon says: \(reason)", isPermanent: isPermanent, startsAnew: true)
        case .progress: throw StepFailure(reason: "the addon called back without an answer", startsAnew: true)
        }
    }

    // MARK: Files

    private func finish(
        _ answer: AddonAnswer, _ deadline: ContinuousClock.Instant, _ tell: @Sendable (String, Double) -> Void,
        _ isCancelled: @escaping @Sendable () -> Bool
    ) async throws -> StepResult {
        var files: [MadeFile] = []
        for (place, file) in answer.files.enumerated() {
            if isCancelled() { throw MediaHelper.Failure.stopped }
            tell("fetch", Double(place) / Double(answer.files.count))
            var made = try await fetch(file, to: "\(folder)/result-\(place)", deadline, place)
            if files.contains(where: { $0.name == made.name }) { made.name = "\(place + 1)-\(made.name)" }
            files.append(made)
        }
        let result = answer.metadata.map { JSONValue.object([.init("metadata", $0)]) }
        return .completed(files: files, result: result)
    }

    private func fetch(
        _ file: AddonAnswer.File, to path: String, _ deadline: ContinuousClock.Instant, _ place: Int
    ) async throws -> MadeFile {
        _ = try? LinuxDisk().remove(path)
        switch file.content {
        case .bytes(let bytes):
            try pool.blocking {
                try OpenFile.open(path, flags: O_WRONLY | O_CREAT | O_EXCL).write(bytes.span, at: 0)
            }
            let type = Self.printable(file.contentType ?? "")
            return MadeFile(
                name: Self.name(file.name ?? "file-\(place + 1)", of: type), path: path, size: UInt64(bytes.count),
                contentType: type)
        case .url(let url):
            let shown = String(url.prefix { $0 != "?" })
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { throw StepFailure(reason: "the step's time was over before all was fetched") }
            var request = StreamRequest(
                url: url, limits: StreamLimits(idleTimeout: min(left, .seconds(60)), timeout: left))
            request.isPublicOnly = !outbound.mayBePrivate(url)
            let response: StreamResponse
            do throws(HTTPClientError) { response = try await session.send(request) } catch {
                throw StepFailure(reason: "the result \(shown): \(error)", isPermanent: error == .privateAddress)
            }
            guard response.status == 200 else {
                throw StepFailure(
                    reason: "the result \(shown): the server answered \(response.status)",
                    isPermanent: !TransientStatus.contains(response.status),
                    retryAfter: RetryAfter.wait(response.header("retry-after"), now: .now()))
            }
            let size: UInt64
            do {
                size = try await response.save(to: path, bytesMax: Self.fileBytesMax, pool: pool)
            } catch is FileTooLarge {
                throw StepFailure(
                    reason: "the result \(shown) has more than \(Self.fileBytesMax) bytes", isPermanent: true)
            } catch {
                throw StepFailure(reason: "the result \(shown) did not come whole: \(error)")
            }
            let type = Self.printable(file.contentType ?? response.header("content-type") ?? "")
            let last = shown.split(separator: "/").last.map(String.init) ?? ""
            return MadeFile(
                name: Self.name(file.name ?? last, of: type), path: path, size: size,
                contentType: type)
        }
    }

    private static func printable(_ type: String) -> String {
        let bytes = type.utf8.filter { $0 >= 0x20 && $0 < 0x7F }.prefix(200)
        return bytes.isEmpty ? "application/octet-stream" : String(decoding: Array(bytes), as: UTF8.self)
    }

    /// A name that the gateway takes, with an extension where the type has a usual one and the name has none.
    private static func name(_ given: String, of type: String) -> String {
        let last = given.utf8.split(separator: Ascii.slash).last.map { Array($0) } ?? []
        var bytes = last.map { $0 >= 0x20 && $0 != 0x7F && $0 != 0x7B && $0 != 0x7D ? $0 : Ascii.dash }
        if bytes.isEmpty || bytes.allSatisfy({ $0 == Ascii.dot }) { bytes = Array("file".utf8) }
        if !bytes.contains(Ascii.dot) {
            let extensions = [
                "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "model/gltf-binary": "glb",
                "application/json": "json", "text/plain": "txt",
            ]
            if let known = extensions[String(type.prefix { $0 != ";" })] { bytes += Array(".\(known)".utf8) }
        }
        return String(decoding: bytes.suffix(190), as: UTF8.self)
    }
}
