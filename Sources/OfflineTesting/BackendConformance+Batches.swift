// Cases about batches: atomic, private until committed, readable.
import OfflineKit

extension BackendConformance {
    static var batchCases: [Case] {
        [
            Case("a batch sees its own changes and nobody else does before the commit") { context in
                let backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                try batch.write(1, [1], [5])
                try batch.write(1, [2], [6])
                try batch.erase(1, [1])
                try context.expectEqual(try batch.keys(1), [[2]], "the batch's keys")
                try context.expectEqual(try batch.keys(1, 1), [[6, 2]], "the batch's entries")
                try context.expectEqual(
                    try batch.count(TreeID(CollectionID(1)), in: .all), 1, "the batch's count")
                try context.expectEqual(try backend.snapshot().keys(1), [], "a snapshot's keys")
                try await batch.commit()
                try context.expectEqual(try backend.snapshot().keys(1), [[2]], "committed keys")
                try await backend.close()
            },
            Case("a batch that is rolled back leaves nothing") { context in
                let backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                try batch.write(1, [1], [5])
                try batch.extendNames(of: CollectionID(1), with: ["lost"])
                batch.rollback()
                batch.rollback()
                let reader = try backend.snapshot()
                try context.expectEqual(try reader.keys(1), [], "the records")
                try context.expectEqual(try reader.keys(1, 1), [], "the entries")
                try context.expectEqual(reader.names(of: CollectionID(1)), [], "the names")
                let next = try backend.begin([CollectionID(1)], reading: [])
                try context.expectEqual(next.nameCount(of: CollectionID(1)), 0, "names anew")
                try next.extendNames(of: CollectionID(1), with: ["kept"])
                try await next.commit()
                try context.expectEqual(
                    try backend.snapshot().names(of: CollectionID(1)), ["kept"], "the new names")
                try await backend.close()
            },
            Case("a commit says once that the next batch may begin, and that builds on it") {
                context in
                let backend = try await context.openDefined()
                var calls = 0
                for byte in UInt8(1)...3 {
                    let batch = try backend.begin([CollectionID(1)], reading: [])
                    try context.expectEqual(try batch.keys(1).count, Int(byte) - 1, "its base")
                    try batch.write(1, [byte], [byte])
                    try await batch.commit(appended: { calls += 1 }, committed: { _ in })
                }
                try context.expectEqual(calls, 3, "calls of appended")
                try await backend.close()
            },
            Case("a committed batch takes no more changes") { context in
                let backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                try await batch.commit()
                try await context.expectThrows("put after commit") {
                    try batch.put(CollectionID(1), key: [1], record: [1])
                }
                try await context.expectThrows("a second commit") { try await batch.commit() }
                batch.rollback()
                try context.expectEqual(try backend.snapshot().keys(1), [], "the records")
                try await backend.close()
            },
            Case("a batch over two collections commits both, and reads a third") { context in
                let backend = try await context.openDefined()
                try await backend.define(
                    [CaseContext.collection(3)], version: 1, validate: { _, _ in })
                let first = try backend.begin([CollectionID(3)], reading: [])
                try first.write(3, [3], [3])
                try await first.commit()
                let batch = try backend.begin(
                    [CollectionID(1), CollectionID(2)], reading: [CollectionID(3)])
                try context.expectEqual(try batch.record(3, [3]), [3], "the third's record")
                try batch.write(1, [1], [1])
                try batch.write(2, [2], [2])
                try await batch.commit()
                let reader = try backend.snapshot()
                try context.expectEqual(try reader.keys(1), [[1]], "the first")
                try context.expectEqual(try reader.keys(2), [[2]], "the second")
                try context.expectEqual(try reader.keys(3), [[3]], "the third")
                let readOnly = try backend.begin([], reading: [CollectionID(1)])
                try context.expectEqual(try readOnly.keys(1), [[1]], "read in an empty batch")
                try await readOnly.commit()
                try await backend.close()
            },
            Case("batches on disjoint collections run side by side, where that is allowed") {
                context in
                let backend = try await context.openDefined()
                if backend.allowsParallelWriters {
                    let one = try backend.begin([CollectionID(1)], reading: [])
                    let two = try backend.begin([CollectionID(2)], reading: [])
                    try one.write(1, [1], [1])
                    try two.write(2, [2], [2])
                    try await two.commit()
                    try context.expectEqual(try backend.snapshot().keys(1), [], "the first")
                    try context.expectEqual(try backend.snapshot().keys(2), [[2]], "the second")
                    try await one.commit()
                    try context.expectEqual(try backend.snapshot().keys(1), [[1]], "the first")
                    try context.expectEqual(try backend.snapshot().keys(2), [[2]], "the second")
                }
                try await backend.close()
            },
            Case("what was committed is there after reopening") { context in
                var backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                for byte in UInt8(0)..<200 { try batch.write(1, [byte], [byte, 255 - byte]) }
                try batch.extendNames(of: CollectionID(1), with: ["x", "y"])
                try await batch.commit()
                try await backend.flush()
                try await backend.close()
                try await backend.close()
                backend = try await context.open()
                let reader = try backend.snapshot()
                try context.expectEqual(
                    try reader.keys(1), (UInt8(0)..<200).map { [$0] }, "the records")
                try context.expectEqual(
                    try reader.keys(1, 1), (UInt8(0)..<200).map { [$0, $0] }, "the entries")
                try context.expectEqual(reader.names(of: CollectionID(1)), ["x", "y"], "the names")
                let report = try await backend.verify()
                try context.expectEqual(report.problems, [], "problems")
                try context.expectEqual(report.recordsChecked, 200, "records checked")
                try await backend.close()
            },
        ]
    }
}
