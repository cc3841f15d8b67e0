// Cases about one tree: keys, order, ranges, counts, cursors, and random changes against a model.
import OfflineKit

extension BackendConformance {
    static var treeCases: [Case] {
        [
            Case("a record is found under its key, and under no other") { context in
                let backend = try await context.openDefined()
                let batch = try backend.begin([CollectionID(1)], reading: [])
                try batch.write(1, [1, 2], [7, 8, 9])
                try batch.write(1, [1], [])
                try await batch.commit()
                let reader = try backend.snapshot()
                try context.expectEqual(try reader.record(1, [1, 2]), [7, 8, 9], "the record")
                try context.expectEqual(try reader.record(1, [1]), [], "the empty record")
                try context.expectEqual(try reader.record(1, [1, 2, 0]), nil, "a longer key")
                try context.expectEqual(try reader.record(2, [1]), nil, "another collection")
                try await backend.close()
            },
            Case("keys of any bytes up to 1,600 and records of a megabyte are kept") { context in
                let backend = try await context.openDefined()
                let keys: [[UInt8]] = [
                    [0], [0, 0], [255], Array(repeating: 255, count: 1600),
                    Array(repeating: 0, count: 1599) + [1], Array(repeating: 97, count: 1024),
                ]
                let large = (0..<context.recordSize(1 << 20)).map {
                    UInt8(truncatingIfNeeded: $0 &* 31)
                }
                let batch = try backend.begin([CollectionID(1)], reading: [])
                for key in keys {
                    try batch.put(CollectionID(1), key: key, record: large)
                    try unsafe batch.insert(TreeID(CollectionID(1), 1), key: key.span.bytes)
                }
                try await batch.commit()
                let reader = try backend.snapshot()
                let sorted = keys.sorted { $0.isBefore($1) }
                try context.expectEqual(try reader.keys(1), sorted, "the keys in order")
                try context.expectEqual(try reader.keys(1, 1), sorted, "the entries in order")
                for key in keys {
                    try context.expect(
                        try reader.record(1, key) == large, "a large record differs")
                }
                try await backend.close()
            },
            Case("what isn't there is empty, and removing it does nothing", absent),
            Case("cursors, counts and skips agree with a model over random ranges", randomRanges),
            Case("random changes agree with a model", randomChanges),
        ]
    }

    @Sendable
    private static func absent(_ context: CaseContext) async throws {
        let backend = try await context.openDefined()
        let id = CollectionID(1)
        let batch = try backend.begin([id], reading: [])
        try batch.write(1, [5], [6])
        try batch.remove(id, key: [7])
        for _ in 0..<2 {
            try unsafe batch.insert(TreeID(id, 1), key: ([9, 9] as [UInt8]).span.bytes)
            try unsafe batch.remove(TreeID(id, 1), key: ([8, 8] as [UInt8]).span.bytes)
        }
        try await batch.commit()
        let reader = try backend.snapshot()
        try context.expectEqual(try reader.keys(1), [[5]], "the records")
        try context.expectEqual(try reader.keys(1, 1), [[6, 5], [9, 9]], "the entries")
        try context.expectEqual(
            try reader.bytes(of: id), CollectionBytes(recordBytes: 2, indexBytes: 4), "the bytes")
        let inverse = KeyRange(lower: [9], upper: [1])
        for (tree, range) in [
            (TreeID(CollectionID(9)), .all), (TreeID(id, 7), .all), (TreeID(id), inverse),
            (TreeID(id), KeyRange(lower: [5], upper: [5])),
        ] {
            try context.expectEqual(try reader.keys(tree, in: range), [], "\(tree) \(range)")
            try context.expectEqual(
                try reader.keys(tree, in: range, descending: true), [], "\(tree) \(range) back")
            try context.expectEqual(try reader.count(tree, in: range), 0, "\(tree) \(range)")
        }
        try context.expectEqual(try reader.record(9, [5]), nil, "a record of no collection")
        try context.expect(
            try !reader.contains(TreeID(id, 7), key: [5]), "a tree that isn't there has a key")
        // A body may read in the same reader.
        var inner: [UInt8]?
        _ = try reader.withRecord(id, key: [5]) { _ in inner = try reader.record(1, [5]) }
        try context.expectEqual(inner, [6], "a record read while it is read")
        try await backend.close()
    }

