import TestSupport
import Testing

/// Runs a gateway for the time of a suite; its tests find it in `Gateway.current`.
struct GatewayTrait: SuiteTrait, TestScoping {
    var overTLS = false
    var overEngine = false

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let engine = try await overEngine ? SeaweedFS.start() : nil
        let gateway: Gateway
        do {
            gateway = try await Gateway.start(overTLS: overTLS, engine: engine)
        } catch {
            await engine?.stop()
            throw error
        }
        do {
            try await Gateway.$scoped.withValue(gateway, operation: function)
        } catch {
            await gateway.stop()
            throw error
        }
        await gateway.stop()
    }
}

extension Trait where Self == GatewayTrait {
    static var runningGateway: Self { Self() }
    static var runningGatewayOverTLS: Self { Self(overTLS: true) }
    static var runningGatewayOverEngine: Self { Self(overEngine: true) }
}
