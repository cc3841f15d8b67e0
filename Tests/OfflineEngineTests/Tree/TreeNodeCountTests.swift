// How many nodes an operation looks at: each is verified when it is first met, which leaves a mark to count.
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeNodeCountTests {
    @Test func `counts, ranks and positions look at a path or two, wherever they are`() throws {
        let files = FileTable()
        let owner = PageOwner(arena: PageArena(), files: files, id: 1)
        var builder = Tree.build(valueWidth: 0, owner: owner, files: files)
        let count = 300_000
        for number in 0..<count { try builder.append(key: key(number), value: 0) }
        var file = MemoryFile(1, files)
        let root = try Tree.pack(
            builder.finish(), files: files, through: FileNumber(0), into: &file)
        owner.rollback()
        let tree = Tree(root: root, files: files)
        let levels = try files.root(root).level + 1
        #expect(levels >= 3 && file.nodeCount > 500)
        var random = SeededRandom(seed: 4)
        for _ in 0..<50 {
            let first = random.below(count)
            let second = first + random.below(count - first)
            file.forgetVerified()
            let counted = try tree.count(from: key(first), to: key(second))
            #expect(counted == second - first)
            #expect(file.verifiedCount <= 2 * levels)
            file.forgetVerified()
            let rank = try tree.rank(of: key(first))
            #expect(rank == first)
            #expect(file.verifiedCount <= levels)
            file.forgetVerified()
            var cursor = tree.cursor()
            let isThere = try cursor.seek(position: second)
            #expect(isThere && cursor.key == key(second))
            #expect(file.verifiedCount <= levels)
        }
    }

    private func key(_ number: Int) -> [UInt8] {
        var key: [UInt8] = []
        key.appendBig(UInt32(truncatingIfNeeded: number))
        return key
    }
}
