import Testing

@testable import Policies

/// Policies for tests, as texts.
enum Scenes {
    static func bucketPolicy(_ statements: String...) throws -> CompiledPolicy {
        let text = #"{"Version":"2012-10-17","Statement":[\#(statements.joined(separator: ","))]}"#
        return try #require(
            CompiledPolicy(try PolicyDocument(parsing: Array(text.utf8), for: .bucket(Array("b1".utf8)))))
    }

    static func userPolicy(_ statements: String...) throws -> CompiledPolicy {
        let text = #"{"Version":"2012-10-17","Statement":[\#(statements.joined(separator: ","))]}"#
        return try #require(CompiledPolicy(try PolicyDocument(parsing: Array(text.utf8), for: .user)))
    }

    static func statement(
        _ effect: String = "Allow", principal: String = #""*""#, action: String = "s3:GetObject",
        resource: String = "arn:aws:s3:::b1/*",
        condition: String = "{}"
    ) -> String {
        #"{"Effect":"\#(effect)","Principal":\#(principal),"Action":"\#(action)","Resource":"\#(resource)","Condition":\#(condition)}"#
    }

    static func request(
        _ caller: PolicyCaller = .anonymous, _ action: Action = .getObject, key: String? = "k",
        _ facts: [ConditionKey: [Fact]] = [:]
    ) -> PolicyRequest {
        var all = Facts()
        for (key, values) in facts { all[key] = values }
        return PolicyRequest(
            caller: caller, action: action, bucket: Array("b1".utf8), key: key.map { Array($0.utf8) }, facts: all)
    }
}
