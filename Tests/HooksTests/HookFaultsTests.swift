import JSON
import Metadata
import Testing

@testable import Hooks

@Suite struct HookFaultsTests {
    private static func faults(_ text: String, bucket: String = "photos") throws -> [String] {
        let document = try #require(JSONValue(parsing: Array(text.utf8)))
        let surroundings = HookConfiguration.Surroundings(
            bucket: try #require(BucketName(bucket.utf8)), addons: ["known"], targets: ["webhook:known"])
        return HookFaults.all(in: document, within: surroundings).map { fault in
            "\(fault.path)\(fault.value.map { "=\($0)" } ?? "")"
        }
    }

    @Test func `hooks that can be used have no fault`() throws {
        #expect(
            try Self.faults(
                #"""
                {"presets": {"p": {"width": 10}}, "on_demand": ["p"],
                 "hooks": [{"name": "h", "on": "object.created", "notify": ["webhook:known"],
                            "steps": {"a": {"variants": ["p"]}, "b": {"addon": "known", "after": "a"}}}]}
                """#) == [])
    }

    @Test func `faults that have nothing to do with each other are all found, each with its place and value`() throws {
        let found = try Self.faults(
            #"""
            {"presets": {"p": {"width": 0, "quality": 101}, "q": {}},
             "hooks": [
               {"name": "bad name", "on": ["object.created", "object.eaten", "object.drunk"],
                "priority": 1000, "rate": "often", "unique": "always",
                "steps": {"a": {"variants": ["p", "nobody"], "timeout": "long"},
                          "b": {"deliver": "ftp://x", "after": "a", "retry": {"attempts": 0}},
                          "c": {"after": "b"}}},
               {"name": "second", "on": "never", "notify": ["pigeon:x", "webhook:unknown"],
                "steps": {"a": {"addon": "unknown"}}}]}
            """#)
        #expect(
            Set(found) == [
                "presets.p.width=0", "presets.p.quality=101", "presets.q.width", "hooks[0].name=bad name",
                "hooks[0].on[1]=object.eaten", "hooks[0].on[2]=object.drunk", "hooks[0].priority=1000",
                "hooks[0].rate=often", "hooks[0].unique=always", "hooks[0].steps.a.variants[1]=nobody",
                "hooks[0].steps.a.timeout=long",
                "hooks[0].steps.b.deliver=ftp://x", "hooks[0].steps.b.retry.attempts=0", "hooks[0].steps.c",
                "hooks[1].on=never", "hooks[1].notify[0]=pigeon:x", "hooks[1].notify[1]=webhook:unknown",
                "hooks[1].steps.a.addon=unknown",
            ])
        #expect(found.count == 18)
    }

    @Test func `what a fault leaves behind is no fault of its own`() throws {
        // Without its step, b would run after nothing; without its name, a hook would have none.
        #expect(
            try Self.faults(
                #"""
                {"hooks": [{"name": "h", "on": "object.created",
                            "steps": {"a": {"frobnicate": 1}, "b": {"watermark": {}, "after": "a"}}},
                           {"name": "h", "on": "object.created", "steps": {"a": {"probe": true}}}]}
                """#) == ["hooks[0].steps.a.frobnicate", "hooks[0].steps.b.watermark.logo", "hooks[1].name=h"])
    }

    @Test(arguments: [
        ("[]", [""]), ("7", [""]), ("{}", []), (#"{"hooks": {}}"#, ["hooks"]), (#"{"hoks": []}"#, ["hoks"]),
        (#"{"hooks": [1, "x", null]}"#, ["hooks[0]", "hooks[1]", "hooks[2]"]), (#"{"hooks": [[]]}"#, ["hooks[0]"]),
        (#"{"presets": {"a.b": 1, "a": {"b": 1}}}"#, ["presets.a.b"]),
    ])
    func `documents of any form have an end of their faults`(text: String, expected: [String]) throws {
        #expect(try Self.faults(text) == expected)
    }

    @Test func `a document with more faults than anybody reads gives the first hundred`() throws {
        let events = Array(repeating: #""never""#, count: 50).joined(separator: ", ")
        let hooks = (0..<10).map { #"{"name": "h\#($0)", "on": [\#(events)], "steps": {"a": {"probe": true}}}"# }
        let found = try Self.faults(#"{"hooks": [\#(hooks.joined(separator: ", "))]}"#)
        #expect(found.count == 100 && Set(found).count == 100)
    }
}
