internal import Foundation
internal import StorageSimulation
internal import Testing

@testable internal import OfflineCLI

@Suite struct DumpDamageTests {
    struct Damage: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// What must be said.
        let report: String
        let apply: @Sendable (inout StoreFiles) -> Void

        init(
            _ name: String, _ report: String,
            _ apply: @escaping @Sendable (inout StoreFiles) -> Void
        ) {
            testDescription = name
            self.report = report
            self.apply = apply
        }
    }

    private static let damages = [
        Damage("a slot of the superblock", "SUPERBLOCK: the slot's checksum doesn't match") {
            $0.invert("SUPERBLOCK", 100)
        },
        Damage("the superblock is missing", "SUPERBLOCK: the file is missing") {
            $0.files["SUPERBLOCK"] = nil
        },
        Damage("a log's header", "00000002.log: the file header's checksum doesn't match") {
            $0.invert("00000002.log", 20)
        },
        Damage("a frame's header", "00000002.log: the bytes here are no frame header") {
            $0.invert("00000002.log", 584 + 20)
        },
        Damage("a frame's body", "00000002.log: the checksum of the frame's body doesn't match") {
            $0.invert("00000002.log", 584 + 200)
        },
        Damage("a log cut short", "00000002.log: the file ends here") {
            $0.files["00000002.log"] = Array($0.files["00000002.log"]?.prefix(600) ?? [])
        },
        Damage("a log of zeros", "00000002.log: the file has no header") {
            $0.files["00000002.log"] = [UInt8](repeating: 0, count: 65_536)
        },
        Damage("a node", "00000005.tree: neither a node nor a frame is here") {
            $0.invert("00000005.tree", 100)
        },
        Damage("the catalog", "00000005.tree: the catalog can't be read") {
            $0.invert("00000005.tree", 540)
        },
        Damage("the node segment is missing", "00000005.tree: the catalog can't be read") {
            $0.files["00000005.tree"] = nil
        },
        Damage("an older node segment is missing", "00000003.tree: the file is missing") {
            $0.files["00000003.tree"] = nil
        },
        Damage("a file under another's number", "the header says that this is 00000005.tree") {
            $0.files["00000003.tree"] = $0.files["00000005.tree"]
        },
        Damage("an empty file", "00000005.tree: the file has no header") {
            $0.files["00000005.tree"] = []
        },
    ]

    @Test(arguments: damages)
    func `damage is reported, and the rest is shown`(damage: Damage) async throws {
        let folder = try TemporaryFolder()
        var files = try StoreFiles(of: try await SmallStore.make(in: folder))
        damage.apply(&files)
        let path = try files.write(into: folder, as: "damaged.offline")
        let run = await offline("dump", path)
        #expect(run.exitCode == 1)
        #expect(run.output.contains(damage.report))
        // At least this file is there undamaged, and shown.
        #expect(run.output.contains("00000001.tree  144 bytes, node segment"))
    }

    @Test func `behind a damaged frame the log goes on`() async throws {
        let folder = try TemporaryFolder()
        var files = try StoreFiles(of: try await SmallStore.make(in: folder))
        files.invert("00000002.log", 584 + 200)
        let path = try files.write(into: folder, as: "damaged.offline")
        let run = await offline("dump", path, "--file", "2")
        #expect(run.exitCode == 1)
        #expect(run.output.contains("commit 4-5"))
        #expect(run.output.contains(#"remove users "u2""#))
        // The damaged frame held the names of users' fields; the catalog has them too.
        let tree = await offline("dump", path, "--collection", "notes")
        #expect(tree.exitCode == 0)
        #expect(tree.output.contains(#""text":"seven""#))
    }

    @Test func `a record that is damaged is one damaged entry of its tree`() async throws {
        let folder = try TemporaryFolder()
        var files = try StoreFiles(of: try await SmallStore.make(in: folder))
        files.invert("00000002.log", 704 + 60)
        let path = try files.write(into: folder, as: "damaged.offline")
        let run = await offline("dump", path, "--collection", "users")
        #expect(
            run.output.contains(
                #""u1" -> 2:704  (unreadable: the record's checksum doesn't match)"#))
        #expect(run.exitCode == 1)
    }

    @Test(arguments: SeededRandom.seeds(4))
    func `no damage makes it crash or hang`(seed: UInt64) async throws {
        let folder = try TemporaryFolder()
        let sound = try StoreFiles(of: try await SmallStore.make(in: folder))
        var generator = SeededRandom(seed: seed)
        let names = sound.files.keys.sorted()
        for step in 0..<40 {
            var files = sound
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let name = try #require(names.randomElement(using: &generator))
                Self.damage(&files.files[name], &generator)
            }
            let path = try files.write(into: folder, as: "damaged\(step).offline")
            for arguments in [
                ["dump", path], ["dump", path, "--json"], ["dump", path, "--collection", "users"],
                ["verify", path], ["stat", path],
            ] {
                let run = await offline(arguments)
                #expect([0, 1].contains(run.exitCode), "seed \(seed), step \(step), \(arguments)")
            }
        }
    }

    /// Flips bits among the first bytes, cuts, or removes a file.
    private static func damage(_ bytes: inout [UInt8]?, _ generator: inout SeededRandom) {
        guard let count = bytes?.count, count > 0 else { return }
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: bytes = nil
        case 1: bytes = Array(bytes?.prefix(Int.random(in: 0..<count, using: &generator)) ?? [])
        default:
            // What is in use lies at the beginning.
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let place = Int.random(in: 0..<min(count, 1_500), using: &generator)
                bytes?[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
        }
    }
}
