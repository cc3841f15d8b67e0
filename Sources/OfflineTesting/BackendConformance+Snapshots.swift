// Cases about readers: what they see doesn't change.
import OfflineKit

extension BackendConformance {
    static var snapshotCases: [Case] {
        [
            Case("a snapshot shows what was committed when it was taken, whatever comes") {
                context in
                let backend = try await context.openDefined()
                let first = try backend.begin([CollectionID(1)], reading: [])
                try first.write(1, [1], [1])
                try first.extendNames(of: CollectionID(1), with: ["a"])
                try await first.commit()
                let old = try backend.snapshot()
                let cursor = try old.cursor(TreeID(CollectionID(1)), in: .all, descending: false)
                let second = try backend.begin([CollectionID(1)], reading: [])
                try second.write(1, [1], [2])
                try second.write(1, [0], [3])
                try second.extendNames(of: CollectionID(1), with: ["b"])
                try await second.commit()
                try context.expectEqual(try old.record(1, [1]), [1], "the old record")
                try context.expectEqual(try old.keys(1), [[1]], "the old keys")
                try context.expectEqual(try old.keys(1, 1), [[1, 1]], "the old entries")
                try context.expectEqual(
                    try old.count(TreeID(CollectionID(1)), in: .all), 1, "the old count")
                try context.expectEqual(old.names(of: CollectionID(1)), ["a"], "the old names")
                try context.expectEqual(
                    old.nameCount(of: CollectionID(1)), 1, "how many old names")
                try context.expect(try cursor.next(), "the old cursor has an entry")
                try context.expect(try !cursor.next(), "the old cursor has one entry")
                let new = try backend.snapshot()
                try context.expectEqual(try new.keys(1), [[0], [1]], "the new keys")
                try context.expectEqual(try new.record(1, [1]), [2], "the new record")
                try context.expectEqual(new.names(of: CollectionID(1)), ["a", "b"], "new names")
                try await backend.close()
            },
            Case("a cursor shows keys and records together, and stays at its end") { context in
                let backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                for byte in UInt8(1)...50 { try batch.write(1, [byte], [byte, byte]) }
                try await batch.commit()
                let reader = try backend.snapshot()
                let cursor = try reader.cursor(TreeID(CollectionID(1)), in: .all, descending: true)
                var key: [UInt8] = []
                for byte in (UInt8(1)...50).reversed() {
                    try context.expect(try cursor.next(), "the cursor ended at \(byte)")
                    cursor.copyKey(into: &key)
                    try context.expectEqual(key, [byte], "the key")
                    var record: [UInt8] = []
                    try cursor.withRecord { record = [UInt8](copying: $0) }
                    try context.expectEqual(record, [byte, byte], "the record")
                }
                try context.expect(try !cursor.next(), "the cursor goes on behind its end")
                try context.expect(try !cursor.next(), "the cursor goes on behind its end")
                try await backend.close()
            },
            Case("a snapshot stays readable while many commits follow") { context in
                let backend = try await context.openDefined()
                let first = try backend.begin([CollectionID(1)], reading: [])
                for byte in UInt8(0)...255 { try first.write(1, [byte, 1], [byte]) }
                try await first.commit()
                let old = try backend.snapshot()
                for round in UInt8(0)..<40 {
                    let batch = try backend.begin([CollectionID(1)], reading: [])
                    for byte in UInt8(0)..<30 { try batch.erase(1, [round &* 6 &+ byte, 1]) }
                    try batch.write(1, [round, 2], [round])
                    try await batch.commit()
                }
                try await backend.flush()
                let expected = (UInt8(0)...255).map { [$0, 1] }
                try context.expectEqual(try old.keys(1), expected, "the old keys")
                for key in expected {
                    try context.expectEqual(try old.record(1, key), [key[0]], "the old record")
                }
                try await backend.close()
            },
        ]
    }
}
