// The store that a rehearsal changes against one in memory: whatever is done to both, both are read alike.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct OverlayBackendTests {
    private static let collection = CollectionID(1)

    private static func batch(
        _ backend: any StorageBackend, _ body: (any BackendBatch) throws -> Void
    ) async throws {
        let batch = try backend.begin([collection], reading: [])
        try body(batch)
        try await batch.commit(appended: {}, committed: { _ in })
    }

    private static func entries(
        _ reader: any BackendReader, _ tree: TreeID, _ range: KeyRange, descending: Bool
    ) throws -> [[UInt8]] {
        let cursor = try reader.cursor(tree, in: range, descending: descending)
        var key: [UInt8] = []
        var found: [[UInt8]] = []
        while try cursor.next() {
            cursor.copyKey(into: &key)
            var entry = key
            if tree.index == 0 {
                try cursor.withRecord { entry += [0xFF] + [UInt8]($0) }
            }
            found.append(entry)
        }
        return found
    }

    private static func check(
        _ overlay: any BackendReader, _ model: any BackendReader, _ random: inout SeededGenerator,
        _ context: String
    ) throws {
        for index in 0...1 as ClosedRange<UInt32> {
            let tree = TreeID(collection, index)
            func bound() -> [UInt8]? {
                random.chance(1, in: 3) ? nil : [UInt8(random.below(26))]
            }
            let range = KeyRange(lower: bound(), upper: bound())
            for descending in [false, true] {
                let found = try entries(overlay, tree, range, descending: descending)
                #expect(
                    found == (try entries(model, tree, range, descending: descending)),
                    "\(context), tree \(index), \(range), descending \(descending)")
            }
            let counts = (try overlay.count(tree, in: range), try model.count(tree, in: range))
            #expect(counts.0 == counts.1, "\(context), tree \(index), \(range)")
            let key = [UInt8(random.below(26))]
            #expect(
                try overlay.contains(tree, key: key) == model.contains(tree, key: key), "\(context)"
            )
            var first: ([UInt8], [UInt8]) = ([], [])
            let isFound = try unsafe overlay.firstKey(tree, from: key.span.bytes, into: &first.0)
            #expect(
                try unsafe isFound == model.firstKey(tree, from: key.span.bytes, into: &first.1),
                "\(context)")
            if isFound { #expect(first.0 == first.1, "\(context)") }
            let sequence = try overlay.sequence(of: collection, key: key)
            #expect(try sequence == model.sequence(of: collection, key: key), "\(context)")
        }
        #expect(overlay.names(of: collection) == model.names(of: collection), "\(context)")
        #expect(overlay.nextSequence == model.nextSequence, "\(context)")
    }

    private static func change(
        _ batch: any BackendBatch, _ random: inout SeededGenerator
    ) throws {
        for _ in 0..<random.below(12) {
            let key = [UInt8(random.below(26))]
            switch random.below(20) {
            case 0: try batch.clear(collection)
            case 1...6: try batch.remove(collection, key: key)
            case 7...13:
                let record = (0..<random.below(4)).map { _ in UInt8(random.below(250)) }
                try batch.put(collection, key: key, record: record)
            case 14...16: try unsafe batch.insert(TreeID(collection, 1), key: key.span.bytes)
            case 17...18: try unsafe batch.remove(TreeID(collection, 1), key: key.span.bytes)
            default:
                try batch.extendNames(of: collection, with: ["n\(batch.nameCount(of: collection))"])
            }
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `whatever is done, it reads as a store in memory does`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let model = MemoryBackend()
        try await model.initialize(
            BackendConfiguration(path: "", deriver: StoreKeyDeriver()))
        let stored = StoredCollection(
            id: Self.collection, definition: StoredKind.store.bytes, indexes: [1], names: [])
        try await model.define([stored], version: 1) { _, _ in }
        for _ in 0..<random.below(4) {
            try await Self.batch(model) { try Self.change($0, &random) }
        }
        // From here on both go on from the same state.
        let overlay = OverlayBackend(over: try model.snapshot())
        for step in 0..<8 {
            let context = "seed \(seed), step \(step)"
            let choice = random.next()
            let held = (try overlay.snapshot(), try model.snapshot())
            if random.chance(1, in: 4) {
                let batch = try overlay.begin([Self.collection], reading: [])
                var other = SeededGenerator(seed: choice)
                try Self.change(batch, &other)
                batch.rollback()
            }
            var (one, two) = (SeededGenerator(seed: choice), SeededGenerator(seed: choice))
            let batches = (
                try overlay.begin([Self.collection], reading: []),
                try model.begin([Self.collection], reading: [])
            )
            try Self.change(batches.0, &one)
            try Self.change(batches.1, &two)
            try Self.check(batches.0, batches.1, &random, "\(context), in the batch")
            try await batches.0.commit(appended: {}, committed: { _ in })
            try await batches.1.commit(appended: {}, committed: { _ in })
            try Self.check(try overlay.snapshot(), try model.snapshot(), &random, context)
            try Self.check(held.0, held.1, &random, "\(context), held")
        }
    }
}
