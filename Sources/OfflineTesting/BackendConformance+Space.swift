// Cases about space: what a collection and the backend take, emptying a collection, compacting.
import OfflineKit

extension BackendConformance {
    static var spaceCases: [Case] {
        [
            Case("the bytes of a collection are those of its keys, records and entries") {
                context in
                let backend = try await context.openDefined()
                let id = CollectionID(1)
                let batch = try backend.begin([id], reading: [])
                try context.expectEqual(try batch.bytes(of: id), CollectionBytes(), "no data")
                try batch.write(1, [1, 2], [5, 6, 7])
                try batch.write(1, [3], [8])
                // Keys of 2 and 1, records of 3 and 1; each entry is a byte and the key.
                let both = CollectionBytes(recordBytes: 7, indexBytes: 5)
                try context.expectEqual(try batch.bytes(of: id), both, "the batch's")
                try context.expectEqual(
                    try backend.snapshot().bytes(of: id), CollectionBytes(), "a snapshot's")
                try await batch.commit()
                let before = try backend.snapshot()
                try context.expectEqual(try before.bytes(of: id), both, "committed")
                let second = try backend.begin([id], reading: [])
                try second.write(1, [1, 2], [9])
                try second.erase(1, [3])
                try await second.commit()
                try context.expectEqual(
                    try backend.snapshot().bytes(of: id),
                    CollectionBytes(recordBytes: 3, indexBytes: 3), "after changes")
                try context.expectEqual(try before.bytes(of: id), both, "the old snapshot's")
                try context.expectEqual(
                    try backend.snapshot().bytes(of: CollectionID(2)), CollectionBytes(),
                    "another collection's")
                try context.expectEqual(
                    try backend.snapshot().bytes(of: CollectionID(77)), CollectionBytes(),
                    "of a collection that there isn't")
                try await backend.close()
            },
            Case("a cleared collection is empty but for what the batch puts later") { context in
                let backend = try await context.openDefined()
                try await context.fill(backend, 1, count: 2_500)
                try await context.fill(backend, 2, count: 3)
                let before = try backend.snapshot()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                try batch.write(1, [0], [1])
                try batch.extendNames(of: CollectionID(1), with: ["kept"])
                try batch.clear(CollectionID(1))
                try context.expectEqual(try batch.keys(1), [], "the batch's records")
                try context.expectEqual(try batch.keys(1, 1), [], "the batch's entries")
                try context.expectEqual(
                    try batch.bytes(of: CollectionID(1)), CollectionBytes(), "the batch's bytes")
                try batch.write(1, [7], [9])
                try await batch.commit()
                let after = try backend.snapshot()
                try context.expectEqual(try after.keys(1), [[7]], "the records")
                try context.expectEqual(try after.keys(1, 1), [[9, 7]], "the entries")
                try context.expectEqual(after.names(of: CollectionID(1)), ["kept"], "the names")
                try context.expectEqual(try after.keys(2).count, 3, "the other collection")
                try context.expectEqual(
                    try before.count(TreeID(CollectionID(1)), in: .all), 2_500, "the old snapshot")
                try await backend.close()
                let again = try await context.open()
                try context.expectEqual(try again.snapshot().keys(1), [[7]], "after reopening")
                try context.expectEqual(try again.snapshot().keys(1, 1), [[9, 7]], "its entries")
                try context.expectEqual(try await again.verify().problems, [], "problems")
                try await again.close()
            },
            Case("a clear that is rolled back has done nothing, and one out of scope throws") {
                context in
                let backend = try await context.openDefined()
                try await context.fill(backend, 1, count: 10)
                let batch = try backend.begin([CollectionID(1)], reading: [CollectionID(2)])
                try batch.clear(CollectionID(1))
                try await context.expectThrows("clearing what is only read") {
                    try batch.clear(CollectionID(2))
                }
                batch.rollback()
                try context.expectEqual(try backend.snapshot().keys(1).count, 10, "the records")
                try context.expectEqual(try backend.snapshot().keys(1, 1).count, 10, "the entries")
                try await backend.close()
            },
            Case("compacting keeps everything, for held readers too, and space is never negative") {
                context in
                let backend = try await context.openDefined()
                try await context.fill(backend, 1, count: 500)
                let held = try backend.snapshot().kept()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                try batch.clear(CollectionID(1))
                try batch.write(1, [5], [6])
                try await batch.commit()
                try await backend.compact()
                try context.expectEqual(try held.keys(1).count, 500, "the held reader's records")
                try context.expectEqual(try backend.snapshot().keys(1), [[5]], "the records")
                let space = try backend.space()
                let parts = [
                    space.usedBytes, space.logBytes, space.treeBytes, space.reclaimableBytes,
                    space.pinnedBytes, space.availableBytes,
                ]
                try context.expect(parts.allSatisfy { $0 >= 0 }, "a part is negative: \(space)")
                try context.expect(space.usedBytes > 0, "it takes nothing: \(space)")
                try context.expect(
                    space.logBytes + space.treeBytes <= space.usedBytes,
                    "the parts are more than the whole: \(space)")
                try await backend.close()
            },
        ]
    }
}

extension CaseContext {
    /// Puts so many records of 2 bytes with keys of 2 bytes.
    fileprivate func fill(
        _ backend: any StorageBackend, _ number: UInt32, count: Int
    ) async throws {
        let batch = try backend.begin([CollectionID(number)], reading: [])
        for index in 0..<count {
            let key = [UInt8(index >> 8), UInt8(index & 255)]
            try batch.write(number, key, [UInt8(index & 127), 1])
        }
        try await batch.commit()
    }
}
