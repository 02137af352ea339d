import Bytes
import Testing

@testable import HTTPServer

struct RequestDecoderTests {
    // MARK: What is accepted

    @Test func `a request line and fields are read, with places for the raw bytes`() throws {
        let head = try head(
            "GET /b/k%20y?x=1&y HTTP/1.1\r\nHost: a.example:9000\r\nX-Amz-Date:  z \t\r\nx-amz-date: second\r\n\r\n")
        #expect(head.method == .get)
        #expect(text(head.methodBytes) == "GET")
        #expect(text(head.path) == "/b/k%20y")
        #expect(head.query.map(text) == "x=1&y")
        #expect(head.minorVersion == 1)
        #expect(head.body == .none)
        #expect(head.keepsAlive)
        #expect(head.fieldCount == 3)
        #expect(head.first("x-amz-date").map(text) == "z")
        #expect(head.all("x-amz-date").map(text) == ["z", "second"])
        #expect(head.count(of: "host") == 1)
        #expect(text(head.field(at: 1).name) == "X-Amz-Date")
    }

    @Test func `every known method is told, and another keeps its bytes`() throws {
        for (name, method): (String, RequestHead.Method) in [
            ("GET", .get), ("HEAD", .head), ("PUT", .put), ("POST", .post), ("DELETE", .delete),
            ("OPTIONS", .options), ("PATCH", .patch), ("get", .other), ("PROPFIND", .other),
        ] {
            let head = try head("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(head.method == method)
            #expect(text(head.methodBytes) == name)
        }
    }

    @Test func `a target may be absolute when its authority is the host`() throws {
        #expect(text(try head("GET http://a:1/p?q HTTP/1.1\r\nHost: A:1\r\n\r\n").path) == "/p")
        let bare = try head("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(text(bare.path) == "/")
        #expect(bare.query.map(text) == "q")
        #expect(text(try head("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path) == "*")
    }

    @Test func `the bytes of a target are kept as they came`() throws {
        #expect(text(try head("GET /a//b/../c+d%2Fé?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n").path) == "/a//b/../c+d%2Fé")
        #expect(try head("GET /? HTTP/1.1\r\nHost: a\r\n\r\n").query?.isEmpty == true)
        #expect(try head("GET / HTTP/1.1\r\nHost: a\r\n\r\n").query == nil)
    }

    @Test func `one empty line before a request is forgiven`() throws {
        #expect(try head("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").method == .get)
    }

    @Test func `the framing of the body follows its fields`() throws {
        #expect(try head(put("Content-Length: 12")).body == .length(12))
        #expect(try head(put("content-length: 0")).body == .none)
        #expect(try head(put("Content-Length: 9223372036854775807")).body == .length(UInt64(Int64.max)))
        #expect(try head(put("Transfer-Encoding: Chunked")).body == .chunked)
        #expect(try head(put("Transfer-Encoding: , chunked ,")).body == .chunked)
    }

    @Test(arguments: [
        ("1.1", "", true), ("1.1", "Connection: close", false), ("1.1", "Connection: Foo, CLOSE", false),
        ("1.1", "Connection: close\r\nConnection: keep-alive", false), ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive", true), ("1.0", "Connection: keep-alive, close", false),
        ("1.7", "", true),
    ])
    func `a connection is kept as version and options say`(version: String, field: String, keeps: Bool) throws {
        let lines = field.isEmpty ? "" : field + "\r\n"
        #expect(try head("GET / HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n").keepsAlive == keeps)
    }

    @Test func `an expectation counts only with a body, and only in version 1.1`() throws {
        #expect(try head(put("Content-Length: 1\r\nExpect: 100-Continue")).expectsContinue)
        #expect(try !head(put("Expect: 100-continue")).expectsContinue)
        #expect(try !head("PUT / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n").expectsContinue)
    }

    // MARK: What is refused

    @Test(arguments: hostileRequests)
    func `a hostile request is refused with its own status`(_ hostile: HostileRequest) {
        #expect(verdict(hostile.bytes) == .status(hostile.status), "\(hostile.name)")
    }

    @Test func `the table holds some sixty requests, and each has a name of its own`() {
        #expect(hostileRequests.count >= 60)
        #expect(Set(hostileRequests.map(\.name)).count == hostileRequests.count)
    }

    @Test func `limits are exact`() throws {
        var limits = RequestDecoder.Limits()
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let exact = start + String(repeating: "v", count: 500 - start.utf8.count - 4) + "\r\n\r\n"
        limits.headerBytesMax = 500
        #expect(verdict([UInt8](exact.utf8), limits) == .complete(500))
        limits.headerBytesMax = 499
        #expect(verdict([UInt8](exact.utf8), limits) == .status(431))
        limits = RequestDecoder.Limits()
        limits.headerFieldsMax = 3
        let field = "X: y\r\n"
        #expect(verdict(request(field + field), limits) != .status(431))
        #expect(verdict(request(field + field + field), limits) == .status(431))
        limits = RequestDecoder.Limits()
        limits.targetBytesMax = 10
        #expect(verdict([UInt8]("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n".utf8), limits) != .status(414))
        #expect(verdict([UInt8]("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n".utf8), limits) == .status(414))
    }

    @Test func `a line that never ends is refused at the limit`() {
        #expect(verdict([UInt8](repeating: 0x41, count: 20_000)) == .status(414))
        let start = [UInt8]("GET / HTTP/1.1\r\nX: ".utf8)
        #expect(verdict(start + [UInt8](repeating: 0x41, count: 20_000)) == .status(431))
    }

    // MARK: Splits

    @Test func `the verdict is the same for every split of the input`() {
        let good = [
            "GET /a?b HTTP/1.1\r\nHost: a\r\nX-Long: value, with more\r\nConnection: close\r\n\r\nnext",
            "\r\nPUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
        ].map { [UInt8]($0.utf8) }
        for bytes in good + hostileRequests.map(\.bytes) where bytes.count < 1000 {
            let whole = verdict(bytes)
            for split in 0...bytes.count {
                var decoder = RequestDecoder()
                var result = step(&decoder, bytes[..<split])
                if result == .needsMore { result = step(&decoder, bytes[...]) }
                #expect(result == whole, "split at \(split) of \(text(bytes[...]))")
            }
            var decoder = RequestDecoder()
            var result = Verdict.needsMore
            for end in 0...bytes.count where result == .needsMore { result = step(&decoder, bytes[..<end]) }
            #expect(result == whole, "byte by byte: \(text(bytes[...]))")
        }
    }

    @Test func `a decoder reads one request after the other`() {
        var bytes = [UInt8]("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)[...]
        var decoder = RequestDecoder()
        var paths: [String] = []
        while case .head(let head, let consumed) = decoder.decode(Array(bytes).span) {
            paths.append(text(head.path))
            bytes = bytes.dropFirst(consumed)
        }
        #expect(paths == ["/1", "/2"])
    }

    @Test func `random bytes and mutated requests never trap and never pass with forbidden bytes`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        for _ in 0..<3000 {
            var bytes = request("Content-Length: 3\r\nX-A: b\r\n")
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            var decoder = RequestDecoder()
            if case .head(let head, _) = decoder.decode(bytes.span) {
                for index in 0..<head.fieldCount {
                    let value = head.field(at: index).value
                    #expect(!value.contains { $0 == 0 || $0 == 10 || $0 == 13 }, "seed \(seed)")
                }
            }
        }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

enum Verdict: Equatable {
    case needsMore
    case complete(Int)
    case status(Int)
}

func step(_ decoder: inout RequestDecoder, _ bytes: ArraySlice<UInt8>) -> Verdict {
    switch decoder.decode(Array(bytes).span) {
    case .needsMore: .needsMore
    case .head(_, let consumed): .complete(consumed)
    case .failure(let error): .status(error.status)
    }
}

func verdict(_ bytes: [UInt8], _ limits: RequestDecoder.Limits = .init()) -> Verdict {
    var decoder = RequestDecoder(limits: limits)
    return step(&decoder, bytes[...])
}

struct NoHead: Error {}

func head(_ text: String) throws -> RequestHead {
    var decoder = RequestDecoder()
    guard case .head(let head, _) = decoder.decode([UInt8](text.utf8).span) else { throw NoHead() }
    return head
}

func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

func put(_ fields: String) -> String { "PUT /k HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n" }

func request(_ fields: String) -> [UInt8] { [UInt8]("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8) }
