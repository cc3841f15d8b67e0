import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeBuilderTests {
    @Test(arguments: KeyShape.allCases, [0, 1, 2, 3, 50, 5_000])
    func `a built tree holds its entries, and can be changed`(
        _ shape: KeyShape, _ count: Int
    ) throws {
        var random = SeededRandom(seed: UInt64(count) + 1)
        var fixture = TreeFixture(valueWidth: count % 2 == 0 ? 8 : 0)
        let keys = Set((0..<count).map { shape.key(&random, $0) })
        let isValued = fixture.tree.root.valueWidth == 8
        fixture.model = keys.map { ($0, isValued ? random.next() : 0) }
            .sorted { ByteString($0.key) < ByteString($1.key) }
        fixture.tree.root = try build(fixture)
        try fixture.verify("built \(shape) \(count)")
        fixture.commitAlone()
        for step in 0..<300 {
            if random.chance(3, in: 4), !fixture.model.isEmpty {
                try fixture.remove(fixture.model[random.below(fixture.model.count)].key)
            } else {
                try fixture.insert(shape.key(&random, step), random.next())
            }
        }
        try fixture.verify("changed \(shape) \(count)")
    }

    @Test func `every count of entries around a node's capacity gives a sound tree`() throws {
        // A leaf holds about 230 of these entries.
        for count in stride(from: 100, through: 400, by: 3) {
            let fixture = TreeFixture()
            var builder = Tree.build(valueWidth: 8, owner: fixture.owner, files: fixture.files)
            for number in 0..<count {
                try builder.append(
                    key: [UInt8(number >> 8), UInt8(number & 0xFF)], value: UInt64(number))
            }
            let root = try builder.finish()
            #expect(Tree.check(root, files: fixture.files, limit: 3) == [], "count \(count)")
            #expect(root.count == count)
        }
    }

    @Test func `full leaves are what it writes`() throws {
        let fixture = TreeFixture()
        var builder = Tree.build(valueWidth: 8, owner: fixture.owner, files: fixture.files)
        for number in 0..<20_000 {
            try builder.append(key: Array("key\(1_000_000 + number)".utf8), value: 0)
        }
        let root = try builder.finish()
        let used = try Pages.reachable(root).map { try Pages.node($0).usedBytes }.reduce(0, +)
        #expect(used > fixture.arena.bytesInUse * 95 / 100)
    }

    @Test func `keys out of order, twice or too long are refused`() throws {
        let fixture = TreeFixture()
        var builder = Tree.build(valueWidth: 0, owner: fixture.owner, files: fixture.files)
        try builder.append(key: [5, 5], value: 0)
        for key in [[5, 5], [5], [4, 9], []] as [[UInt8]] {
            let error = #expect(throws: EngineError.self) { try builder.append(key: key, value: 0) }
            #expect(error?.code == .limit)
        }
        let tooLong = [UInt8](repeating: 9, count: NodeLayout.keyBytesMax + 1)
        #expect(throws: EngineError.self) { try builder.append(key: tooLong, value: 0) }
        #expect(try builder.finish().count == 1)
    }

    @Test func `an unfinished tree is freed with its owner's other pages`() throws {
        let fixture = TreeFixture()
        var builder = Tree.build(valueWidth: 8, owner: fixture.owner, files: fixture.files)
        for number in 0..<5_000 {
            try builder.append(key: Array("key\(1_000_000 + number)".utf8), value: 0)
        }
        #expect(fixture.arena.pagesInUse > 10)
        fixture.owner.rollback()
        #expect(fixture.arena.pagesInUse == 0)
    }

    private func build(_ fixture: TreeFixture) throws -> TreeRoot {
        var builder = Tree.build(
            valueWidth: fixture.tree.root.valueWidth, owner: fixture.owner, files: fixture.files)
        for entry in fixture.model { try builder.append(key: entry.key, value: entry.value) }
        return try builder.finish()
    }
}
