import Testing

/// Runs a gateway for the time of a suite; its tests find it in `Gateway.current`.
struct GatewayTrait: SuiteTrait, TestScoping {
    let overTLS: Bool

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let gateway = try await Gateway.start(overTLS: overTLS)
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
    static var runningGateway: Self { Self(overTLS: false) }
    static var runningGatewayOverTLS: Self { Self(overTLS: true) }
}
