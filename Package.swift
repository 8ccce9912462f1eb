// swift-tools-version:6.2
import Foundation
import PackageDescription

// Which room may see which: the table of imports that `Tests/HouseTests` holds every source file to.
// Only `Torch` and the rooms built on it see libtorch; only `Storage` sees SQL; only `Server` serves HTTP and only `Remote`
// asks others by it.
let rooms: [(name: String, imports: [String], external: [Target.Dependency])] = [
    ("Torch", ["CTorch"], []),
    ("ModelFormats", [], []),
    ("Tokenizers", ["Conversations"], []),
    ("Statistics", [], []),
    ("Conversations", [], []),
    ("LanguageModels", ["Torch", "ModelFormats"], []),
    ("Generation", ["LanguageModels", "Tokenizers", "Torch", "Conversations"], []),
    ("Hashing", ["CCrypto"], []),
    ("Deidentification", ["Conversations", "Hashing"], []),
    ("Trust", ["Conversations", "Statistics"], []),
    ("Safety", ["Conversations", "Statistics"], []),
    ("Dialogue", ["Conversations", "Safety"], []),
    ("Training", ["LanguageModels", "Tokenizers", "Torch", "ModelFormats", "Conversations", "Statistics"], []),
    ("Evaluation", ["Statistics", "Conversations"], []),
    (
        "Storage", ["CPostgres", "Conversations"],
        [.product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift")]
    ),
    (
        "Remote", ["Conversations", "Dialogue"],
        [
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        ]
    ),
    ("Simulation", ["Conversations"], []),
    (
        "Improvement",
        [
            "Conversations", "Deidentification", "Trust", "Safety", "Dialogue", "Training", "Evaluation", "Storage",
            "Statistics", "Generation", "LanguageModels", "Tokenizers", "ModelFormats", "Torch", "Simulation",
            "Hashing",
        ], []
    ),
    (
        "Server",
        [
            "Dialogue", "Storage", "Generation", "Evaluation", "Conversations", "Safety", "Deidentification",
            "Statistics", "Hashing",
        ],
        [
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "HummingbirdTLS", package: "hummingbird"),
            .product(name: "Logging", package: "swift-log"),
        ]
    ),
]

// `LOAM_ONLY=Trust,Statistics swift test` builds just those rooms with what they stand on: seconds instead of minutes.
let only = Context.environment["LOAM_ONLY"].map { Set($0.split(separator: ",").map(String.init)) }

func closure(_ names: Set<String>) -> Set<String> {
    var seen = names
    var queue = Array(names)
    while let next = queue.popLast() {
        for name in rooms.first(where: { $0.name == next })?.imports ?? [] where seen.insert(name).inserted {
            queue.append(name)
        }
    }
    return seen
}
/// What `Benchmarks/Methods` stands on; `LOAM_ONLY=MethodsBench` builds it with that alone.
let methodsBench: Set<String> = ["Training", "Generation", "Safety", "Evaluation"]
/// The same for `Benchmarks/Proof`, `LOAM_ONLY=ProofBench`.
let proofBench: Set<String> = ["Generation", "Improvement", "Simulation", "Statistics"]
let wanted = only.map { names in
    closure(
        names.union(names.contains("MethodsBench") ? methodsBench : [])
            .union(names.contains("ProofBench") ? proofBench : []))
}
func isWanted(_ name: String) -> Bool { wanted?.contains(name) ?? true }

// libtorch: `.deps/libtorch` (made by Scripts/setup), or another one, a CUDA build for instance, by LOAM_LIBTORCH.
let libtorch = Context.environment["LOAM_LIBTORCH"] ?? Context.packageDirectory + "/.deps/libtorch"
let torchHeaders = [
    // The kernels are of no use without optimisation, in a debug build either.
    "-std=c++20", "-O2", "-I\(libtorch)/include", "-I\(libtorch)/include/torch/csrc/api/include", "-Wno-everything",
]
let torchLibraries = ["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"]

