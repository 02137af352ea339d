// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// A Debian library, seen through a module map and a shim header that holds only what Swift cannot import.
func library(_ name: String, pkgConfig: String? = nil, package: String? = nil) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: package.map { [.apt([$0])] })
}

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(
    _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, exclude: [String] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude, swiftSettings: settings)
}

let package = Package(
    name: "ObjectGateway",
    products: [
        .executable(name: "ogw", targets: ["ogw"]),
        .executable(name: "ogw-media", targets: ["ogw-media"]),
        // For LD_PRELOAD, by the crash harnesses.
        .library(name: "ogw-preload", type: .dynamic, targets: ["CPreload"]),
    ],
    targets: [
        // What Debian brings.
        library("CLinux"),
        library("COpenSSL", pkgConfig: "openssl", package: "libssl-dev"),
        library("CSQLite", pkgConfig: "sqlite3", package: "libsqlite3-dev"),
        library("CExpat", pkgConfig: "expat", package: "libexpat1-dev"),
        library("CCurl", pkgConfig: "libcurl", package: "libcurl4-openssl-dev"),
        library("CMongo", pkgConfig: "libmongoc-1.0", package: "libmongoc-dev"),
        library("CVips", pkgConfig: "vips", package: "libvips-dev"),
        library("CPoppler", pkgConfig: "poppler-glib", package: "libpoppler-glib-dev"),
        library("CZlib", pkgConfig: "zlib", package: "zlib1g-dev"),
        // Their pkg-config files say more than the compiler may be told.
        library("CHiredis", package: "libhiredis-dev"),
        library("CNATS", package: "libnats-dev"),
        library("CRabbitMQ", package: "librabbitmq-dev"),
        library("CKafka", package: "librdkafka-dev"),
        library("CSandbox"),
        .target(name: "CDigests"),
        .target(name: "CPageChecks", dependencies: ["CSQLite", "CDigests"]),

        // Each module knows only what stands above it.
        module("Bytes"),
        module("JSON", ["Bytes"]),
        module("Search", ["Bytes"]),
        module("Policies", ["Bytes", "JSON"]),
        module("Threads", ["CLinux"]),
        module("Files", ["CLinux", "Bytes"]),
        module("Digests", ["CDigests", "COpenSSL", "Bytes"]),
        module("XML", ["CExpat", "Bytes"]),
        module("RedoLog", ["Bytes", "Threads", "Files", "Digests"]),
        module("SQLite", ["CSQLite", "CPageChecks", "Bytes"]),
        module("Mongo", ["CMongo", "Bytes", "Threads"]),
        module("HTTPClient", ["CCurl", "Bytes", "Threads", "Files"]),
        module("HTTPServer", ["CLinux", "COpenSSL", "Bytes", "Threads", "Files"]),
        module("SigV4", ["Bytes", "Threads", "Digests", "HTTPServer"]),
        module("Metadata", ["Bytes", "Search", "Threads", "Files", "SQLite", "Mongo", "Digests", "RedoLog"]),
        module(
            "Buckets",
            ["CLinux", "Bytes", "Threads", "Files", "Digests", "XML", "RedoLog", "HTTPClient", "SigV4", "Metadata"]),
        module("Hooks", ["Bytes", "JSON", "Threads", "Metadata"]),
        module("Addons", ["Bytes", "JSON", "Threads", "Digests", "HTTPClient", "Metadata", "Hooks"]),
        module("Worker", ["Bytes", "JSON", "Threads", "Files", "Digests", "HTTPClient", "Hooks", "Addons"]),
        module(
            "Targets",
            [
                "CHiredis", "CNATS", "CRabbitMQ", "CKafka", "Bytes", "JSON", "Threads", "Digests", "HTTPClient",
                "Metadata",
                "Hooks",
            ]),
        module(
            "ObjectGateway",
            [
                "Bytes", "JSON", "Search", "Policies", "Threads", "Files", "Digests", "XML", "HTTPClient", "HTTPServer",
                "SigV4", "Metadata", "Buckets", "Hooks", "Targets", "Addons",
            ]),
        program(
            "ogw",
            [
                "ObjectGateway", "Bytes", "JSON", "Threads", "Files", "Digests", "HTTPServer", "SigV4", "Metadata",
                "Buckets",
                "Hooks", "Worker", "Mongo", "HTTPClient",
            ]),

        // Foreign bytes are decoded here, apart from the gateway.
        module("Vips", ["CVips"]),
        module("MediaSteps", ["Vips", "CPoppler", "CZlib", "Bytes", "Threads"]),
        program("ogw-media", ["CSandbox", "Vips", "MediaSteps"]),

        .target(
            name: "LoadClient", dependencies: ["Bytes", "Threads", "SigV4"], path: "Tests/LoadClient",
            swiftSettings: settings),
        program(
            "ogw-bench",
            [
                "CLinux", "Bytes", "Search", "Threads", "Files", "Digests", "Mongo", "SigV4", "Metadata", "Buckets",
                "Hooks", "LoadClient",
            ],
            path: "Benchmarks"),

        .target(
            name: "TestSupport", dependencies: ["Bytes", "Threads"], path: "Tests/TestSupport", swiftSettings: settings),
        .target(
            name: "TestMongo", dependencies: ["Threads", "Mongo", "TestSupport"], path: "Tests/TestMongo",
            swiftSettings: settings),
        .target(
            name: "SimulatedDisk", dependencies: ["Threads", "Files"], path: "Tests/SimulatedDisk",
            swiftSettings: settings),
        program(
            "ogw-fuzz",
            [
                "SimulatedDisk", "Bytes", "Search", "Policies", "Files", "Digests", "XML", "RedoLog", "HTTPServer",
                "SigV4",
                "Metadata", "Buckets", "Addons", "ObjectGateway",
            ], path: "Fuzz", exclude: ["Corpus"]),
        .target(
            name: "StoreSimulator",
            dependencies: [
                "SimulatedDisk", "Buckets", "Metadata", "RedoLog", "SQLite", "Digests", "Files", "Threads", "Bytes",
            ],
            path: "Tests/StoreSimulator", swiftSettings: settings),
        program("ogw-sim", ["StoreSimulator"], path: "Tests/Simulator"),
        tests("StoreSimulatorTests", ["StoreSimulator"]),
        // The crash harnesses: what a store may do is checked apart from the programs that make it crash.
        .target(name: "CExt4", path: "Tests/CExt4"),
        .target(name: "CPreload", path: "Tests/CPreload"),
        .target(name: "CrashHistory", path: "Tests/CrashHistory", swiftSettings: settings),
        program(
            "ogw-crash",
            ["CExt4", "CrashHistory", "LoadClient", "TestSupport", "Bytes", "Threads", "Digests", "XML", "SQLite"],
            path: "Tests/Crash"),
        tests("BytesTests", ["Bytes"]),
        tests("JSONTests", ["JSON", "Bytes"]),
        tests("SearchTests", ["Search", "Bytes"]),
        tests("PoliciesTests", ["Policies", "SimulatedDisk", "JSON", "Bytes"]),
        tests("ThreadsTests", ["Threads"]),
        tests("FilesTests", ["Files"]),
        tests("SimulatedDiskTests", ["SimulatedDisk", "Files"]),
        tests("DigestsTests", ["Digests", "CDigests", "Bytes"]),
        tests("XMLTests", ["XML"]),
        tests("RedoLogTests", ["RedoLog", "Files", "Digests", "Bytes"]),
        tests("SQLiteTests", ["SQLite", "Files"]),
        tests("MongoTests", ["Mongo", "TestMongo"]),
        tests("VipsTests", ["Vips"]),
        tests("MediaStepsTests", ["MediaSteps", "Vips", "ogw-media"]),
        tests("HTTPClientTests", ["HTTPClient", "HTTPServer", "Bytes", "Threads", "Files"]),
        tests("HTTPServerTests", ["HTTPServer", "Bytes", "Threads", "Files"]),
        tests("SigV4Tests", ["SigV4", "HTTPServer", "Bytes", "Digests"]),
        tests(
            "MetadataTests",
            ["Metadata", "Search", "SQLite", "Mongo", "TestMongo", "RedoLog", "Digests", "Files", "Threads", "Bytes"],
            exclude: ["Fixtures"]),
        tests(
            "BucketsTests",
            [
                "Buckets", "Metadata", "RedoLog", "HTTPClient", "SimulatedDisk", "Digests", "Files", "Threads", "Bytes",
            ]),
        tests("HooksTests", ["Hooks", "JSON", "Metadata", "TestMongo", "Files", "Threads", "Bytes"]),
        tests("AddonsTests", ["Addons", "HTTPClient", "JSON", "Digests", "Threads", "Bytes"]),
        tests(
            "TargetsTests",
            [
                "Targets", "CKafka", "CNATS", "CRabbitMQ", "Hooks", "JSON", "HTTPClient", "Metadata", "TestMongo",
                "Digests", "Files", "Threads", "Bytes",
            ]),
        tests(
            "ObjectGatewayTests",
            [
                "ObjectGateway", "JSON", "HTTPServer", "HTTPClient", "SigV4", "Search", "Policies", "Metadata",
                "TestMongo",
                "Buckets", "Hooks", "Targets", "Addons", "Worker", "XML", "Digests", "Bytes", "Files", "Threads",
                "ogw-media",
            ]),
        tests("CrashTests", ["CrashHistory", "LoadClient", "ogw-crash"]),
        tests("EndToEnd", ["Bytes", "JSON", "Files", "TestMongo"], exclude: ["Clients"]),
        tests("TidyTests", ["ObjectGateway"]),
    ]
)
