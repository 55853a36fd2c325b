// swift-tools-version: 6.2
import PackageDescription

// Every target of ours is checked to the same standard: Swift 6 mode (complete concurrency checking) and no warnings.
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
    // In the order of the data's way.
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
        .target(
            name: "RedisClient",
            dependencies: nio + [
                "CHiredis", "Files", "TextEncodings",
                log,
                .product(
                    name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
            ],
            swiftSettings: strict
        ),
        .target(name: "StrictJSON", dependencies: ["TextEncodings"], swiftSettings: strict),
        .target(name: "Failpoints", swiftSettings: strict),
        .target(name: "Domain", dependencies: ["Cryptography", "StrictJSON"], swiftSettings: strict),
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
            name: "Ingest", dependencies: ["Cryptography", "Domain", "LuaScripts", "RedisClient", "StrictJSON"],
            swiftSettings: strict),
        .target(
            name: "Counters",
            dependencies: ["Failpoints", "Domain", "LuaScripts", "RedisClient"],
            swiftSettings: strict
        ),
        // The ports of a ledger, and what is recorded and read through them. Knows of no database and no file.
        .target(name: "Ledger", dependencies: ["Domain"], swiftSettings: strict),
        .target(
            name: "SQLiteLedger",
            dependencies: [
                "Failpoints", "Domain", "Ledger", "Files", "TextEncodings",
                .product(name: "GRDB", package: "GRDB.swift"),
                // SQLite's own functions, for the way of every order.
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Consumer",
            dependencies: [
                "Counters", "Cryptography", "Failpoints", "Ingest", "Domain", "Ledger", "Files", "RedisClient", log,
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Reconciliation",
            dependencies: [
                "Counters", "Domain", "Ledger", "RedisClient", log,
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        // What metrics go to: kept in memory, told as Prometheus reads it.
        .target(
            name: "Prometheus", dependencies: [.product(name: "Metrics", package: "swift-metrics")],
            swiftSettings: strict),
        // How the store fares: for its operator.
        .target(
            name: "Monitoring",
            dependencies: [
                "Consumer", "Counters", "Domain", "Ledger", "Reconciliation", "RedisClient", "StrictJSON",
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        // What browsers and clients are given as it is: pages, badge, openapi.yaml. Embedded in the binary.
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
                "Counters", "Domain", "Ledger", "WebAssets", "RedisClient", "StrictJSON", "TextEncodings", log,
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
        // What an operator does to a store: restore, adopt, drop, repair; the private Redis.
        .target(
            name: "Operations",
            dependencies: [
                "Consumer", "Counters", "Failpoints", "Ingest", "Domain", "Ledger", "Files", "Reconciliation",
                "RedisClient", "StrictJSON",
                log,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "stocktake",
            dependencies: [
                "AvailabilityAPI", "CMalloc", "Consumer", "Counters", "Prometheus", "Failpoints", "Ingest", "Domain",
                "Ledger", "Monitoring", "Operations", "Files", "Reconciliation", "RedisClient", "SQLiteLedger",
                "StrictJSON", "TextEncodings", log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // Tests: a folder per target, support for real servers, and the binary end to end.
        .target(
            name: "TestSupport", dependencies: nio + ["RedisClient", "TextEncodings", log], path: "Tests/TestSupport",
            swiftSettings: strict),
        .target(name: "Randomness", dependencies: ["StrictJSON"], path: "Tests/Randomness", swiftSettings: strict),
        // A ledger in memory: the second implementation of its ports.
        .target(
            name: "MemoryLedger", dependencies: ["Domain", "Ledger"], path: "Tests/MemoryLedger",
            swiftSettings: strict),
        // Redis in memory, as the consumer's ports show it.
        .target(
            name: "MemoryRedis", dependencies: ["Counters", "Ingest", "Domain", "RedisClient"],
            path: "Tests/MemoryRedis", swiftSettings: strict),
        .testTarget(name: "TextEncodingsTests", dependencies: ["TextEncodings"], swiftSettings: strict),
        .testTarget(name: "CryptographyTests", dependencies: ["Cryptography"], swiftSettings: strict),
        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "StrictJSONTests", dependencies: ["StrictJSON", "Randomness"], swiftSettings: strict),
        .testTarget(
            name: "DomainTests", dependencies: ["Cryptography", "Domain", "Randomness", "StrictJSON"],
            exclude: ["Corpus"], swiftSettings: strict),
        .testTarget(
            name: "RedisClientTests",
            dependencies: nio + ["Files", "Randomness", "RedisClient", "TestSupport", log],
            exclude: ["Corpus"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IngestTests",
            dependencies: [
                "Counters", "Ingest", "Domain", "Randomness", "RedisClient", "StrictJSON", "TestSupport",
            ],
            exclude: ["Corpus"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CountersTests",
            dependencies: [
                "Counters", "Ingest", "Domain", "LuaScripts", "Randomness", "RedisClient", "TestSupport",
            ],
            swiftSettings: strict
        ),
        // What every backend of the ledger must do, and what is the SQLite one's own.
        .target(
            name: "LedgerSamples", dependencies: ["Domain", "Ledger"], path: "Tests/LedgerSamples",
            swiftSettings: strict),
        .testTarget(
            name: "LedgerTests",
            dependencies: [
                "Domain", "Ledger", "LedgerSamples", "MemoryLedger", "Randomness", "SQLiteLedger", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SQLiteLedgerTests",
            dependencies: [
                "Domain", "Ledger", "LedgerSamples", "Randomness", "SQLiteLedger", "TestSupport", "TextEncodings",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconciliationTests",
            dependencies: [
                "Counters", "Domain", "Ledger", "MemoryLedger", "Reconciliation", "RedisClient", "TestSupport", log,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "OperationsTests",
            dependencies: [
                "Counters", "Ingest", "Domain", "Ledger", "LedgerSamples", "MemoryLedger", "MemoryRedis",
                "Operations", "Reconciliation", "RedisClient", "TestSupport", log,
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
                "Consumer", "Counters", "Prometheus", "Domain", "Ledger", "Monitoring", "RedisClient",
                "SQLiteLedger", "StrictJSON",
                "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ConsumerTests",
            dependencies: [
                "Consumer", "Counters", "Cryptography", "Ingest", "Domain", "Ledger", "MemoryLedger", "MemoryRedis",
                "Randomness",
                "SQLiteLedger",
                "StrictJSON",
                "TestSupport", .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AvailabilityAPITests",
            dependencies: [
                "AvailabilityAPI", "Counters", "Domain", "Ledger", "MemoryLedger", "RedisClient", "StrictJSON",
                "TestSupport", log,
                .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        // The protocol itself, searched by Spin; knows none of the code.
        .testTarget(
            name: "ModelTests", dependencies: ["TestSupport"], exclude: ["protocol.pml"], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Counters", "Cryptography", "Failpoints", "Ingest", "Domain", "Ledger", "LuaScripts", "Randomness",
                "Reconciliation", "RedisClient", "SQLiteLedger", "StrictJSON", "TestSupport", "TextEncodings",
                "stocktake",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),

        // A shop that is broken by every means there are (scripts/chaos), and a short run of it among the tests.
        .target(
            name: "Chaos",
            dependencies: [
                "Failpoints", "Domain", "Randomness", "RedisClient", "TestSupport",
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

        // What it does a second, beside what others do (scripts/bench).
        .executableTarget(
            name: "Bench",
            dependencies: nio + [
                "Consumer", "Counters", "Ingest", "Domain", "Ledger", "LedgerSamples", "Randomness", "RedisClient",
                "SQLiteLedger", "StrictJSON", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "Tests/Bench",
            swiftSettings: strict
        ),
    ]
)
