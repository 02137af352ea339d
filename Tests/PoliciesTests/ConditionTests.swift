import Bytes
import Testing

@testable import Policies

/// What AWS's documentation says of each operator, one line a case; the random cases of `ReferenceTests` say the rest.
@Suite struct ConditionTests {
    private func holds(
        _ comparison: ConditionOperator, _ values: [String], _ facts: [Fact]?,
        _ quantifier: Condition.Quantifier? = nil,
        ifExists: Bool = false
    ) throws -> Bool? {
        var all = Facts()
        all[.referer] = facts
        all[.username] = [.text(Array("a*n".utf8))]
        let condition = Condition(comparison, .referer, values, quantifier: quantifier, ifExists: ifExists)
        return try #require(CompiledCondition.compile(condition, version: .of2012)).holds(all)
    }

    private func text(_ texts: String...) -> [Fact] { texts.map { .text(Array($0.utf8)) } }

    @Test func `texts are compared byte for byte, and a star is a star unless the operator is Like`() throws {
        #expect(try holds(.stringEquals, ["a*"], text("a*")) == true)
        #expect(try holds(.stringEquals, ["a*"], text("ab")) == false)
        #expect(try holds(.stringLike, ["x", "a*"], text("ab")) == true)
        #expect(try holds(.stringNotLike, ["x", "a*"], text("ab")) == false)
        #expect(try holds(.stringEqualsIgnoreCase, ["AB"], text("aB")) == true)
    }

    @Test func `what a variable brings is literal, and so is an escaped wildcard`() throws {
        #expect(try holds(.stringLike, ["${aws:username}"], text("a*n")) == true)
        #expect(try holds(.stringLike, ["${aws:username}"], text("axn")) == false)
        #expect(try holds(.stringLike, ["${aws:username}/*"], text("a*n/x")) == true)
        #expect(try holds(.stringLike, ["a${*}b"], text("a*b")) == true)
        #expect(try holds(.stringLike, ["a${*}b"], text("axb")) == false)
        #expect(try holds(.stringEquals, ["${s3:prefix, 'none'}"], text("none")) == true)
    }

    @Test func `a variable without a value matches nothing, and what must differ from it cannot be told`() throws {
        #expect(try holds(.stringEquals, ["${s3:prefix}"], text("")) == false)
        #expect(try holds(.stringNotEquals, ["${s3:prefix}"], text("a")) == .some(nil))
        #expect(try holds(.stringNotEquals, ["${s3:prefix}", "a"], text("a")) == false)
    }

    @Test func `an absent key fails, but where the operator is negated or ends with IfExists`() throws {
        #expect(try holds(.stringEquals, ["a"], nil) == false)
        #expect(try holds(.stringNotEquals, ["a"], nil) == true)
        #expect(try holds(.stringEquals, ["a"], nil, ifExists: true) == true)
        #expect(try holds(.notIPAddress, ["10.0.0.1"], nil) == true)
        #expect(try holds(.null, ["true"], nil) == true)
        #expect(try holds(.null, ["true"], text("a")) == false)
        #expect(try holds(.null, ["false"], text("a")) == true)
    }

    @Test func `sets are judged as a whole or by one value`() throws {
        #expect(try holds(.stringEquals, ["a", "b"], text("a", "b"), .all) == true)
        #expect(try holds(.stringEquals, ["a", "b"], text("a", "c"), .all) == false)
        #expect(try holds(.stringEquals, ["a"], text("a", "c"), .any) == true)
        #expect(try holds(.stringEquals, ["a"], nil, .all) == true)
        #expect(try holds(.stringEquals, ["a"], nil, .any) == false)
        #expect(try holds(.stringNotEquals, ["a"], nil, .any) == false)
        #expect(try holds(.stringNotEquals, ["a"], text("a", "c"), .any) == true)
        #expect(try holds(.stringNotEquals, ["a"], text("a", "c"), .all) == false)
    }

    @Test func `numbers, dates, truth values and addresses are compared as what they are`() throws {
        #expect(try holds(.numericEquals, ["10.0"], [.number(10)]) == true)
        #expect(try holds(.numericLessThanEquals, ["10"], text("1e1")) == true)
        #expect(try holds(.numericNotEquals, ["10"], text("ten")) == true)
        #expect(try holds(.dateLessThan, ["2026-11-28T10:20:30+01:00"], text("2026-11-28T09:20:29.999Z")) == true)
        #expect(try holds(.dateEquals, ["2026"], text("2026-01-01T00:00:00Z")) == true)
        #expect(try holds(.dateGreaterThan, ["1700000000"], [.number(1_700_000_001)]) == true)
        #expect(try holds(.bool, ["TRUE"], [.flag(true)]) == true)
        #expect(try holds(.binaryEquals, ["YQ=="], text("YQ==")) == true)
        let address = try #require(IPAddress("::ffff:10.1.2.3"))
        #expect(try holds(.ipAddress, ["2001:db8::/32", "10.1.2.2/31"], [.address(address)]) == true)
        #expect(try holds(.notIPAddress, ["10.1.2.4/31"], [.address(address)]) == true)
        let six = try #require(IPAddress("2001:db8:1::1"))
        #expect(try holds(.ipAddress, ["2001:db8::/32"], [.address(six)]) == true)
        #expect(try holds(.ipAddress, ["0.0.0.0/0"], [.address(six)]) == false)
    }

    @Test func `a star of an ARN ends at the next colon, but for the last part`() throws {
        #expect(try holds(.arnLike, ["arn:aws:*:eu:1:q*"], text("arn:aws:sqs:eu:1:q:x")) == true)
        #expect(try holds(.arnLike, ["arn:aws:*:*:*:q"], text("arn:aws:sqs:eu:1:q:x")) == false)
        #expect(CompiledCondition.compile(Condition(.arnLike, .referer, ["arn:aws:*:1:q"]), version: .of2012) == nil)
        #expect(try holds(.arnNotLike, ["arn:aws:sqs:*:1:q"], text("arn:aws:sqs:eu:1:r")) == true)
        #expect(try holds(.arnEquals, ["*"], text("arn:aws:sqs:eu:1:q")) == true)
    }

    @Test func `the key of a tag counts as it is written, the rest of a key in any case`() {
        #expect(ConditionKey("S3:existingObjectTAG/Team") == .existingObjectTag(Array("Team".utf8)))
        #expect(ConditionKey("s3:ExistingObjectTag/team") != .existingObjectTag(Array("Team".utf8)))
    }

    @Test(arguments: [
        "2026-13", "2026-11-31", "2026-11-28T10", "2026-11-28T10:20", "2026-11-28T10:20:30",
        "2026-11-28T10:20:30+25:00", "x", "",
    ])
    func `a date that is none is not read`(text: String) { #expect(PolicyDate.parse(Array(text.utf8)) == nil) }
}
