// swift-tools-version: 6.2
import PackageDescription

/// Every target compiles under the same rules: language mode 6, the upcoming features that make
/// imports and existentials explicit, and no warnings.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let nio = "swift-nio"
let nioCore: Target.Dependency = .product(name: "NIOCore", package: nio)
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: nio)
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: nio)
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: nio)
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: nio)
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")

let package = Package(
    name: "tidegate",
    products: [
        .executable(name: "tidegate", targets: ["tidegate"]),
        .executable(name: "tidegate-agent", targets: ["tidegate-agent"]),
        // For the nested packages of benchmarks and fuzz targets only.
        .library(
            name: "TidegateParts",
            targets: ["Base", "MQTT", "Trust", "Fleet", "Telemetry", "Southbound", "Agent"]),
        .library(name: "TidegateProbes", targets: ["Probes"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLDAP", pkgConfig: "ldap", providers: [.apt(["libldap-dev"])]),
        .systemLibrary(name: "CSpawn"),
        .target(name: "Base", swiftSettings: strict),
        .target(
            name: "Storage",
            dependencies: [
                "Base", "CPostgres", logging, .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(name: "Bus", swiftSettings: strict),
        .target(name: "Blobs", dependencies: ["Base", nioCore, nioPosix, crypto], swiftSettings: strict),
        .target(
            name: "Trust", dependencies: ["Base", "Storage", crypto, cryptoExtras, x509, asn1, logging],
            swiftSettings: strict),
        .target(
            name: "Audit", dependencies: ["Base", "Storage", "Trust", crypto, logging, lifecycle],
            swiftSettings: strict),
        .target(
            name: "Access", dependencies: ["Base", "Storage", "Trust", "Audit"],
            swiftSettings: strict),
        .target(
            name: "OAuth", dependencies: ["Base", "Storage", "Trust", "Audit", "Access"], swiftSettings: strict),
        .target(
            name: "SignIn",
            dependencies: [
                "Base", "Storage", "Trust", "Audit", "Access", "CArgon2", "CQREncode", "CLDAP", crypto, logging,
                lifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "Delivery",
            dependencies: ["Base", "Storage", "Trust", "Audit", "CCurl", crypto, logging, lifecycle],
            swiftSettings: strict),
        .target(
            name: "Fleet",
            dependencies: ["Base", "Storage", "Bus", "Trust", "Audit", "Access", crypto, logging, lifecycle],
            swiftSettings: strict),
        .target(
            name: "Telemetry",
            dependencies: ["Base", "Storage", "Fleet", "CZlib", nioCore, logging, lifecycle],
            swiftSettings: strict),
        .target(
            name: "Operations",
            dependencies: [
                "Base", "Storage", "Bus", "Blobs", "Trust", "Audit", "Access", "Fleet", nioCore, logging, lifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "Watch",
            dependencies: [
                "Base", "Storage", "Bus", "Trust", "Audit", "Access", "Delivery", "Fleet", "Operations", logging,
                lifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "Backup",
            dependencies: [
                "Base", "Blobs", "Storage", "Trust", "Audit", "Telemetry", "CZstd", crypto, logging, lifecycle,
            ],
            swiftSettings: strict),
        .target(name: "MQTT", dependencies: [nioCore], swiftSettings: strict),
        .target(
            name: "Agent",
            dependencies: ["Base", "MQTT", "CSpawn", nioCore, nioPosix, nioHTTP1, nioTLS, nioSSL, crypto, x509, asn1],
            swiftSettings: strict),
        .executableTarget(
            name: "tidegate-agent", dependencies: ["Base", "Agent", nioCore, nioPosix, signals], swiftSettings: strict),
        .target(
            name: "Southbound",
            dependencies: [
                "Base", "Bus", "Blobs", "Trust", "Audit", "Access", "Fleet", "Telemetry", "Operations", "MQTT", nioCore,
                nioPosix, nioHTTP1, nioTLS, nioSSL, logging, lifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "Northbound",
            dependencies: [
                "Delivery",
                "Base", "Storage", "Blobs", "Trust", "Audit", "Access", "SignIn", "OAuth", "Fleet", "Telemetry",
                "Operations", "Watch", nioCore, nioPosix, nioTLS,
                nioSSL, crypto, logging, lifecycle, httpTypes, hummingbird,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ],
            swiftSettings: strict),
        // The console's templates, style sheet and scripts, as bytes of the program: it needs no path when it runs.
        .target(name: "ConsoleFiles", exclude: ["templates", "assets", "vendor"]),
        .target(
            name: "Console",
            dependencies: [
                "Base", "Storage", "Bus", "Trust", "Audit", "Access", "Delivery", "SignIn", "OAuth", "Fleet",
                "Telemetry", "Operations", "Watch", "Northbound",
                "ConsoleFiles", "CZlib", nioCore, crypto, logging, lifecycle, httpTypes, hummingbird, mustache,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "tidegate",
            dependencies: [
                "Delivery",
                "Base", "Storage", "Bus", "Blobs", "Trust", "Audit", "Access", "SignIn", "OAuth", "Fleet", "Telemetry",
                "Operations", "Watch", "Backup", "Agent", "Southbound", "Northbound", "Console", nioCore, nioPosix,
                nioHTTP1,
                nioSSL, crypto, logging, lifecycle,
                signals,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        // What tests and fuzz targets check alike; it needs `-enable-testing`, so no product for use depends on it.
        .target(
            name: "Probes",
            dependencies: [
                "Base", "Storage", "Trust", "Audit", "SignIn", "Fleet", "Telemetry", "Blobs", "Operations", "Watch",
                "Backup", "Agent",
                "Southbound", "Northbound",
                crypto, httpTypes,
            ],
            path: "Tests/Probes", swiftSettings: strict),
        .testTarget(
            name: "UnitTests",
            dependencies: [
                "Delivery",
                "Probes", "Base", "Storage", "Trust", "Audit", "Access", "SignIn", "CArgon2", "OAuth", "Fleet",
                "Telemetry", "Blobs", "Operations", "Watch", "Backup",
                "MQTT", "Agent", "Southbound", "Northbound", "Console", nioCore, nioEmbedded, crypto, cryptoExtras,
                x509, asn1,
                logging, httpTypes, hummingbird,
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ServiceTests",
            dependencies: [
                "Delivery",
                "Probes", "Base", "Storage", "Bus", "Trust", "Audit", "Access", "SignIn", "OAuth", "Fleet", "Telemetry",
                "Blobs", "Operations", "Watch", "Backup",
                "MQTT", "Agent", "CSpawn",
                "Southbound", "Northbound", "Console", nioCore, nioPosix, nioEmbedded, nioSSL, crypto, x509, asn1,
                logging,
                lifecycle, httpTypes, hummingbird,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
