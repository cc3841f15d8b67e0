// swift-tools-version: 6.2
// The store beside its peers, in one process. A package of its own, so that nobody who uses or tests the store
// fetches or builds the peers.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .strictMemorySafety(),
]

let package = Package(
    name: "offline-benchmarks",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "offline-bench", targets: ["OfflineBench"])
    ],
    dependencies: [
        .package(name: "offline-store", path: ".."),
        .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
    ],
    targets: [
        .executableTarget(
            name: "OfflineBench",
            dependencies: [
                .product(name: "OfflineKit", package: "offline-store"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            path: "Sources",
            swiftSettings: strict)
    ]
)
