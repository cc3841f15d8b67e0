// How full nodes are: what a pattern of writes leaves behind.
import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeFillTests {
    @Test func `two longest entries and a new one always find room`() {
        let entry = NodeLayout.slotSize + NodeLayout.childSize + NodeLayout.keyBytesMax
        #expect(2 * entry <= NodeLayout.capacity)
        #expect(NodeLayout.slotSize + NodeLayout.childSize + 2 * entry <= NodeLayout.capacity)
        // The larger half of a node that overflows.
        #expect(NodeLayout.capacity / 2 + entry <= NodeLayout.capacity)
        // A node that is too empty has at most one longest entry, so its neighbour can be halved.
        #expect(NodeLayout.fillMin < NodeLayout.slots + entry)
    }

    @Test func `ascending and descending keys leave full leaves`() throws {
        let (up, down) = (try fill(by: 1), try fill(by: -1))
        #expect(up > 0.95)
        #expect(down > 0.9)
    }

    @Test func `keys that ascend in several places leave full leaves`() throws {
        var fixture = TreeFixture()
        for number in 0..<2_000 {
            for group in ["active", "closed", "open", "waiting"] {
                try fixture.insert(Array("\(group):\(1_000_000 + number)".utf8), 1)
            }
        }
        let used = try used(fixture)
        // Where two sequences meet, a leaf is left as it was.
        #expect(used > 0.85)
        try fixture.verify("groups")
    }

    @Test func `random keys leave leaves two thirds full`() throws {
        var random = SeededRandom(seed: 4)
        var fixture = TreeFixture()
        for _ in 0..<8_000 { try fixture.insert(random.bytes(16), 1) }
        let used = try used(fixture)
        #expect(used > 0.63 && used < 0.75)
    }

    @Test(arguments: [KeyShape.random, .structured, .mixed])
    func `removing most keys gives most pages back`(_ shape: KeyShape) throws {
        var random = SeededRandom(seed: 4)
        var fixture = TreeFixture()
        for step in 0..<4_000 { try fixture.insert(shape.key(&random, step), 1) }
        let pages = fixture.arena.pagesInUse
        let keep = fixture.model.count / 10
        while fixture.model.count > keep {
            try fixture.remove(fixture.model[random.below(fixture.model.count)].key)
        }
        #expect(fixture.arena.pagesInUse <= pages / 3)
        #expect(try used(fixture) > 0.27)
        try fixture.verify("\(shape)")
    }

    @Test func `a queue stays as small as what it holds`() throws {
        var fixture = TreeFixture()
        for number in 0..<12_000 {
            try fixture.insert(Array("job\(1_000_000 + number)".utf8), 1)
            if number >= 500 { try fixture.remove(Array("job\(1_000_000 + number - 500)".utf8)) }
            if number % 100 == 0 { fixture.commitAlone() }
        }
        try fixture.verify("queue")
        fixture.commitAlone()
        #expect(fixture.arena.pagesInUse < 12)
    }

    @Test func `a key outside a long prefix is put beside the keys that share it`() throws {
        let prefix = [UInt8](repeating: 0x70, count: 1_500)
        for outside in [[0x6F], [0x71], [0x70], prefix.dropLast() + [0x71]] as [[UInt8]] {
            var fixture = TreeFixture()
            for number in 0..<100 { try fixture.insert(prefix + [UInt8(number)], 1) }
            try fixture.insert(outside, 2)
            try fixture.verify("\(outside.count) bytes")
            // Not a page for every two or three keys, as it would be without prefixes.
            #expect(fixture.arena.pagesInUse <= 5)
        }
    }

    private func fill(by step: Int) throws -> Double {
        var fixture = TreeFixture()
        for number in 0..<8_000 {
            try fixture.insert(Array("key\(1_000_000 + step * number)".utf8), 1)
        }
        try fixture.verify("step \(step)")
        return try used(fixture)
    }

    /// The share of the pages' bytes that is used.
    private func used(_ fixture: TreeFixture) throws -> Double {
        let pages = Pages.reachable(fixture.tree.root)
        let used = try pages.map { try Pages.node($0).usedBytes }.reduce(0, +)
        return Double(used) / Double(pages.count * NodeLayout.pageSize)
    }
}
