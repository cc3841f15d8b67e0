import Testing

@testable import OfflineKit

@Suite struct ListDifferenceTests {
    private static func list(_ keys: [UInt8], version: (UInt8) -> Int64 = { _ in 0 }) -> [LiveEntry]
    {
        keys.map { key in
            LiveEntry(
                order: [key], key: [key],
                document: ["id": .int(Int64(key)), "v": .int(version(key))])
        }
    }

    private static func apply(_ changes: [ResultChange], to old: [LiveEntry]) -> [Document] {
        var documents = old.map(\.document)
        documents.apply(changes)
        return documents
    }

    @Test func `the steps lead from any list to any other`() {
        for seed in 0..<400 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let count = 1 + generator.below(30)
            let all = (0..<count).map { UInt8($0) }
            let old = Self.list(
                all.shuffled(using: &generator).filter { _ in generator.chance(2, in: 3) })
            var keys =
                generator.chance(1, in: 2) ? all.shuffled(using: &generator) : old.map { $0.key[0] }
            keys.removeAll { _ in generator.chance(1, in: 5) }
            if keys.count > 1, generator.chance(1, in: 2) {
                keys.swapAt(generator.below(keys.count), generator.below(keys.count))
            }
            let changed = Set(keys.filter { _ in generator.chance(1, in: 5) })
            let new = Self.list(keys) { changed.contains($0) ? 1 : 0 }
            let changes = ListDifference.changes(from: old, to: new)
            #expect(Self.apply(changes, to: old) == new.map(\.document), "seed \(seed)")
            let moves = changes.filter { if case .move = $0 { true } else { false } }.count
            let kept = keys.filter { key in old.contains { $0.key == [key] } }
            let oldPlaces = kept.compactMap { key in old.firstIndex { $0.key == [key] } }
            #expect(moves == kept.count - Self.longestAscendingCount(oldPlaces), "seed \(seed)")
            let others = changes.count - moves
            let expected =
                old.count - kept.count + keys.count - kept.count
                + kept.filter(changed.contains).count
            #expect(others == expected, "seed \(seed)")
        }
    }

    /// By trying each element as the last one.
    private static func longestAscendingCount(_ numbers: [Int]) -> Int {
        var counts: [Int] = []
        for (index, number) in numbers.enumerated() {
            counts.append(
                1 + ((0..<index).filter { numbers[$0] < number }.map { counts[$0] }.max() ?? 0))
        }
        return counts.max() ?? 0
    }

    @Test(
        arguments: [
            ([1, 2, 3, 4, 5], [1, 3, 4, 2, 5], [(1, 3)]),
            ([1, 2, 3, 4, 5], [5, 1, 2, 3, 4], [(4, 0)]),
            ([1, 2, 3, 4, 5], [2, 3, 4, 5, 1], [(0, 4)]), ([1, 2], [2, 1], [(0, 1)]),
            ([1, 2, 3, 4], [4, 3, 2, 1], [(0, 0), (0, 0), (0, 0)]),
        ] as [([UInt8], [UInt8], [(Int, Int)])])
    func `a record that moves alone is one step`(
        old: [UInt8], new: [UInt8], moves: [(Int, Int)]
    ) {
        let changes = ListDifference.changes(from: Self.list(old), to: Self.list(new))
        #expect(changes.count == moves.count)
        #expect(Self.apply(changes, to: Self.list(old)) == Self.list(new).map(\.document))
        guard moves.count == 1 else { return }
        #expect(
            changes.allSatisfy { change in
                guard case .move(_, let from, let to) = change else { return false }
                return (from, to) == moves[0] || (old.count == 2 && (from, to) == (1, 0))
            })
    }

    @Test func `a record that changes and moves is moved as it is now, and updated`() {
        let changes = ListDifference.changes(
            from: Self.list([1, 2, 3, 4]), to: Self.list([2, 3, 4, 1]) { $0 == 1 ? 7 : 0 })
        #expect(
            changes == [
                .move(["id": 1, "v": 7], from: 0, to: 3), .update(["id": 1, "v": 7], at: 3),
            ])
    }

    @Test func `steps come as removals, moves, insertions and updates`() {
        let changes = ListDifference.changes(
            from: Self.list([1, 2, 3, 4]), to: Self.list([9, 4, 3, 8]) { $0 == 3 ? 1 : 0 })
        #expect(changes.count == 6)
        #expect(
            changes.prefix(2) == [
                .remove(["id": 2, "v": 0], at: 1), .remove(["id": 1, "v": 0], at: 0),
            ])
        #expect(
            changes.suffix(3) == [
                .insert(["id": 9, "v": 0], at: 0), .insert(["id": 8, "v": 0], at: 3),
                .update(["id": 3, "v": 1], at: 2),
            ])
    }

    @Test func `two long lists in opposite order take no long time`() {
        func list(_ numbers: some Sequence<Int>) -> [LiveEntry] {
            numbers.map { number in
                let key = [UInt8(number >> 8), UInt8(number & 0xFF)]
                return LiveEntry(order: key, key: key, document: ["id": .int(Int64(number))])
            }
        }
        let count = 20_000
        let old = list(0..<count)
        let new = list((0..<count).reversed())
        let changes = ListDifference.changes(from: old, to: new)
        // Moving them would be a pass over the list for each.
        #expect(changes.count == 2 * (count - 1))
        #expect(Self.apply(changes, to: old) == new.map(\.document))
    }

    @Test func `steps that don't fit the list are passed over`() {
        let document: Document = ["id": 1]
        var list: [Document] = [["id": 0]]
        list.apply([
            .insert(document, at: 2), .insert(document, at: -1), .remove(document, at: 1),
            .remove(document, at: -1), .update(document, at: 1), .update(document, at: .max),
            .move(document, from: 0, to: 1), .move(document, from: 1, to: 0),
            .move(document, from: .min, to: .max),
        ])
        #expect(list == [["id": 0]])
        list.apply([.insert(document, at: 1), .move(document, from: 1, to: 0)])
        #expect(list == [["id": 1], ["id": 0]])
    }
}
