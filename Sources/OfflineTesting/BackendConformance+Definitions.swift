// Cases about definitions: collections and index trees that come, change and go in one step.
import OfflineKit

extension BackendConformance {
    static var definitionCases: [Case] {
        [
            Case("a new backend is empty, and keeps what is defined") { context in
                var backend = try await context.open()
                try context.expectEqual(try backend.snapshot().storedVersion, 0, "the version")
                try context.expect(
                    try backend.snapshot().collections().isEmpty, "a new one has collections")
                try await backend.define(
                    [CaseContext.collection(7, indexes: [1, 4]), CaseContext.collection(2)],
                    version: 3, validate: { _, _ in })
                for isReopened in [false, true] {
                    if isReopened {
                        try await backend.close()
                        backend = try await context.open()
                    }
                    let reader = try backend.snapshot()
                    let collections = reader.collections().sorted { $0.id < $1.id }
                    try context.expectEqual(reader.storedVersion, 3, "the version")
                    try context.expectEqual(collections.map(\.id.value), [2, 7], "the numbers")
                    try context.expectEqual(
                        collections.map(\.indexes), [[1], [1, 4]], "the indexes")
                    try context.expectEqual(
                        collections.last?.definition, Array("collection 7".utf8), "a definition")
                }
                try await backend.close()
            },
            Case("a new index is built of the records, and one that is gone is dropped") {
                context in
                var backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                for byte in UInt8(0)..<100 { try batch.write(1, [byte], [1, 200 - byte]) }
                try await batch.commit()
                try await backend.define(
                    [CaseContext.collection(1, indexes: [2])], version: 2
                ) { reader, newTrees in
                    try context.expectEqual(newTrees, [TreeID(CollectionID(1), 2)], "new trees")
                    try context.expectEqual(try reader.keys(1, 2).count, 100, "entries to check")
                }
                for isReopened in [false, true] {
                    if isReopened {
                        try await backend.close()
                        backend = try await context.open()
                    }
                    let reader = try backend.snapshot()
                    let expected = (UInt8(0)..<100).reversed().map { [200 - $0, $0] }
                    try context.expectEqual(try reader.keys(1, 2), expected, "the new entries")
                    try context.expectEqual(
                        reader.collections().first { $0.id.value == 1 }?.indexes, [2], "indexes")
                    try context.expectEqual(try reader.keys(2), [], "the other collection")
                }
                try await backend.close()
            },
            Case("a definition that is refused changes nothing") { context in
                struct Refused: Error {}
                var backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                try batch.write(1, [1], [2, 3])
                try await batch.commit()
                try await context.expectThrows("define") {
                    try await backend.define(
                        [
                            CaseContext.collection(1, indexes: [1, 2]),
                            CaseContext.collection(9),
                        ], version: 5, validate: { _, _ in throw Refused() })
                }
                for isReopened in [false, true] {
                    if isReopened {
                        try await backend.close()
                        backend = try await context.open()
                    }
                    let reader = try backend.snapshot()
                    try context.expectEqual(reader.storedVersion, 1, "the version")
                    let stored = reader.collections().sorted { $0.id < $1.id }
                    try context.expectEqual(stored.map(\.id.value), [1, 2], "the collections")
                    try context.expectEqual(stored.map(\.indexes), [[1], [1]], "the indexes")
                    try context.expectEqual(try reader.keys(1, 1), [[2, 1]], "the entries")
                }
                let next = try backend.begin([CollectionID(1)], reading: [])
                try next.write(1, [5], [5])
                try await next.commit()
                try context.expectEqual(
                    try backend.snapshot().keys(1, 1), [[2, 1], [5, 5]], "entries written since")
                try await backend.close()
            },
            Case("a read-only backend reads and refuses changes") { context in
                var backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                try batch.write(1, [1], [1])
                try await batch.commit()
                try await backend.close()
                backend = try await context.open(readOnly: true)
                let reader = try backend.snapshot()
                try context.expectEqual(try reader.keys(1), [[1]], "the records")
                try await context.expectThrows("begin") {
                    _ = try backend.begin([CollectionID(1)], reading: [])
                }
                try await context.expectThrows("define") {
                    try await backend.define(
                        [CaseContext.collection(3)], version: 2, validate: { _, _ in })
                }
                try await backend.refresh()
                try await backend.close()
            },
        ]
    }
}