    @Sendable
    private static func randomRanges(_ context: CaseContext) async throws {
        let backend = try await context.openDefined()
        var random = CaseGenerator(seed: 11)
        let batch = try backend.begin([CollectionID(1)], reading: [])
        for _ in 0..<600 {
            let key = random.bytes(upTo: 5)
            if key.isEmpty { continue }
            try batch.write(1, key, random.bytes(upTo: 9))
        }
        for isCommitted in [false, true] {
            if isCommitted { try await batch.commit() }
            let reader: any BackendReader = isCommitted ? try backend.snapshot() : batch
            for index in [UInt32(0), 1] {
                let tree = TreeID(CollectionID(1), index)
                let all = try reader.keys(tree)
                try context.expectEqual(all, all.sorted { $0.isBefore($1) }, "order")
                for _ in 0..<150 {
                    try checkRange(context, reader, tree, all, &random)
                }
            }
        }
        try await backend.close()
    }

    private static func checkRange(
        _ context: CaseContext, _ reader: any BackendReader, _ tree: TreeID, _ all: [[UInt8]],
        _ random: inout CaseGenerator
    ) throws {
        let lower = Bool.random(using: &random) ? random.bytes(upTo: 4) : nil
        let upper = Bool.random(using: &random) ? random.bytes(upTo: 4) : nil
        let range = KeyRange(lower: lower, upper: upper)
        let expected = all.filter { key in
            if let lower, key.isBefore(lower) { return false }
            if let upper, !key.isBefore(upper) { return false }
            return true
        }
        let what = "range \(lower ?? []) ..< \(upper ?? [])"
        try context.expectEqual(try reader.keys(tree, in: range), expected, what)
        try context.expectEqual(
            try reader.keys(tree, in: range, descending: true), expected.reversed(),
            "\(what), descending")
        try context.expectEqual(try reader.count(tree, in: range), expected.count, "count, \(what)")
        let skipped = Int.random(in: 0...(expected.count + 2), using: &random)
        try context.expectEqual(
            try reader.keys(tree, in: range, skipping: skipped),
            Array(expected.dropFirst(skipped)), "\(what), skipping \(skipped)")
        try context.expectEqual(
            try reader.keys(tree, in: range, descending: true, skipping: skipped),
            Array(expected.reversed().dropFirst(skipped)),
            "\(what), descending, skipping \(skipped)")
        let sought = random.bytes(upTo: 5)
        try context.expectEqual(
            try reader.keys(tree, in: range, seeking: sought, after: skipped),
            expected.dropFirst(skipped).filter { !$0.isBefore(sought) },
            "\(what), seeking \(sought) after \(skipped)")
        let first = all.first { !$0.isBefore(sought) }
        var found: [UInt8] = [1, 2, 3]
        let isThere = try unsafe reader.firstKey(tree, from: sought.span.bytes, into: &found)
        try context.expectEqual(isThere ? found : nil, first, "first key from \(sought)")
        try context.expectEqual(
            try reader.contains(tree, key: sought), first == sought, "contains \(sought)")
    }

    @Sendable
    private static func randomChanges(_ context: CaseContext) async throws {
        var backend = try await context.openDefined()
        var random = CaseGenerator(seed: 12)
        var model: [[UInt8]: [UInt8]] = [:]
        for round in 0..<120 {
            let batch = try backend.begin([CollectionID(1)], reading: [])
            var changed = model
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let key = random.bytes(upTo: 3) + [1]
                if Int.random(in: 0..<3, using: &random) == 0 {
                    try batch.erase(1, key)
                    changed[key] = nil
                } else {
                    let record = random.bytes(upTo: 40)
                    try batch.write(1, key, record)
                    changed[key] = record
                }
            }
            try checkModel(context, batch, changed, "batch of round \(round)")
            if Int.random(in: 0..<4, using: &random) == 0 {
                batch.rollback()
            } else {
                try await batch.commit()
                model = changed
            }
            try checkModel(context, try backend.snapshot(), model, "after round \(round)")
            if round % 30 == 29 {
                try await backend.close()
                backend = try await context.open()
                try checkModel(
                    context, try backend.snapshot(), model, "reopened after round \(round)")
            }
        }
        try await backend.close()
    }

    private static func checkModel(
        _ context: CaseContext, _ reader: any BackendReader, _ model: [[UInt8]: [UInt8]],
        _ when: String
    ) throws {
        let keys = model.keys.sorted { $0.isBefore($1) }
        try context.expectEqual(try reader.keys(1), keys, "keys, \(when)")
        for key in keys {
            try context.expectEqual(try reader.record(1, key), model[key], "record, \(when)")
        }
        let entries = model.map { ByteDeriver.entry(1, $0.key, $0.value) }
            .sorted { $0.isBefore($1) }
        try context.expectEqual(try reader.keys(1, 1), entries, "entries, \(when)")
    }
}
