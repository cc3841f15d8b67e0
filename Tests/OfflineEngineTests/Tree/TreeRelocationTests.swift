import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeRelocationTests {
    @Test(arguments: KeyShape.allCases.filter { $0 != .tiny })
    func `a file is left when all its nodes were relocated and written again`(
        _ shape: KeyShape
    ) throws {
        var random = SeededRandom(seed: 31)
        var fixture = TreeFixture()
        var old = MemoryFile(1, fixture.files)
        try change(&fixture, shape, &random, 2_500)
        try pack(&fixture, &old)
        // Some of the nodes are replaced by later ones.
        var newer = MemoryFile(2, fixture.files)
        try change(&fixture, shape, &random, 4)
        try pack(&fixture, &newer)

        var live = 0
        for place in old.places where try fixture.tree.relocate(old.location(place), fixture.owner)
        {
            live += 1
        }
        #expect(live > 0 && live <= old.nodeCount)
        fixture.commitAlone()
        try fixture.verify("relocated \(shape)")
        var last = MemoryFile(3, fixture.files)
        try pack(&fixture, &last)
        // Whatever would still lead there is found now.
        for place in old.places { old.setByte(place + 4, 0) }
        old.forgetVerified()
        try fixture.verify("without the file \(shape)")
    }

    @Test func `a node that the tree doesn't lead to changes nothing`() throws {
        var fixture = TreeFixture()
        var file = MemoryFile(1, fixture.files)
        for number in 0..<3_000 { try fixture.insert(Array("key\(number)".utf8), 1) }
        try pack(&fixture, &file)
        // Another tree of the same keys, in another file.
        var other = TreeFixture(files: fixture.files)
        for number in 0..<3_000 { try other.insert(Array("key\(number)".utf8), 2) }
        var otherFile = MemoryFile(2, fixture.files)
        try pack(&other, &otherFile)
        let root = fixture.tree.root
        for place in otherFile.places {
            #expect(try !fixture.tree.relocate(otherFile.location(place), fixture.owner))
        }
        #expect(fixture.tree.root == root)
        #expect(unsafe fixture.owner.created.isEmpty)
        var empty = Tree(root: .empty(valueWidth: 8), files: fixture.files)
        #expect(try !empty.relocate(file.location(file.places[0]), fixture.owner))
    }

    @Test func `a node is copied once, with the branches above it`() throws {
        var fixture = TreeFixture()
        var file = MemoryFile(1, fixture.files)
        for number in 0..<3_000 { try fixture.insert(Array("key\(number)".utf8), 1) }
        try pack(&fixture, &file)
        let leaf = file.location(file.places[3])
        #expect(try fixture.tree.relocate(leaf, fixture.owner))
        #expect(fixture.arena.pagesInUse == 2)
        // It is in memory now.
        #expect(try !fixture.tree.relocate(leaf, fixture.owner))
        #expect(fixture.arena.pagesInUse == 2)
        try fixture.verify("one leaf")
    }

    private func pack(_ fixture: inout TreeFixture, _ file: inout MemoryFile) throws {
        let through = FileNumber(file.number.value - 1)
        fixture.commitAlone()
        let packed = try Tree.pack(
            fixture.tree.root, files: fixture.files, through: through, into: &file)
        fixture.tree.root = try Tree.swap(
            fixture.tree.root, through: file.number, fixture.owner)
        #expect(fixture.tree.root == packed)
        fixture.commitAlone()
    }

    private func change(
        _ fixture: inout TreeFixture, _ shape: KeyShape, _ random: inout SeededRandom, _ count: Int
    ) throws {
        for step in 0..<count {
            if random.chance(1, in: 4), !fixture.model.isEmpty {
                try fixture.remove(fixture.model[random.below(fixture.model.count)].key)
            } else {
                try fixture.insert(shape.key(&random, step), random.next())
            }
        }
    }
}
