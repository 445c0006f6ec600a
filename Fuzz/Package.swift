// swift-tools-version: 6.2
import PackageDescription

/// One target for each decoder of outside bytes. Built with `--sanitize fuzzer`, which brings libFuzzer's own main:
/// a target only has `LLVMFuzzerTestOneInput`. `Scripts/fuzz` builds and runs them over `Corpus/`.
let names = [
    "FuzzMQTT", "FuzzGzip", "FuzzChunk", "FuzzCSR", "FuzzDeviceHTTP",
]

/// Those whose promises are in the tests' `Probes`, which see what is internal and need `-enable-testing`.
let probed = [
    "FuzzCSV", "FuzzJSONArray", "FuzzRegistration", "FuzzDeviceFilter", "FuzzCursor", "FuzzQuery", "FuzzJSON",
    "FuzzAuditNote", "FuzzAuditBundle", "FuzzSnapshot", "FuzzArchive", "FuzzDeviceReport", "FuzzCBOR",
    "FuzzUpdate", "FuzzSignature", "FuzzPasskeyAnswer", "FuzzSenMLJSON", "FuzzSenMLCBOR", "FuzzThingsBoard",
    "FuzzDDI", "FuzzAgent",
]

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(name: "tidegate", path: ".."),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    ],
    targets: names.map { name in
        .executableTarget(
            name: name,
            dependencies: [
                .product(name: "TidegateParts", package: "tidegate"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ])
    }
        + probed.map { name in
            .executableTarget(name: name, dependencies: [.product(name: "TidegateProbes", package: "tidegate")])
        },
    swiftLanguageModes: [.v6]
)
