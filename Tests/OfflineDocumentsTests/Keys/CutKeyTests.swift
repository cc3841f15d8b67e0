import Foundation
import OfflineBytes
import Testing

@testable import OfflineDocuments

@Suite struct CutKeyTests {
    /// A stored index key of `values`, and the same before it was cut.
    private func stored(_ values: [Value], limit: Int) -> (
        whole: [UInt8], stored: [UInt8], isCut: Bool
    ) {
        let whole = values.flatMap(KeyEncoder.key)
        var stored = whole
        let isCut = KeyEncoder.cut(&stored, limit: limit)
        return (whole, stored, isCut)
    }

    @Test func `a key of 512 bytes stays, a longer one keeps 512 bytes and the mark`() {
        var key: [UInt8] = [9, 9] + KeyEncoder.key(.string(String(repeating: "x", count: 510)))
        let whole = key
        #expect(!KeyEncoder.cut(&key, from: 2))
        #expect(key == whole)
        key = [9, 9] + KeyEncoder.key(.string(String(repeating: "x", count: 511)))
        #expect(KeyEncoder.cut(&key, from: 2))
        #expect(key.count == 2 + 512 + 1)
        #expect(
            key.dropLast().elementsEqual(
                [9, 9, KeyLayout.string] + Array(repeating: UInt8(ascii: "x"), count: 511)))
        #expect(key.last == KeyLayout.cutMark)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `cut keys keep the order, and tie only with each other`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<2_000 {
            let limit = 1 + random.below(12)
            let left = [random.value(depth: 1), random.value(depth: 1)]
            let right = left.map { random.chance(1, in: 2) ? $0 : random.neighbour(of: $0) }
            let (a, b) = (stored(left, limit: limit), stored(right, limit: limit))
            let place: Comment = "seed \(seed), step \(step), limit \(limit): \(left) \(right)"
            #expect(ByteOrder.compare(a.stored, a.whole) <= 0, place)
            let whole = ByteOrder.compare(a.whole, b.whole).signum()
            let cut = ByteOrder.compare(a.stored, b.stored).signum()
            #expect(cut == whole || cut == 0 && a.isCut && b.isCut, place)
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `an entry tells where its record's key begins and whether it was cut`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<2_000 {
            let limit = 1 + random.below(12)
            let values = (0...random.below(2)).map { _ in random.value(depth: 1) }
            let index = stored(values, limit: limit)
            let entry = index.stored + KeyEncoder.key(.string(random.string()))
            let parts = KeyDecoder.indexEntryParts(entry, valueCount: values.count, limit: limit)
            #expect(
                parts == IndexEntryParts(keyLength: index.stored.count, isCut: index.isCut),
                "seed \(seed), step \(step), limit \(limit): \(values)")
        }
    }
}