// MPI, for training on several machines: where Debian's libopenmpi-dev puts it, or LOAM_MPI=DIR with include/ and lib/. Without
// mpi.h, or with LOAM_MPI=off, the target is left out and `loam train` runs as one process. (SwiftPM remembers the answer: after
// installing MPI, touch this file.)
let mpi: String? =
    switch Context.environment["LOAM_MPI"] {
    case "off": nil
    case let place?: place
    case nil:
        ["x86_64-linux-gnu", "aarch64-linux-gnu"].map { "/usr/lib/\($0)/openmpi" }
            .first { FileManager.default.fileExists(atPath: $0 + "/include/mpi.h") }
    }

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
]

// Rooms with loops over numbers and bytes are optimised in debug builds too: a fit that takes a second there would take a
// minute otherwise, and tests run real fits.
let hot: Set<String> = [
    "Statistics", "Trust", "Tokenizers", "Conversations", "Simulation", "Training", "Deidentification", "ModelFormats",
    "Generation", "Safety", "Improvement", "Dialogue", "Storage",
]
let hotSettings: [SwiftSetting] = settings + [.unsafeFlags(["-O"], .when(configuration: .debug))]

var targets: [Target] = []
if isWanted("CTorch") {
    targets.append(
        .target(
            name: "CTorch",
            // CTorch.cpp includes the others; these read no header of libtorch's, and have processor features of their own.
            sources: ["CTorch.cpp"]
                + [
                    "AVX512Kernels", "AVX512Products", "AVX512Rows", "DecodeKernels", "PortableKernels",
                    "TrainingKernels",
                ]
                .map { "Kernels/\($0).cpp" },
            cxxSettings: [.unsafeFlags(torchHeaders)],
            linkerSettings: [.unsafeFlags(torchLibraries), .linkedLibrary("torch_cpu"), .linkedLibrary("c10")]))
}
// libpq: Debian's libpq-dev, installed by Scripts/setup.
// libcrypto: OpenSSL's, which libpq stands on; libssl-dev comes with libpq-dev.
if isWanted("CCrypto") { targets.append(.systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])])) }
if isWanted("CPostgres") { targets.append(.systemLibrary(name: "CPostgres", providers: [.apt(["libpq-dev"])])) }
let usesMPI = mpi != nil && isWanted("Training")
if let mpi, usesMPI {
    targets.append(
        .target(
            name: "CMPI", cxxSettings: [.unsafeFlags(["-std=c++20", "-I\(mpi)/include"])],
            linkerSettings: [
                .unsafeFlags(["-L\(mpi)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(mpi)/lib"]), .linkedLibrary("mpi"),
            ]))
}
if isWanted("Training"), only?.contains("Training") ?? true {
    // A process of its own for the tests: to be killed, to fill a disk, to train beside another.
    targets.append(
        .executableTarget(
            name: "training-process", dependencies: ["Training", "LanguageModels", "Torch", "Statistics"],
            path: "Tests/TrainingProcess", swiftSettings: settings))
}
let resources: [String: [Resource]] = [
    "Deidentification": [.process("Resources")], "Safety": [.copy("Resources")], "Server": [.copy("Resources")],
]
for room in rooms where isWanted(room.name) {
    targets.append(
        .target(
            name: room.name,
            dependencies: room.imports.map { .init(stringLiteral: $0) } + room.external
                + (room.name == "Training" && usesMPI ? ["CMPI"] : []),
            resources: resources[room.name] ?? [],
            swiftSettings: (hot.contains(room.name) ? hotSettings : settings)
                + (room.name == "Training" && usesMPI ? [.define("LOAM_MPI")] : [])))
    // `Tests/<Room>Tests`; fixtures beside the tests are read from the source tree by path.
    if only?.contains(room.name) ?? true {
        let imports = closure([room.name]).subtracting(["CTorch", "CPostgres", "CCrypto"]).sorted()
        targets.append(
            .testTarget(
                name: room.name + "Tests",
                dependencies: imports.map { .init(stringLiteral: $0) }
                    + (room.name == "Server"
                        ? [.product(name: "HummingbirdTesting", package: "hummingbird")] : [])
                    + (["Conversations", "Storage"].contains(room.name) ? ["RandomConversations"] : [])
                    + (room.name == "Storage"
                        ? ["store-writer", .product(name: "GRDB", package: "GRDB.swift")] : [])
                    + (room.name == "Training" ? ["training-process"] : []),
                exclude: ["Fixtures"], swiftSettings: settings))
    }
}
if only == nil {
    targets.append(
        .executableTarget(
            name: "loam",
            dependencies: [
                "Improvement", "Server", "Deidentification", "Trust", "Training", "Simulation", "Storage", "Evaluation",
                "Statistics", "Remote",
            ]
            .map { .init(stringLiteral: $0) }
                + [
                    .product(name: "ArgumentParser", package: "swift-argument-parser"),
                    .product(name: "Logging", package: "swift-log"), .product(name: "Yams", package: "Yams"),
                ],
            swiftSettings: settings))
    targets.append(
        .testTarget(name: "LoopTests", dependencies: ["loam", "Conversations"], swiftSettings: settings))
}

