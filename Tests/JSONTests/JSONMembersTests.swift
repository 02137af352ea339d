import JSON
import TestSupport
import Testing

@Suite struct JSONMembersTests {
    private func members(_ text: String, secrets: Set<String> = []) throws -> JSONMembers {
        let value = try #require(JSONValue(parsing: Array(text.utf8)))
        return try JSONMembers(value, of: ["a", "b"], at: "root", secrets: secrets)
    }

    @Test func `a member that is null counts as absent`() throws {
        let object = try members(#"{"a": null, "b": 1}"#)
        #expect(!object.has("a") && object.names == ["b"])
        #expect(try object.text("a", wanted: "a text") == nil)
    }

    @Test(arguments: [
        (#"{"c": 1}"#, "root.c: wanted no such member, only those among a, b"),
        (#"[]"#, "root: wanted an object with members among a, b"),
    ])
    func `what is no such object is refused with its path`(text: String, expected: String) throws {
        #expect(throws: JSONFault.self) { try members(text) }
        do { _ = try members(text) } catch let fault as JSONFault { #expect(fault.description == expected) }
    }

    @Test func `the value of a secret is not in the fault`() throws {
        let object = try members(#"{"a": "hush", "b": "loud"}"#, secrets: ["a"])
        #expect(!object.fault("a", wanted: "more").description.contains("hush"))
        #expect(object.fault("b", wanted: "more").description == #"root.b is "loud": wanted more"#)
    }

    @Test func `numbers are held to their range`() throws {
        let object = try members(#"{"a": 5, "b": 1.5}"#)
        #expect(try object.integer("a", in: 1...5) == 5)
        #expect(throws: JSONFault.self) { try object.integer("a", in: 1...4) }
        #expect(throws: JSONFault.self) { try object.integer("b", in: 1...4) }
        #expect(try object.number("b", in: 1...2) == 1.5)
        #expect(try object.number("a", in: 1...5) == 5)
    }

    @Test func `texts are one or a list, each with its path`() throws {
        let object = try members(#"{"a": "one", "b": ["x", "y"]}"#)
        #expect(try object.texts("a", countMax: 2, wanted: "texts").map(\.path) == ["root.a"])
        #expect(try object.texts("b", countMax: 2, wanted: "texts").map(\.path) == ["root.b[0]", "root.b[1]"])
        #expect(throws: JSONFault.self) { try object.texts("b", countMax: 1, wanted: "texts") }
    }
}
