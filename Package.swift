// swift-tools-version: 6.2
// The targets are the architecture: each may import only what is listed here, one direction only.
//   OfflineKit -> OfflineDocuments, OfflineEngine -> OfflineBytes -> system libraries.
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
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "offline-store",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "OfflineKit", targets: ["OfflineKit"]),
        .library(name: "OfflineTesting", targets: ["OfflineTesting"]),
        .executable(name: "offline", targets: ["OfflineCLI"]),
        .executable(name: "offline-demo", targets: ["OfflineDemo"]),
    ],
    traits: [
        .trait(name: "SQLite", description: "The storage backend .sqlite, on the system's SQLite."),
        .default(enabledTraits: ["SQLite"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        .target(name: "COfflinePlatform", cSettings: [.define("_GNU_SOURCE")]),
        .systemLibrary(
            name: "COfflineSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .systemLibrary(
            name: "COfflineZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "COfflineSodium", pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),
        .target(name: "OfflineBytes", dependencies: ["COfflinePlatform"], swiftSettings: strict),
        .target(name: "OfflineDocuments", dependencies: ["OfflineBytes"], swiftSettings: strict),
        .target(
            name: "OfflineEngine",
            dependencies: ["OfflineBytes", "COfflinePlatform", "COfflineZlib"],
            swiftSettings: strict),
        .target(
            name: "OfflineKit",
            dependencies: [
                "OfflineBytes", "OfflineDocuments", "OfflineEngine", "COfflineSodium",
                .target(name: "COfflineSQLite", condition: .when(traits: ["SQLite"])),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "OfflineCLI",
            dependencies: [
                "OfflineKit", "OfflineBytes", "OfflineDocuments", "OfflineEngine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "OfflineDemo", dependencies: ["OfflineKit"], swiftSettings: strict),

        .target(
            name: "OfflineTesting", dependencies: ["OfflineKit", "OfflineBytes"],
            swiftSettings: strict),
        .target(
            name: "StorageSimulation", dependencies: ["OfflineEngine", "OfflineBytes"],
            path: "Tests/StorageSimulation", swiftSettings: strict),
        .testTarget(
            name: "OfflineBytesTests", dependencies: ["OfflineBytes", "StorageSimulation"],
            swiftSettings: strict),
        .testTarget(
            name: "OfflineDocumentsTests", dependencies: ["OfflineDocuments", "OfflineBytes"],
            swiftSettings: strict),
        .testTarget(
            name: "OfflineEngineTests",
            dependencies: ["OfflineEngine", "OfflineBytes", "StorageSimulation"],
            swiftSettings: strict),
        .testTarget(
            name: "OfflineKitTests",
            dependencies: [
                "OfflineKit", "OfflineDemo", "OfflineTesting", "OfflineBytes", "OfflineDocuments",
                "OfflineEngine", "StorageSimulation",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OfflineCLITests",
            dependencies: [
                "OfflineCLI", "OfflineKit", "OfflineBytes", "OfflineDocuments", "OfflineEngine",
                "StorageSimulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FormatTests",
            dependencies: [
                "OfflineKit", "OfflineEngine", "OfflineDocuments", "OfflineBytes",
                "StorageSimulation",
            ],
            swiftSettings: strict),
    ]
)