// Figures of `Trust` in a program of its own, which builds in seconds: `make bench-trust`.
if isWanted("Trust"), isWanted("Simulation") {
    targets.append(
        .executableTarget(
            name: "trust-bench", dependencies: ["Trust", "Statistics", "Simulation"], path: "Benchmarks/Trust",
            swiftSettings: hotSettings))
}

if only?.contains("MethodsBench") ?? true {
    targets.append(
        .executableTarget(
            name: "methods-bench", dependencies: closure(methodsBench).sorted().map { .init(stringLiteral: $0) },
            path: "Benchmarks/Methods", swiftSettings: hotSettings))
}

// The safety classifiers on public sets and on names: `make bench-safety`.
if only == nil {
    targets.append(
        .executableTarget(
            name: "safety-bench",
            dependencies: closure(["Training", "Generation", "Safety", "Deidentification"]).sorted().map {
                .init(stringLiteral: $0)
            }, path: "Benchmarks/Safety", swiftSettings: hotSettings))
}

// The exact judge of the simulated world on every round of a run: `make proof`.
if only?.contains("ProofBench") ?? true {
    targets.append(
        .executableTarget(
            name: "proof-bench", dependencies: closure(proofBench).sorted().map { .init(stringLiteral: $0) },
            path: "Benchmarks/Proof", swiftSettings: hotSettings))
}

// Import and export by the rooms alone: `make bench-data`.
if isWanted("Storage") {
    targets.append(
        .executableTarget(
            name: "data-bench", dependencies: ["Storage", "Conversations"], path: "Benchmarks/Data",
            swiftSettings: settings))
}

// The process that the store's fault tests end at a bad moment.
if only?.contains("Storage") ?? true {
    targets.append(
        .executableTarget(
            name: "store-writer", dependencies: ["Storage", "Conversations"], path: "Tests/StoreWriter",
            swiftSettings: settings))
}

// What more than one room's tests use.
if isWanted("Conversations") {
    targets.append(
        .target(
            name: "RandomConversations", dependencies: ["Conversations"], path: "Tests/RandomConversations",
            swiftSettings: settings))
}

if only?.contains("House") ?? true {
    targets.append(.testTarget(name: "HouseTests", swiftSettings: settings))
}

let needsStore = isWanted("Storage")
let needsServer = isWanted("Server")
let needsRemote = isWanted("Remote")

var packages: [Package.Dependency] = []
if needsStore { packages.append(.package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0")) }
if needsServer {
    packages.append(.package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"))
    packages.append(.package(url: "https://github.com/apple/swift-log", from: "1.14.0"))
}
if needsRemote {
    packages.append(.package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"))
    packages.append(.package(url: "https://github.com/apple/swift-nio", from: "2.101.0"))
}
if only == nil {
    packages.append(.package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"))
    packages.append(.package(url: "https://github.com/jpsim/Yams", from: "6.2.2"))
}

let package = Package(
    name: "loam",
    platforms: [.macOS(.v15)],
    products: only == nil ? [.executable(name: "loam", targets: ["loam"])] : [],
    dependencies: packages,
    targets: targets
)
