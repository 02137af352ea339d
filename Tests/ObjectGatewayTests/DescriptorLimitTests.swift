import Glibc
import JSON
import Testing

@testable import ObjectGateway

@Suite struct DescriptorLimitTests {
    @Test func `the limit becomes as high as it may be`() throws {
        let count = try DescriptorLimit.raise()
        var limit = rlimit()
        #expect(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(limit.rlim_cur == limit.rlim_max)
        #expect(UInt64(count) == min(UInt64(limit.rlim_cur), UInt64(Int.max)))
    }

    @Test func `too low a limit is a reason not to start, in one sentence`() throws {
        #expect(try DescriptorLimit.check(1024) == 1024)
        #expect {
            _ = try DescriptorLimit.check(1023)
        } throws: {
            "\($0)".hasPrefix("This process may open 1023 files: wanted 1024 or more")
        }
    }

    @Test(arguments: [
        (10_000, 1 << 20, 10_000), (10_000, 1024, 256), (100, 1024, 100), (10_000, 30_256, 10_000), (10_000, 0, 1),
    ])
    func `connections fit the limit`(wanted: Int, count: Int, expected: Int) {
        #expect(DescriptorLimit.connections(wanted, of: count) == expected)
    }
}
