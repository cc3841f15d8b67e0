// What a dump shows of a store that tracks changes: stamps, change entries, their trees, the store's own records, and damage
// in any of them.
internal import Foundation
internal import OfflineDocuments
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

@Suite struct DumpChangesTests {
    private let folder: TemporaryFolder
    private let path: String
    private static let changes = "changes of collection 1"
    private static let own = "the store's own records"

    init() async throws {
        folder = try TemporaryFolder()
        path = try await TrackedStore.make(in: folder)
    }

    private func documents(_ arguments: String...) async throws -> [Document] {
        let run = await offline(["dump", path, "--json"] + arguments)
        #expect(run.exitCode == 0)
        return try run.lines.map { try Document(json: $0) }
    }

    /// The entries of a tree.
    private func entries(_ collection: String, _ index: String? = nil) async throws -> [Document] {
        let documents =
            if let index {
                try await documents("--collection", collection, "--index", index)
            } else { try await documents("--collection", collection) }
        return documents.filter { $0["type"] == "entry" }
    }

    @Test func `a record is shown with its latest change`() async throws {
        let entries = try await entries("users")
        #expect(entries.map { $0["key"] } == ["u1", "u2", "u4"])
        let changes = entries.map { $0["change"] }
        #expect(changes.map { $0?["number"] } == [1, 5, 4])
        #expect(changes.map { $0?["operation"] } == ["create", "update", "create"])
        #expect(changes.allSatisfy { $0?["isLocal"] == true && $0?["time"]?["$date"] != nil })
        #expect(entries[1]["record"] == ["id": "u2", "age": 2])
        let untracked = try await self.entries("notes")
        #expect(untracked.map { $0["record"] } == [["id": "n"]])
        #expect(untracked.allSatisfy { $0["change"] == nil })
    }

    @Test func `what is known of changes is shown`() async throws {
        let entries = try await entries(Self.changes)
        #expect(entries.map { $0["key"] } == ["u1", "u2", "u3", "u5"])
        let records = entries.compactMap { $0["record"] }
        #expect(records[0] == ["state": "synchronized", "number": 1])
        #expect(records[1]["state"] == "changed")
        #expect(records[1]["base"] == ["id": "u2", "age": 1])
        #expect(records[2]["state"] == "deleted")
        #expect(records[2]["isPending"] == true)
        #expect(records[2]["base"] == ["id": "u3"])
        #expect(records[3]["isPending"] == false)
        #expect(records[3]["number"] == 8)
        #expect(records[3]["firstNumber"] == 7)
        #expect(records[3]["base"] == nil)
    }

    @Test func `both orders of changes are shown`() async throws {
        #expect(
            try await entries("users", "changes in order") == [
                ["type": "entry", "class": 1, "number": 1, "key": "u1"],
                ["type": "entry", "class": 1, "number": 4, "key": "u4"],
                ["type": "entry", "class": 1, "number": 5, "key": "u2"],
            ])
        #expect(
            try await entries(Self.changes, "changes in order") == [
                ["type": "entry", "class": 1, "number": 1, "key": "u1"],
                ["type": "entry", "class": 2, "number": 6, "key": "u3"],
                ["type": "entry", "class": 3, "number": 8, "key": "u5"],
            ])
        let none = await offline(
            "dump", path, "--collection", "notes", "--index", "changes in order")
        #expect(none.exitCode != 0)
        #expect(none.diagnostics.contains("there is no index \"changes in order\""))
    }

    @Test func `the store's own records are shown as they are`() async throws {
        let entries = try await entries(Self.own)
        #expect(entries.count == 1)
        // "exposed", collection 1; up to change 4.
        #expect(entries[0]["key"] == ["$bytes": "6578706f73656400000001"])
        #expect(entries[0]["record"] == ["$bytes": "04"])
    }

    @Test func `as text too`() async throws {
        let users = await offline("dump", path, "--collection", "users", "--full")
        #expect(users.output.contains(#"{"id":"u2","age":2}  change {"number":5,"operation":"up"#))
        let order = await offline(
            "dump", path, "--collection", "users", "--index", "changes in order")
        #expect(order.output.contains(#"class 1, change 4, "u4""#))
        let known = await offline("dump", path, "--collection", Self.changes, "--full")
        #expect(known.output.contains(#"{"state":"synchronized","number":1}"#))
        let all = await offline("dump", path)
        #expect(all.exitCode == 0)
        #expect(all.output.contains("collection 1 \"users\", key id, 3 records from"))
        #expect(all.output.contains("    changes in order, 3 entries from"))
        #expect(all.output.contains("collection 2: changes of collection 1, 4 records from"))
        #expect(all.output.contains("collection 4: the store's own records, 1 record from"))
    }

    struct Damage: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let collection: UInt32
        let report: String
    }

    private static let damages = [
        Damage(
            testDescription: "a stamp that is cut off", bytes: [0x81, 9, 5], collection: 1,
            report: "the record's change stamp is malformed"),
        Damage(
            testDescription: "a stamp with unknown flags",
            bytes: [0x91, 4, 5, 0, 1, 0x20, 0, 0], collection: 1,
            report: "the record's change stamp is malformed"),
        Damage(
            testDescription: "a stamp without a record", bytes: [0x81, 4, 5, 0], collection: 1,
            report: "of the record)"),
        Damage(
            testDescription: "an entry of an unknown kind", bytes: [5, 1], collection: 2,
            report: "an entry of the changes is malformed"),
        Damage(
            testDescription: "an entry that goes on", bytes: [1, 1, 1], collection: 2,
            report: "an entry of the changes is malformed"),
        Damage(
            testDescription: "a base that is no record", bytes: [2, 1, 9, 9], collection: 2,
            report: "of the record)"),
    ]

    @Test(arguments: damages)
    func `damage is reported, and the rest is shown`(damage: Damage) async throws {
        let key = KeyEncoder.key("u2")
        try await TrackedStore.put(
            damage.bytes, key: key, of: damage.collection, in: folder)
        let name = damage.collection == 1 ? "users" : Self.changes
        let run = await offline("dump", path, "--collection", name)
        #expect(run.exitCode == 1)
        let line = run.lines.first { $0.contains("\"u2\" -> ") }
        #expect(line?.contains("(unreadable: ") == true)
        #expect(run.lines.contains { $0.contains("DAMAGED") && $0.contains(damage.report) })
        #expect(run.output.contains("\"u1\" -> "))
        #expect(run.output.contains("\"number\":1"))
        let verified = await offline("verify", path)
        #expect(verified.exitCode == 1)
        #expect(verified.output.contains("\"u2\": "), "\(verified.output)")
    }
}
