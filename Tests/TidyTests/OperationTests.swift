import Testing

@Suite struct OperationTests {
    let tree = SourceTree.shared

    @Test func `Every S3 operation is named by a test of the gateway`() {
        let tests = tree.swift.filter { $0.path.hasPrefix("Tests/ObjectGatewayTests/") }
            .map { "\($0.name) " + $0.lines.joined(separator: "\n") }.joined(separator: "\n")
        for file in tree.names(in: "Sources/ObjectGateway/Operations") where file.hasSuffix(".swift") {
            let operation = String(file.dropLast(".swift".count))
            #expect(
                tests.hasPrefixedWord(operation) || tests.contains("\(operation)Tests"), "no test names \(operation)")
        }
    }
}
