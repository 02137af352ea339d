import Bytes
import Hooks
import JSON
import Metadata
import TestSupport
import Testing

@Suite struct HookConfigurationTests {
    /// The example of the product's description.
    static let example = """
        {
          "presets": {
            "square": {"ratio": "1:1",  "width": 1080, "crop": "smart", "format": "jpeg", "quality": 95},
            "story":  {"ratio": "9:16", "width": 1080, "crop": "smart", "format": "jpeg", "quality": 95},
            "wide":   {"ratio": "16:9", "width": 1920, "crop": "smart", "format": "jpeg", "quality": 95}
          },
          "hooks": [{
            "name": "publish-photo",
            "on": ["object.created"],
            "when": {"prefix": "uploads/", "mime": "image/*"},
            "steps": {
              "mark":  {"watermark": {"logo": "s3://image-assets/brand/logo.png", "scale": 0.2, "at": "top-right", "padding": 10}},
              "sizes": {"variants": ["square", "story", "wide"], "after": "mark"},
              "faces": {"addon": "face-recognition", "save": "metadata.custom.faces", "timeout": "30s"},
              "ship":  {"deliver": {"url": "https://central.example/upload-final"}, "after": "mark", "timeout": "15s",
                        "retry": {"attempts": 6, "backoff": {"kind": "linear", "base": "10s"}}}
            },
            "notify": ["webhook:cms", "redis:assets"]
          }]
        }
        """

    private func configuration(_ text: String) throws -> HookConfiguration {
        try HookConfiguration(parsing: Array(text.utf8))
    }

    private func fault(_ text: String) -> String? {
        do {
            _ = try HookConfiguration(parsing: Array(text.utf8))
            return nil
        } catch {
            return error.description
        }
    }

    private func hook(_ members: String) -> String {
        #"{"presets": {"square": {"width": 100}}, "hooks": [{"name": "h", "on": "object.created", \#(members)}]}"#
    }

