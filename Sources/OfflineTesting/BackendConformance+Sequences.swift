// Cases about sequences: the order of commits, which change feeds and synchronization rest on.
import OfflineBytes
import OfflineKit

extension BackendConformance {
    static var sequenceCases: [Case] {
        [
            Case("puts have the sequences of their commit, in their order") { context in
                let backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1), CollectionID(2)], reading: [])
                var places: [UInt64] = []
                for byte in UInt8(1)...3 {
                    places.append(try batch.put(CollectionID(1), key: [byte], record: [byte]))
                    places.append(try batch.put(CollectionID(2), key: [byte], record: [byte]))
                }
                let sequences = try await batch.committedSequences()
                try context.expect(
                    zip(places, places.dropFirst()).allSatisfy { $0 < $1 },
                    "the puts' places should ascend: \(places)")
                let reader = try backend.snapshot()
                for (index, place) in places.enumerated() {
                    let collection = CollectionID(UInt32(1 + index % 2))
                    let sequence = try reader.sequence(
                        of: collection, key: [UInt8(1 + index / 2)])
                    try context.expectEqual(
                        sequence, sequences.lowerBound + place, "put \(index)'s sequence")
                    try context.expect(
                        sequence.map(sequences.contains) ?? false,
                        "put \(index)'s sequence should be one of the commit's, \(sequences)")
                }
                try await backend.close()
            },
            Case("the sequences of commits begin at 1 and adjoin, over reopening too") { context in
                var backend = try await context.openDefined()
                var next: UInt64 = 1
                for round in UInt8(0)..<6 {
                    try context.expectEqual(
                        try backend.snapshot().nextSequence, next, "the next sequence")
                    let batch = try backend.begin([CollectionID(1)], reading: [])
                    for byte in 0...round { try batch.write(1, [byte], [round]) }
                    let sequences = try await batch.committedSequences()
                    try context.expectEqual(sequences.lowerBound, next, "commit \(round)'s first")
                    try context.expect(!sequences.isEmpty, "commit \(round) took no sequence")
                    next = sequences.upperBound
                    guard round % 2 == 1 else { continue }
                    try await backend.close()
                    backend = try await context.open()
                }
                try await backend.close()
            },
            Case("a record keeps its sequence until it is put again") { context in
                var backend = try await context.openDefined()
                let first = try backend.begin([CollectionID(1)], reading: [])
                try first.write(1, [1], [1])
                try first.write(1, [2], [2])
                _ = try await first.committedSequences()
                let before = try backend.snapshot()
                let second = try backend.begin([CollectionID(1)], reading: [])
                try context.expectEqual(
                    try second.sequence(of: CollectionID(1), key: [2]),
                    try before.sequence(of: CollectionID(1), key: [2]), "the batch's view")
                try second.put(CollectionID(1), key: [2], record: [2])
                try context.expectEqual(
                    try second.sequence(of: CollectionID(1), key: [2]), nil,
                    "the batch's own put")
                let sequences = try await second.committedSequences()
                try await backend.close()
                backend = try await context.open()
                let after = try backend.snapshot()
                try context.expectEqual(
                    try after.sequence(of: CollectionID(1), key: [1]), 1, "the first record's")
                let other = try after.sequence(of: CollectionID(1), key: [2])
                try context.expect(
                    other.map(sequences.contains) ?? false,
                    "the second record's should be one of \(sequences)")
                try context.expectEqual(
                    try after.sequence(of: CollectionID(1), key: [3]), nil, "a missing record's")
                try await backend.close()
            },
            Case("the sequences of a large batch are right, over reopening too") { context in
                var backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                var places: [UInt64] = []
                for byte in UInt8(0)..<12 {
                    let record = [UInt8](
                        repeating: byte, count: context.recordSize(500_000))
                    places.append(try batch.put(CollectionID(1), key: [byte], record: record))
                }
                let sequences = try await batch.committedSequences()
                for isReopened in [false, true] {
                    if isReopened {
                        try await backend.close()
                        backend = try await context.open()
                    }
                    let reader = try backend.snapshot()
                    for (byte, place) in places.enumerated() {
                        try context.expectEqual(
                            try reader.sequence(of: CollectionID(1), key: [UInt8(byte)]),
                            sequences.lowerBound + place,
                            "put \(byte)'s sequence, reopened: \(isReopened)")
                    }
                }
                try await backend.close()
            },
            Case("a commit that only removes takes a sequence too") { context in
                let backend = try await context.openDefined()
                let first = try backend.begin([CollectionID(1)], reading: [])
                try first.write(1, [1], [1])
                let sequences = try await first.committedSequences()
                let second = try backend.begin([CollectionID(1)], reading: [])
                try second.erase(1, [1])
                let removal = try await second.committedSequences()
                try context.expectEqual(
                    removal.lowerBound, sequences.upperBound, "where the removal's begin")
                try context.expect(!removal.isEmpty, "the removal took no sequence")
                try context.expectEqual(
                    try backend.snapshot().nextSequence, removal.upperBound, "the next sequence")
                try await backend.close()
            },
            Case("a commit is told once, and one of nothing isn't") { context in
                let backend = try await context.openDefined()
                let calls = Protected(0)
                let empty = try backend.begin([CollectionID(1)], reading: [])
                try await empty.commit(
                    appended: {}, committed: { _ in calls.withLock { $0 += 1 } })
                try context.expectEqual(calls.withLock { $0 }, 0, "calls for nothing")
                let batch = try backend.begin([CollectionID(1)], reading: [])
                try batch.write(1, [1], [1])
                try await batch.commit(
                    appended: {},
                    committed: { sequences in
                        let seen = (try? backend.snapshot().nextSequence) ?? 0
                        calls.withLock { $0 += seen >= sequences.upperBound ? 1 : 100 }
                    })
                try context.expectEqual(
                    calls.withLock { $0 }, 1, "calls, with the commit in a new snapshot")
                try await backend.close()
            },
        ]
    }
}

extension BackendBatch {
    /// Commits, and returns what `committed` was called with.
    fileprivate func committedSequences() async throws -> Range<UInt64> {
        let told = Protected<Range<UInt64>>(0..<0)
        try await commit(appended: {}, committed: { sequences in told.withLock { $0 = sequences } })
        return told.withLock { $0 }
    }
}
