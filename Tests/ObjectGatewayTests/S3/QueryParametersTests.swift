import Testing

@testable import ObjectGateway

@Suite struct QueryParametersTests {
    private func read(_ text: String) throws -> [String] {
        try QueryParameters(bytes(text)[...]).all
            .map { String(decoding: $0.name + bytes("=") + $0.value, as: UTF8.self) }
    }

    @Test(arguments: [
        ("", []), ("a", ["a="]), ("a=", ["a="]), ("a=1", ["a=1"]), ("a=1&b=2&a=3", ["a=1", "b=2", "a=3"]),
        ("a=b=c", ["a=b=c"]), ("&&a&", ["a="]), ("a+b=c+d", ["a b=c d"]), ("a%2Bb=%26%3D", ["a+b=&="]),
        ("%C3%BC=%00", ["ü=\0"]), ("=x", ["=x"]),
    ])
    func `a query is decoded once, in order`(text: String, parameters: [String]) throws {
        #expect(try read(text) == parameters)
    }

    @Test(arguments: ["%", "a=%4", "%zz=1", "a=1&b=%g0"])
    func `a broken percent code is InvalidURI`(text: String) {
        #expect(throws: S3Error.self) { try read(text) }
    }

    @Test func `the first of a name counts, and names are whole`() throws {
        let query = try QueryParameters(bytes("uploads&versionId=1&versionId=2")[...])
        #expect(query["versionId"] == bytes("1"))
        #expect(query.contains("uploads") && !query.contains("upload") && !query.contains("Uploads"))
        #expect(query["uploads"] == [] && query["missing"] == nil)
        #expect(try QueryParameters(nil).all.isEmpty)
    }
}