    @Test func `the example of the product is read as it is meant`() throws {
        let found = try configuration(Self.example)
        #expect(found.presets.count == 3 && found.presets["story"]?.ratio?.height == 16)
        let hook = try #require(found.hooks.first)
        #expect(hook.events.count == 4 && hook.notify == ["webhook:cms", "redis:assets"])
        #expect(hook.steps.map(\.name) == ["faces", "mark", "ship", "sizes"])
        let ship = try #require(hook.steps.first { $0.name == "ship" })
        #expect(ship.timeout == .seconds(15) && ship.after == "mark")
        #expect(
            (1...6).map { ship.retry.wait(after: $0, random: 0.9) }
                == [.seconds(10), .seconds(20), .seconds(30), .seconds(40), .seconds(50), nil])
        guard case .addon("face-recognition", let save) = try #require(hook.steps.first).action else {
            Issue.record("no addon")
            return
        }
        #expect(save == ["custom", "faces"] || save == ["faces"])
    }

    @Test(arguments: [
        (#""steps": {}"#, "hooks[0].steps: wanted at least one step"),
        (#""steps": {"a": {"blur": true}}"#, "hooks[0].steps.a.blur: wanted no such member"),
        (#""steps": {"a": {}}"#, "hooks[0].steps.a: wanted exactly one of watermark"),
        (#""steps": {"a": {"probe": true, "tag": {"x": "y"}}}"#, "hooks[0].steps.a: wanted exactly one of"),
        (
            #""steps": {"a": {"variants": ["round"]}}"#,
            #"hooks[0].steps.a.variants[0] is "round": wanted the name of one"#
        ),
        (#""steps": {"a": {"variants": "round"}}"#, #"hooks[0].steps.a.variants is "round": wanted the name of one"#),
        (
            #""steps": {"a": {"probe": true, "after": "b"}}"#,
            #"hooks[0].steps.a.after is "b": wanted the name of a step"#
        ),
        (
            #""steps": {"a": {"variants": "square", "after": "b"}, "b": {"variants": "square", "after": "a"}}"#,
            #"hooks[0].steps.a.after is "b": wanted no cycle: a after b after a"#
        ),
        (
            #""steps": {"a": {"variants": "square", "after": "a"}}"#,
            #"hooks[0].steps.a.after is "a": wanted no cycle: a after a"#
        ),
        (
            #""steps": {"a": {"probe": true}, "b": {"variants": "square", "after": "a"}}"#,
            #"hooks[0].steps.b.after is "a": wanted a step that makes files"#
        ),
        (
            #""steps": {"a": {"deliver": "ftp://host/"}}"#,
            #"hooks[0].steps.a.deliver is "ftp://host/": wanted an absolute"#
        ),
        (#""steps": {"a": {"deliver": {"url": "http://u:p@host/"}}}"#, "hooks[0].steps.a.deliver.url is"),
        (#""steps": {"a": {"deliver": {"url": "http://host:99999/"}}}"#, "hooks[0].steps.a.deliver.url is"),
        (#""steps": {"a": {"watermark": {}}}"#, "hooks[0].steps.a.watermark.logo: wanted either a logo or a text"),
        (
            #""steps": {"a": {"watermark": {"logo": "s3://x"}}}"#,
            #"hooks[0].steps.a.watermark.logo is "s3://x": wanted an addr"#
        ),
        (
            #""steps": {"a": {"watermark": {"text": "T", "scale": 2}}}"#,
            #"hooks[0].steps.a.watermark.scale is "2": wanted a n"#
        ),
        (
            #""steps": {"a": {"probe": true, "timeout": "5 years"}}"#,
            #"hooks[0].steps.a.timeout is "5 years": wanted a dura"#
        ),
        (#""steps": {"a": {"probe": true, "save": "x"}}"#, "hooks[0].steps.a.save is \"x\": wanted no such member"),
        (#""steps": {"a": {"addon": "x", "save": "metadata"}}"#, "hooks[0].steps.a.save is"),
        (
            #""steps": {"a": {"probe": true, "retry": {"attempts": 0}}}"#,
            #"hooks[0].steps.a.retry.attempts is "0": wanted a whole number from 1 to 100"#
        ),
        (#""notify": "pigeon:x""#, #"hooks[0].notify is "pigeon:x": wanted a target such as"#),
        (#""notify": "redis:x", "when": {"mime": "image"}"#, #"hooks[0].when.mime is "image": wanted a content type"#),
        (#""notify": "redis:x", "when": {"size": {"min": 2, "max": 1}}"#, "hooks[0].when.size.max"),
        (#""notify": "redis:x", "when": {"prefx": "a"}"#, "hooks[0].when.prefx: wanted no such member"),
        (#""notify": "redis:x", "rate": "10""#, #"hooks[0].rate is "10": wanted a rate"#),
        (#""notify": "redis:x", "schedule": "* * * * *""#, "hooks[0].schedule is"),
        (#""notify": "redis:x", "output": {"key": "{bucket}/fixed"}"#, "hooks[0].output.key is"),
        (#""notify": "redis:x", "output": {"key": "{name"}"#, "hooks[0].output.key is"),
    ])
    func `a fault names the path, the value and what was wanted`(members: String, expected: String) throws {
        let text = try #require(fault(hook(members)), "\(members) was accepted")
        #expect(text.hasPrefix(expected), "\(text)")
    }

    @Test func `names are held to their form and stand once`() {
        #expect(
            fault(#"{"hooks": [{"name": "a b", "on": "object.created", "notify": "redis:x"}]}"#)?
                .hasPrefix(#"hooks[0].name is "a b": wanted a name"#) == true)
        let twice = #"{"name": "a", "on": "object.created", "notify": "redis:x"}"#
        #expect(
            fault("{\"hooks\": [\(twice), \(twice)]}")?.hasPrefix(#"hooks[1].name is "a": wanted a name that no"#)
                == true)
        #expect(fault(#"{"presets": {"a/b": {"width": 1}}}"#)?.hasPrefix("presets.a/b: wanted a name") == true)
        #expect(fault(#"{"on_demand": ["x"]}"#)?.hasPrefix(#"on_demand[0] is "x": wanted the name of one"#) == true)
    }

    @Test func `where no object is left only steps that need none are taken`() {
        let removed = #"{"hooks": [{"name": "h", "on": "object.removed", "steps": {"a": {"probe": true}}}]}"#
        #expect(fault(removed)?.hasPrefix(#"hooks[0].steps.a is "probe": wanted only addon and deliver steps"#) == true)
    }

    @Test func `a document that is too long or too deep is refused`() {
        #expect(
            fault(String(repeating: " ", count: HookConfiguration.sizeMax + 1))?.contains("at most 256 KiB") == true)
        #expect(fault(String(repeating: "[", count: 100_000)) == "the document: wanted JSON")
    }

    @Test func `what is not registered is refused, and files that would set off their own hook`() throws {
        let found = try configuration(Self.example)
        let bucket = try #require(BucketName("image-assets".utf8))
        func fault(_ addons: Set<String>, _ targets: Set<String>, _ bucket: BucketName) -> JSONFault? {
            do {
                try found.check(within: .init(bucket: bucket, addons: addons, targets: targets))
                return nil
            } catch { return error }
        }
        #expect(fault(["face-recognition"], ["webhook:cms", "redis:assets"], bucket) == nil)
        #expect(fault([], ["webhook:cms", "redis:assets"], bucket)?.path == "hooks[0].steps.faces.addon")
        #expect(fault(["face-recognition"], ["webhook:cms"], bucket)?.path == "hooks[0].notify[1]")
        let own = try configuration(hook(#""steps": {"a": {"variants": "square"}}"#))
        let derived = try #require(BucketName("derived-assets".utf8))
        do {
            try own.check(within: .init(bucket: derived, addons: [], targets: []))
            Issue.record("accepted")
        } catch { #expect(error.path == "hooks[0].output.bucket") }
    }
}
