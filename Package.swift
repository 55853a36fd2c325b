// swift-tools-version: 6.2
import PackageDescription

// All our targets are checked to the same standard: Swift 6 mode (complete concurrency checking) and no warnings.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "stocktake",
    products: [
        .executable(name: "stocktake", targets: ["stocktake"]),
        .executable(name: "chaos", targets: ["ChaosCommand"]),
        .executable(name: "bench", targets: ["Bench"]),
    ],
    traits: [
        .trait(name: "TLS", description: "rediss:// URLs, through swift-nio-ssl (which compiles BoringSSL: minutes)."),
        .default(enabledTraits: ["TLS"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", exact: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", exact: "1.0.2", traits: []),
    ],
    // Shared libraries first, then the pipeline in the order of the data, then what reads, operates and serves it.
    targets: [
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(
            name: "CHiredis",
            providers: [.apt(["libhiredis-dev"])]
        ),
        .systemLibrary(
            name: "CCrypto",
            providers: [.apt(["libssl-dev"])]
        ),
        .target(name: "Cryptography", dependencies: ["CCrypto"], swiftSettings: strict),
        .target(name: "TextEncodings", swiftSettings: strict),
        .target(name: "Files", swiftSettings: strict),
        // Clocks, waiting, stopping, and work that must not run on Swift's cooperative threads.
        .target(
            name: "Concurrency", dependencies: nio, swiftSettings: strict),
        .target(name: "Spelling", swiftSettings: strict),
        .target(
            name: "RedisClient",
            dependencies: nio + [
                "CHiredis", "Concurrency", "Files", "TextEncodings", log,
                .product(
                    name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
            ],
            swiftSettings: strict
        ),
        .target(name: "StrictJSON", dependencies: ["TextEncodings"], swiftSettings: strict),
        .target(name: "Failpoints", swiftSettings: strict),
        .target(name: "Domain", dependencies: ["Cryptography", "Spelling"], swiftSettings: strict),
        .target(name: "RedisLayout", dependencies: ["Domain"], swiftSettings: strict),
        .target(name: "CatalogueFiles", dependencies: ["Domain", "Spelling", "StrictJSON"], swiftSettings: strict),
        .target(
            name: "LuaScripts",
            dependencies: ["RedisClient"],
            path: "lua",
            resources: [
                "gate", "acknowledge", "install", "snapshot", "trim", "stage", "group", "writable", "inspect", "tidy",
                "extent",
                "lost",
            ].map { .embedInCode("\($0).lua") },
            swiftSettings: strict
        ),
        .target(
            name: "Ingest",
            dependencies: [
                "Cryptography", "Domain", "LuaScripts", "RedisClient", "RedisLayout", "Spelling", "StrictJSON",
            ],
            swiftSettings: strict),
        .target(
            name: "Counters",
            dependencies: ["Domain", "Failpoints", "LuaScripts", "RedisClient", "RedisLayout"],
            swiftSettings: strict
        ),
        // The ports of a ledger, and the values recorded and read through them. Independent of any database and file.
        .target(name: "Ledger", dependencies: ["Domain", "TextEncodings"], swiftSettings: strict),
        .target(
            name: "SQLiteLedger",
            dependencies: [
                "Concurrency", "Domain", "Failpoints", "Files", "Ledger", "TextEncodings",
                .product(name: "GRDB", package: "GRDB.swift"),
                // SQLite's C functions, used on the path of every order.
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Consumer",
            dependencies: [
                "Concurrency", "Counters", "Cryptography", "Domain", "Failpoints", "Ingest", "Ledger", "RedisClient",
                "RedisLayout", log,
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Reconciliation",
            dependencies: [
                "Counters", "Domain", "Ledger", log,
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        // The metrics backend: keeps metrics in memory and exports them in Prometheus' format.
        .target(
            name: "Prometheus", dependencies: [.product(name: "Metrics", package: "swift-metrics")],
            swiftSettings: strict),
        // The state of a store, for its operator.
        .target(
            name: "Monitoring",
            dependencies: [
                "Concurrency", "Counters", "Domain", "Ledger", "Reconciliation", "RedisClient", "RedisLayout",
                "StrictJSON", .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        // Static files for browsers and clients: pages, badge, openapi.yaml. Embedded in the binary.
        .target(
            name: "WebAssets",
            resources: [
                "index.html", "page.css", "page.js", "badge.js", "operator.html", "operator.css", "operator.js",
                "openapi.yaml",
            ].map { .embedInCode($0) },
            swiftSettings: strict),
        .target(
            name: "AvailabilityAPI",
            dependencies: [
                "Concurrency", "Counters", "Domain", "Ledger", "RedisClient", "StrictJSON", "TextEncodings",
                "WebAssets", log,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // An operator's actions on a store: restore, adopt, drop, repair; and the private Redis.
        .target(
            name: "Operations",
            dependencies: [
                "Concurrency", "Consumer", "Counters", "Domain", "Failpoints", "Files", "Ingest", "Ledger",
                "Reconciliation", "RedisClient", "RedisLayout", "StrictJSON", log,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "stocktake",
            dependencies: [
                "AvailabilityAPI", "CatalogueFiles", "CMalloc", "Concurrency", "Consumer", "Counters", "Domain",
                "Files", "Ingest", "Ledger", "Monitoring", "Operations", "Prometheus", "Reconciliation", "RedisClient",
                "RedisLayout", "Spelling", "SQLiteLedger", "StrictJSON", "TextEncodings", log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // Tests: one folder per target, support for real servers, and end-to-end tests of the binary.
        .target(
            name: "TestSupport", dependencies: nio + ["RedisClient", "TextEncodings", log], path: "Tests/TestSupport",
            swiftSettings: strict),
        .target(name: "Randomness", dependencies: ["StrictJSON"], path: "Tests/Randomness", swiftSettings: strict),
        // A ledger in memory: the second implementation of the ledger's ports.
        .target(
            name: "MemoryLedger", dependencies: ["Concurrency", "Domain", "Ledger"], path: "Tests/MemoryLedger",
            swiftSettings: strict),
        // Redis in memory, behind the consumer's ports.
        .target(
            name: "MemoryRedis", dependencies: ["Concurrency", "Counters", "Domain", "Ingest", "RedisClient"],
            path: "Tests/MemoryRedis", swiftSettings: strict),
        .testTarget(name: "TextEncodingsTests", dependencies: ["TextEncodings"], swiftSettings: strict),
        .testTarget(name: "ConcurrencyTests", dependencies: ["Concurrency"], swiftSettings: strict),
        .testTarget(name: "SpellingTests", dependencies: ["Spelling"], swiftSettings: strict),
        .testTarget(name: "CryptographyTests", dependencies: ["Cryptography"], swiftSettings: strict),
        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "StrictJSONTests", dependencies: ["StrictJSON", "Randomness"], swiftSettings: strict),
        .testTarget(
            name: "CatalogueFilesTests", dependencies: ["CatalogueFiles", "Domain", "Randomness", "StrictJSON"],
            exclude: ["Corpus"], swiftSettings: strict),
        .testTarget(
            name: "DomainTests", dependencies: ["Cryptography", "Domain", "Randomness"],
            swiftSettings: strict),
        .testTarget(
            name: "RedisClientTests",
            dependencies: nio + ["Concurrency", "Files", "Randomness", "RedisClient", "TestSupport", log],
            exclude: ["Corpus"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IngestTests",
            dependencies: [
                "CatalogueFiles", "Counters", "Domain", "Ingest", "Randomness", "RedisClient", "RedisLayout",
                "StrictJSON", "TestSupport",
            ],
            exclude: ["Corpus"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CountersTests",
            dependencies: [
                "Counters", "Domain", "Ingest", "LuaScripts", "Randomness", "RedisClient", "RedisLayout", "TestSupport",
            ],
            swiftSettings: strict
        ),
        // Tests that every backend of the ledger must pass, and tests of the SQLite backend alone.
        .target(
            name: "LedgerSamples", dependencies: ["Domain", "Ledger"], path: "Tests/LedgerSamples",
            swiftSettings: strict),
        .testTarget(
            name: "LedgerTests",
            dependencies: [
                "Concurrency", "Domain", "Ledger", "LedgerSamples", "MemoryLedger", "Randomness", "SQLiteLedger",
                "TestSupport", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SQLiteLedgerTests",
            dependencies: [
                "Domain", "Ledger", "LedgerSamples", "SQLiteLedger", "TestSupport", "TextEncodings",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconciliationTests",
            dependencies: [
                "Counters", "Domain", "Ledger", "MemoryLedger", "Reconciliation", "RedisClient", "RedisLayout",
                "TestSupport", log,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "OperationsTests",
            dependencies: [
                "Counters", "Domain", "Ingest", "Ledger", "LedgerSamples", "MemoryLedger", "MemoryRedis", "Operations",
                "Reconciliation", "RedisClient", "RedisLayout", "TestSupport", log,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PrometheusTests",
            dependencies: ["Prometheus", .product(name: "Metrics", package: "swift-metrics")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "MonitoringTests",
            dependencies: [
                "Concurrency", "Consumer", "Counters", "Domain", "Ledger", "Monitoring", "Prometheus", "RedisClient",
                "RedisLayout", "SQLiteLedger", "StrictJSON", "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ConsumerTests",
            dependencies: [
                "Concurrency", "Consumer", "Counters", "Cryptography", "Domain", "Ingest", "Ledger", "MemoryLedger",
                "MemoryRedis", "Randomness", "RedisClient", "RedisLayout", "SQLiteLedger", "StrictJSON", "TestSupport",
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AvailabilityAPITests",
            dependencies: [
                "AvailabilityAPI", "Counters", "Domain", "Ledger", "MemoryLedger", "RedisClient", "RedisLayout",
                "StrictJSON", "TestSupport", log,
                .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        // Parts of the command line, without processes.
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "StrictJSON", "stocktake", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        // Compares the documentation with the code.
        .testTarget(name: "DocumentationTests", swiftSettings: strict),
        // Checks a model of the protocol with Spin; independent of the code.
        .testTarget(
            name: "ModelTests", dependencies: ["TestSupport"], exclude: ["protocol.pml"], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Counters", "Cryptography", "Domain", "Failpoints", "Ingest", "Ledger", "LuaScripts", "Randomness",
                "Reconciliation", "RedisClient", "RedisLayout", "SQLiteLedger", "stocktake", "StrictJSON",
                "TestSupport", "TextEncodings", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),

        // A shop with every fault that we can inject (scripts/chaos), and a short run of it among the tests.
        .target(
            name: "Chaos",
            dependencies: [
                "Domain", "Failpoints", "Randomness", "RedisClient", "RedisLayout", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Tests/Chaos",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "ChaosCommand",
            dependencies: ["Chaos", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/ChaosCommand",
            swiftSettings: strict
        ),
        .testTarget(name: "ChaosTests", dependencies: ["Chaos", "stocktake"], swiftSettings: strict),

        // Benchmarks of Stocktake and of comparable software (scripts/bench).
        .executableTarget(
            name: "Bench",
            dependencies: nio + [
                "Concurrency", "Consumer", "Counters", "Domain", "Ingest", "Ledger", "LedgerSamples", "Randomness",
                "RedisClient", "RedisLayout", "SQLiteLedger", "StrictJSON", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "Tests/Bench",
            swiftSettings: strict
        ),
    ]
)
