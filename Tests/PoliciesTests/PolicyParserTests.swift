import Testing

@testable import Policies

@Suite struct PolicyParserTests {
    private func parse(_ text: String, _ use: PolicyDocument.Use = .bucket(Array("b1".utf8))) throws -> PolicyDocument {
        try PolicyDocument(parsing: Array(text.utf8), for: use)
    }

    private func statement(_ members: String) -> String {
        #"{"Version":"2012-10-17","Statement":[{\#(members)}]}"#
    }

    private func fault(_ text: String, _ use: PolicyDocument.Use = .bucket(Array("b1".utf8))) -> PolicyFault? {
        do {
            _ = try PolicyDocument(parsing: Array(text.utf8), for: use)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a policy is read with all its elements`() throws {
        let document = try parse(
            #"""
            {"Version": "2012-10-17", "Id": "p", "Statement": {"Sid": "s", "Effect": "Deny",
             "NotPrincipal": {"AWS": ["arn:aws:iam::000000000000:user/ann", "000000000000"], "CanonicalUser": "bob"},
             "NotAction": "s3:Get*", "NotResource": ["arn:aws:s3:::b1/a/*"],
             "Condition": {"ForAnyValue:StringLikeIfExists": {"AWS:UserAgent": ["a", "b"]}, "Bool": {"aws:SecureTransport": false}}}}
            """#)
        #expect(
            document
                == PolicyDocument(
                    id: "p",
                    statements: [
                        Statement(
                            sid: "s", effect: .deny, principals: .allBut([.user("ann"), .account, .user("bob")]),
                            actions: .allBut(["s3:Get*"]), resources: .allBut(["arn:aws:s3:::b1/a/*"]),
                            conditions: [
                                Condition(.stringLike, .userAgent, ["a", "b"], quantifier: .any, ifExists: true),
                                Condition(.bool, .secureTransport, ["false"]),
                            ])
                    ]))
    }

    @Test func `a user's policy has no principal and may speak of other services and buckets`() throws {
        let text = statement(
            #""Effect":"Allow","Action":["sqs:Send*","s3:*"],"Resource":["arn:aws:sqs:eu:1:q","arn:aws:s3:::b2/*","*"]"#
        )
        #expect(try parse(text, .user).statements[0].principals == nil)
        #expect(fault(text)?.message == "Missing required field Principal")
        let named = statement(#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*""#)
        #expect(fault(named, .user)?.message == "Policy document should not specify a principal.")
    }

    @Test(arguments: [
        ("", "Policies must be valid JSON and the first byte must be '{'", "byte 0"),
        ("[]", "Policies must be valid JSON and the first byte must be '{'", "byte 0"),
        (#"{"Statement": [}"#, "This policy contains invalid Json", "byte 15: expected a value"),
        (#"{"Statement":[],"Statement":[]}"#, "This policy contains invalid Json", "byte 16: a member named twice"),
        (#"{"Version":"2012-10-17"}"#, "Missing required field Statement", ""),
        (#"{"Version":"2013-10-17","Statement":[]}"#, "The policy must contain a valid version string", "Version"),
        (#"{"Version":5,"Statement":[]}"#, "The policy must contain a valid version string", "Version"),
        (#"{"Statement":[]}"#, "Could not parse the policy: Statement is empty!", "Statement"),
        (#"{"Statements":[]}"#, "Unknown field Statements", "Statements"),
        (#"{"Statement":[5]}"#, "Invalid policy syntax.", "Statement[0]"),
    ])
    func `a document that is none is refused with its place`(text: String, message: String, place: String) {
        #expect(fault(text)?.message == message)
        #expect(fault(text)?.place == place)
    }

    @Test(arguments: [
        (#""Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b1""#, "Missing required field Effect"),
        (#""Effect":"Maybe","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b1""#, "Invalid effect: Maybe"),
        (#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b1""#, "Missing required field Principal"),
        (
            #""Effect":"Allow","NotPrincipal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b1""#,
            "Allow with NotPrincipal is not allowed."
        ),
        (
            #""Effect":"Allow","Principal":"ann","Action":"s3:*","Resource":"arn:aws:s3:::b1""#,
            "Invalid principal in policy"
        ),
        (
            #""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ann"},"Action":"s3:*","Resource":"arn:aws:s3:::b1""#,
            "Invalid principal in policy"
        ),
        (
            #""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/a*"},"Action":"s3:*","Resource":"arn:aws:s3:::b1""#,
            "Invalid principal in policy"
        ),
        (
            #""Effect":"Allow","Principal":{},"Action":"s3:*","Resource":"arn:aws:s3:::b1""#,
            "Invalid principal in policy"
        ),
        (
            #""Effect":"Allow","Principal":"*","NotPrincipal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b1""#,
            "Statement can not have both Principal and NotPrincipal"
        ),
        (#""Effect":"Allow","Principal":"*","Resource":"arn:aws:s3:::b1""#, "Missing required field Action"),
        (
            #""Effect":"Allow","Principal":"*","Action":"s3:*","NotAction":"s3:*","Resource":"arn:aws:s3:::b1""#,
            "Statement can not have both Action and NotAction"
        ),
        (
            #""Effect":"Allow","Principal":"*","Action":"s3:Fetch","Resource":"arn:aws:s3:::b1""#,
            "Policy has invalid action"
        ),
        (
            #""Effect":"Allow","Principal":"*","Action":"GetObject","Resource":"arn:aws:s3:::b1""#,
            "Policy has invalid action"
        ),
        (
            #""Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:s3:::b1""#,
            "Policy has invalid action"
        ),
        (#""Effect":"Allow","Principal":"*","Action":[],"Resource":"arn:aws:s3:::b1""#, "Invalid policy syntax."),
        (#""Effect":"Allow","Principal":"*","Action":"s3:*""#, "Missing required field Resource"),
        (
            #""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b2/*""#,
            "Policy has invalid resource"
        ),
        (#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"b1/*""#, "Policy has invalid resource"),
        (
            #""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b1/${aws:username""#,
            "Policy has invalid resource"
        ),
        (
            #""Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b1""#,
            "Action does not apply to any resource(s) in statement"
        ),
        (
            #""Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b1/*""#,
            "Action does not apply to any resource(s) in statement"
        ),
    ])
    func `a statement that says too little or what cannot be is refused`(members: String, message: String) {
        let refused = fault(statement(members))
        #expect(refused?.message == message)
        #expect(refused?.place.hasPrefix("Statement[0]") == true)
    }

    @Test(arguments: [
        (#"{"StringEqual":{"aws:Referer":"a"}}"#, "Invalid Condition type : StringEqual"),
        (#"{"ForSome:StringEquals":{"aws:Referer":"a"}}"#, "Invalid Condition type : ForSome:StringEquals"),
        (#"{"NullIfExists":{"aws:Referer":"true"}}"#, "Invalid Condition type : NullIfExists"),
        (#"{"StringEquals":{"s3:Prefixes":"a"}}"#, "Policy has an invalid condition key"),
        (#"{"StringEquals":{"s3:ExistingObjectTag":"a"}}"#, "Policy has an invalid condition key"),
        (#"{"StringEquals":{"aws:Referer":[]}}"#, "Invalid policy syntax."),
        (#"{"StringEquals":{"aws:Referer":null}}"#, "Invalid policy syntax."),
        (#"{"NumericLessThan":{"s3:max-keys":"ten"}}"#, "Invalid value in Condition NumericLessThan: ten"),
        (#"{"NumericLessThan":{"s3:max-keys":"inf"}}"#, "Invalid value in Condition NumericLessThan: inf"),
        (#"{"DateLessThan":{"aws:CurrentTime":"2026-02-30"}}"#, "Invalid value in Condition DateLessThan: 2026-02-30"),
        (#"{"Bool":{"aws:SecureTransport":"yes"}}"#, "Invalid value in Condition Bool: yes"),
        (#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}"#, "Invalid value in Condition IpAddress: 10.0.0.0/33"),
        (#"{"BinaryEquals":{"aws:Referer":"!"}}"#, "Invalid value in Condition BinaryEquals: !"),
        (#"{"ArnLike":{"aws:PrincipalArn":"ann"}}"#, "Invalid value in Condition ArnLike: ann"),
        (#"{"StringLike":{"aws:Referer":"${aws:username"}}"#, "Invalid value in Condition StringLike: ${aws:username"),
        (#"[]"#, "Invalid policy syntax."),
    ])
    func `a condition that cannot be judged is refused`(condition: String, message: String) {
        let refused = fault(
            statement(
                #""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b1","Condition":\#(condition)"#
            ))
        #expect(refused?.message == message)
        #expect(refused?.place.hasPrefix("Statement[0].Condition") == true)
    }

    @Test func `two statements with one Sid are refused`() {
        let one = #"{"Sid":"s","Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b1"}"#
        #expect(fault(#"{"Statement":[\#(one),\#(one)]}"#)?.place == "Statement[1].Sid")
    }

    @Test func `a policy above 20 KiB and one nested too deep are refused`() {
        let long = statement(#""Effect":"Allow","Sid":"\#(String(repeating: "s", count: 20_480))""#)
        #expect(fault(long)?.message == "Normalized policy document exceeds the maximum allowed size of 20480 bytes.")
        let deep = #"{"Statement":"# + String(repeating: "[", count: 5_000)
        #expect(fault(deep)?.place.hasSuffix("nested too deep") == true)
    }

    @Test func `a long part with question marks is refused, for it is slow to look for`() {
        let resource = "arn:aws:s3:::b1/*" + String(repeating: "?a", count: 200)
        #expect(
            fault(statement(#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"\#(resource)""#))?.message
                == "Policy has invalid resource")
    }

    @Test func `every action has a name of S3, and is found by it`() {
        #expect(Action.getBucketCORS.name == "s3:GetBucketCORS")
        #expect(Action.allCases.allSatisfy { Action(name: $0.name.uppercased()) == $0 })
        #expect(Action.createBucket.kind == .bucket && Action.listAllMyBuckets.kind == .service)
        #expect(Action.replicateTags.kind == .object && Action.allCases.count <= 128)
    }
}
