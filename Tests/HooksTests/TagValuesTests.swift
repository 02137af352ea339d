import Hooks
import JSON
import Metadata
import Testing

@Suite struct TagValuesTests {
    private func tag(_ key: String, _ value: String) -> Metadata.Tag {
        Metadata.Tag(key: Array(key.utf8), value: Array(value.utf8))
    }

    @Test func `what steps found stands in place of its name`() {
        let results: [String: JSONValue] = [
            "look": ["dominant_colour": "#506e16", "dimensions": ["width": .integer(4000)], "alpha": .bool(false)]
        ]
        let filled = TagValues.fill(
            [
                tag("colour", "{look.dominant_colour}"), tag("size", "w={look.dimensions.width}"),
                tag("alpha", "{look.alpha}"), tag("plain", "as it is"), tag("none", "x{look.missing}{other.thing}y"),
                tag("object", "{look.dimensions}"),
            ], from: results)
        // AWS takes no # in a tag.
        #expect(
            filled == [
                tag("colour", "506e16"), tag("size", "w=4000"), tag("alpha", "false"), tag("plain", "as it is"),
                tag("none", "xy"), tag("object", ""),
            ])
    }

    @Test func `a value is cut at 256 characters`() {
        let results: [String: JSONValue] = ["a": ["t": .string(String(repeating: "é", count: 300))]]
        let filled = TagValues.fill([tag("k", "{a.t}")], from: results)
        #expect(String(decoding: filled[0].value, as: UTF8.self) == String(repeating: "é", count: 256))
    }

    @Test func `new tags take the place of those of the same keys, and the others stay`() {
        let merged = [tag("a", "1"), tag("b", "1")].laidOver(by: [tag("a", "2"), tag("c", "3")])
        #expect(merged == [tag("b", "1"), tag("a", "2"), tag("c", "3")])
    }
}
