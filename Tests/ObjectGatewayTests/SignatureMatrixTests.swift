import HTTPServer
import JSON
import Testing

@testable import ObjectGateway

/// S3-TRAPS 32: every route times every kind of bad signature, generated from the operation table.
@Suite struct SignatureMatrixTests {
    @Test(arguments: OperationTable.shared.entries.map(\.route.name.description))
    func `every operation refuses every bad signature of every form, and changes nothing`(
        operation: String
    ) async throws {
        let scene = try await OperationScene()
        let before = try await scene.fixture.snapshot()
        for form in AuthForm.allCases {
            for fault in BadSignature.allCases {
                let (wire, codes) = try fault.apply(to: try scene.request(operation), form)
                let answer = try await scene.fixture.send(wire)
                #expect(answer.status == 403 || answer.status == 400, "\(operation) \(form) \(fault): \(answer)")
                if wire.method != "HEAD" {
                    #expect(codes.contains(answer.code ?? "none"), "\(operation) \(form) \(fault): \(answer)")
                } else {
                    #expect(answer.body.isEmpty)
                }
            }
        }
        #expect(try await scene.fixture.snapshot() == before)
    }

    /// What the matrix refuses is refused for its signature: the same requests, signed well, are carried out.
    @Test(arguments: OperationTable.shared.entries.map(\.route.name.description), AuthForm.allCases)
    func `every operation accepts every form of a good signature`(operation: String, form: AuthForm) async throws {
        let scene = try await OperationScene()
        let answer = try await scene.fixture.send(try scene.request(operation).signed(form: form))
        let isAnswered =
            (200...299).contains(answer.status) || OperationScene.isUnset(operation) && answer.status == 404
        #expect(isAnswered, "\(answer)")
    }

    @Test(arguments: OperationTable.shared.entries.map(\.route.name.description))
    func `every operation refuses an anonymous request with AccessDenied`(operation: String) async throws {
        let scene = try await OperationScene()
        let before = try await scene.fixture.snapshot()
        let wire = try scene.request(operation).unsigned()
        let answer = try await scene.fixture.send(wire)
        #expect(answer.status == 403)
        if wire.method != "HEAD" { #expect(answer.code == "AccessDenied") }
        #expect(try await scene.fixture.snapshot() == before)
    }

    @Test func `an operation's own scope is the one that its request has here`() async throws {
        let scene = try await OperationScene()
        for entry in OperationTable.shared.entries {
            let wire = try scene.request(entry.route.name.description).unsigned()
            let head = try #require(RequestHead.make(method: wire.method, target: wire.target, fields: wire.fields))
            let target = try RequestTarget(head, domains: [])
            let found = try OperationTable.shared.find(head, target)
            #expect(found.route.name.description == entry.route.name.description)
        }
    }

    @Test(arguments: ["PutObject", "UploadPart"])
    func `a body that is not the one that was signed is refused, and nothing is stored`(
        operation: String
    ) async throws {
        let scene = try await OperationScene()
        let before = try await scene.fixture.snapshot()
        let refusals: [(AuthForm, String)] = [
            (.header, "XAmzContentSHA256Mismatch"), (.chunked, "SignatureDoesNotMatch"),
            (.chunkedTrailer, "SignatureDoesNotMatch"), (.unsignedTrailer, "BadDigest"),
        ]
        for (form, code) in refusals {
            var wire = try scene.request(operation).signed(form: form)
            // The last byte of the object's data, wherever the framing puts it.
            let data = try scene.request(operation).body
            let place = data.count - 1
            let inChunk = form == .header ? place : try #require(lastDataByte(of: wire.body))
            wire.body[inChunk] ^= 1
            let answer = try await scene.fixture.send(wire)
            #expect(answer.code == code, "\(form): \(answer)")
        }
        #expect(try await scene.fixture.snapshot() == before)
    }

    /// The byte before the CR LF that ends the second of two chunks.
    private func lastDataByte(of framed: [UInt8]) -> Int? {
        let ends = framed.indices.dropLast().filter { framed[$0] == 13 && framed[$0 + 1] == 10 }
        return ends.count > 3 ? ends[3] - 1 : nil
    }
}
