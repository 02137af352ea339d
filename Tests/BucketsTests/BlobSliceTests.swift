import Buckets
import Metadata
import Testing

@Suite struct BlobSliceTests {
    @Test func `any range over any parts is that of the bytes in a row`() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SplitMix(seed: seed)
        for _ in 0..<30 {
            let fixture = try Fixture()
            var model: [UInt8] = []
            var parts: [UploadedPart] = []
            for number in 1...Int.random(in: 1...8, using: &random) {
                // Parts of no bytes among them.
                let size = Int.random(in: 0...3, using: &random) * Int.random(in: 0...500, using: &random)
                let bytes = pattern(size, seed: random.next())
                model += bytes
                parts.append(try await fixture.putPart(bytes, number: number))
            }
            let version = try await fixture.complete(parts)
            #expect(version.size == UInt64(model.count))
            #expect(try await fixture.read(version) == model)
            for _ in 0..<20 {
                let from = Int.random(in: 0...model.count, using: &random)
                let to = Int.random(in: from...model.count, using: &random)
                let got = try await fixture.read(version, range: UInt64(from)..<UInt64(to))
                #expect(got == [UInt8](model[from..<to]), "seed \(seed), \(from)..<\(to) of \(model.count)")
            }
        }
    }

    @Test func `a range beyond the end is invalid`() async throws {
        let fixture = try Fixture()
        let version = try await fixture.put(pattern(10))
        #expect(try await fixture.read(version, range: 9..<10).count == 1)
        await #expect(throws: BucketsError.invalidRange) { try await fixture.read(version, range: 9..<11) }
        await #expect(throws: BucketsError.invalidRange) { try await fixture.read(version, range: 11..<11) }
    }

    @Test func `parts that do not make up the size are not served`() async throws {
        let fixture = try Fixture()
        var version = try await fixture.complete([try await fixture.putPart(pattern(10), number: 1)])
        for size in [9, 11, UInt64.max] {
            version.size = size
            await #expect { try await fixture.read(version, range: 0..<5) } throws: {
                if case .damaged = $0 as? BucketsError { true } else { false }
            }
        }
        let huge = StoredPart(number: 1, blob: BlobID(1), size: .max, checksum: nil)
        version.content = .parts([huge, huge])
        await #expect { try await fixture.read(version) } throws: {
            if case .damaged = $0 as? BucketsError { true } else { false }
        }
    }
}
