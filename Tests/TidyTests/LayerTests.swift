import Testing

/// Each module imports only what Package.swift gives it, and knows only what stands above it there.
@Suite struct LayerTests {
    let tree = SourceTree.shared

    /// What the toolchain brings. Foundation is not in it: see below.
    private static let toolchain: Set = ["Glibc", "Synchronization", "_Builtin_intrinsics"]
    /// Modules off the path of every request may use the small Foundation, for JSON and dates.
    private static let mayUseFoundationEssentials: Set = ["JSON", "ogw", "ogw-media", "MediaSteps", "ObjectGateway"]

    @Test func `A module imports only the modules that Package swift names for it`() throws {
        let graph = try PackageGraph(try #require(tree.text("Package.swift")))
        #expect(graph.targets.count > 10)
        for file in tree.sources {
            guard let target = graph.targets[file.module] else { continue }
            for (number, imported) in file.imports
            where !Self.toolchain.contains(imported) && !imported.hasPrefix("Foundation") {
                #expect(
                    target.dependencies.contains(imported),
                    "\(file.path):\(number) imports \(imported), which Package.swift does not give to \(file.module)")
            }
        }
    }

    @Test func `Package swift names each module after all that it depends on`() throws {
        let graph = try PackageGraph(try #require(tree.text("Package.swift")))
        for (name, target) in graph.targets {
            for dependency in target.dependencies {
                guard let other = graph.targets[dependency] else { continue }
                #expect(other.place < target.place, "\(name) depends on \(dependency), which stands below it")
            }
        }
    }

    @Test func `Foundation stays out of the modules that every request passes`() {
        for file in tree.sources {
            for (number, imported) in file.imports where imported.hasPrefix("Foundation") {
                let allowed =
                    imported == "FoundationEssentials" && Self.mayUseFoundationEssentials.contains(file.module)
                #expect(allowed, "\(file.path):\(number) imports \(imported); use Bytes, Files and Glibc")
            }
        }
    }

    @Test func `Only the helper program links the image library`() throws {
        let graph = try PackageGraph(try #require(tree.text("Package.swift")))
        let decoders: Set = ["CVips", "CPoppler", "Vips", "MediaSteps"]
        let helper: Set = ["Vips", "MediaSteps", "ogw-media", "VipsTests", "MediaStepsTests"]
        for (name, target) in graph.targets where !helper.contains(name) {
            #expect(
                target.dependencies.isDisjoint(with: decoders),
                "\(name) must not depend on libvips: only ogw-media decodes foreign bytes")
        }
    }
}

/// The targets of Package.swift, read from its text: `module("Name", ["A", "B"])` and its kin.
struct PackageGraph {
    struct Target {
        /// Counted from the top of the manifest.
        let place: Int
        let dependencies: Set<String>
    }

    private(set) var targets: [String: Target] = [:]

    init(_ manifest: String) throws {
        guard let start = manifest.firstRange(of: "targets: [\n") else { return }
        var declarations: [String] = []
        for line in manifest[start.upperBound...].split(separator: "\n").map({ $0.drop { $0 == " " } }) {
            let begins = ["module(", "program(", "library(", "tests(", ".target("].contains { line.hasPrefix($0) }
            if begins {
                declarations.append(String(line))
            } else if !line.hasPrefix("//"), !declarations.isEmpty {
                declarations[declarations.count - 1] += line
            }
        }
        for (place, declaration) in declarations.enumerated() {
            let words = declaration.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
                .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
            guard let name = words.first else { continue }
            let isLibrary = declaration.hasPrefix("library(")
            targets[name] = Target(place: place, dependencies: isLibrary ? [] : Set(words.dropFirst()))
        }
    }
}

extension SourceTree.File {
    /// The line numbers and names of the modules that this file imports.
    var imports: [(Int, String)] {
        code.compactMap { number, text in
            let words = text.split(separator: " ")
            guard let place = words.firstIndex(of: "import"), place < words.count - 1,
                words[..<place].allSatisfy({
                    $0.hasPrefix("@") || ["public", "internal", "private", "package"].contains($0)
                })
            else { return nil }
            return (number, String(words[words.count - 1].split(separator: ".")[0]))
        }
    }
}
