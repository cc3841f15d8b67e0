// Changes for which there is no memory: each is refused as a whole, or done.
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeMemoryTests {
    @Test(arguments: KeyShape.allCases, SeededRandom.seeds(2))
    func `a change that memory doesn't suffice for leaves the tree as it was`(
        _ shape: KeyShape, _ seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        let pages = 511
        var fixture = TreeFixture(arena: PageArena(bytesMax: 2 << 20))
        var refused = 0
        for step in 0..<3_000 {
            // All but a few pages are taken by somebody else.
            let left = random.below(12)
            let others = max(0, pages - fixture.arena.pagesInUse - left)
            fixture.owner = PageOwner(
                arena: fixture.arena, files: fixture.files, id: UInt64(step) + 2)
            try fixture.arena.reserve(others)
            let before = fixture.tree.root
            let isRemoval = random.chance(step < 2_000 ? 1 : 3, in: 5) && !fixture.model.isEmpty
            do {
                if isRemoval {
                    try fixture.remove(fixture.model[random.below(fixture.model.count)].key)
                } else {
                    try fixture.insert(shape.key(&random, step), random.next())
                }
            } catch let error as EngineError where error.code == .outOfMemory {
                refused += 1
                #expect(fixture.tree.root == before, "\(shape) seed \(seed) step \(step)")
                #expect(unsafe fixture.owner.created.isEmpty && fixture.owner.retired.isEmpty)
            }
            fixture.arena.unreserve(others)
            unsafe fixture.arena.free(contentsOf: fixture.owner.retired)
            if step % 100 == 0 { try fixture.verify("\(shape) seed \(seed) step \(step)") }
            if fixture.arena.pagesInUse > pages / 2 { break }
        }
        try fixture.verify("\(shape) seed \(seed)")
        #expect(refused > 50, "\(shape) seed \(seed)")
    }

    @Test func `a tree that is built needs memory too`() throws {
        let arena = PageArena(bytesMax: 2 << 20)
        let files = FileTable()
        let owner = PageOwner(arena: arena, files: files, id: 1)
        var builder = Tree.build(valueWidth: 0, owner: owner, files: files)
        let error = #expect(throws: EngineError.self) {
            for number in UInt32(0)..<4_000_000 {
                var key: [UInt8] = []
                key.appendBig(number)
                try builder.append(key: key, value: 0)
            }
        }
        #expect(error?.code == .outOfMemory)
        owner.rollback()
        #expect(arena.pagesInUse == 0)
    }
}
