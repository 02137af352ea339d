import Testing

@Suite struct OperationTests {
    let tree = SourceTree.shared

    @Test func `Every S3 operation has a test file of its own`() {
        let operations = tree.names(in: "Sources/ObjectGateway/Operations").filter { $0.hasSuffix(".swift") }
        #expect(operations.count > 20)
        for file in operations {
            let test = "Tests/ObjectGatewayTests/Operations/\(file.dropLast(".swift".count))Tests.swift"
            #expect(tree.exists(test), "\(test) is missing")
        }
    }
}
