import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeCheckpointTests {
    @Test(arguments: KeyShape.allCases)
    func `a packed tree reads the same from its file`(_ shape: KeyShape) throws {
        var random = SeededRandom(seed: 11)
        var fixture = TreeFixture()
        for step in 0..<1_500 { try fixture.insert(shape.key(&random, step), random.next()) }
        for step in 0..<300 { try fixture.remove(shape.key(&random, step)) }
        fixture.commitAlone()
        let before = fixture.tree
        var file = MemoryFile(1, fixture.files)
        let packed = try Tree.pack(
            fixture.tree.root, files: fixture.files, through: FileNumber(0), into: &file)
        #expect(packed.isStored)
        #expect(file.nodeCount == fixture.arena.pagesInUse)
        #expect(file.length - MemoryFile.start < file.nodeCount * NodeLayout.pageSize)
        fixture.tree.root = packed
        try fixture.verify("from the file")
        file.forgetVerified()
        try fixture.verify("verified anew")
        fixture.tree = before
        try fixture.verify("the pages, which are as they were")
    }

    @Test func `an empty tree and a stored one are packed to themselves`() throws {
        let files = FileTable()
        var file = MemoryFile(1, files)
        let empty = TreeRoot.empty(valueWidth: 8)
        #expect(try Tree.pack(empty, files: files, through: FileNumber(0), into: &file) == empty)
        let stored = TreeRoot(
            node: Location(file: FileNumber(7), offset: 64, tag: true).word, count: 1,
            valueWidth: 0)
        #expect(try Tree.pack(stored, files: files, through: FileNumber(0), into: &file) == stored)
        #expect(file.nodeCount == 0)
    }

    @Test(arguments: KeyShape.allCases, SeededRandom.seeds(2))
    func `checkpoints under changes keep the tree and let go of the memory`(
        _ shape: KeyShape, _ seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        var fixture = TreeFixture()
        var segments: [MemoryFile] = []
        for round in 1...8 {
            let note: Comment = "\(shape) seed \(seed) round \(round)"
            try change(&fixture, shape, &random, 200)
            // Pages retired from here on may be read by the checkpoint's version.
            let frozen = fixture.tree
            let content = try frozen.entries()
            var held = unsafe fixture.commit()
            var file = MemoryFile(UInt32(round), fixture.files, capacity: 4 << 20)
            let through = FileNumber(UInt32(round - 1))
            let packed = try Tree.pack(
                frozen.root, files: fixture.files, through: through, into: &file)
            try change(&fixture, shape, &random, random.below(60))
            unsafe held += fixture.commit()
            let newest = fixture.tree
            let newestContent = try newest.entries()

            fixture.tree.root = try Tree.swap(newest.root, through: file.number, fixture.owner)
            unsafe held += fixture.commit()
            try fixture.verify(note)
            // Older versions are as they were.
            #expect(try same(Tree(root: packed, files: fixture.files).entries(), content), note)
            #expect(try same(frozen.entries(), content), note)
            #expect(try same(newest.entries(), newestContent), note)
            #expect(unsafe Set(held.map { UInt64(UInt(bitPattern: $0)) }).count == held.count, note)
            unsafe fixture.arena.free(contentsOf: held)
            // What is in memory is what changed since the checkpoint began.
            #expect(Pages.reachable(fixture.tree.root).count == fixture.arena.pagesInUse, note)
            try fixture.verify(note)
            segments.append(file)
        }
        try fixture.verify("\(shape) seed \(seed)")
        withExtendedLifetime(segments) {}
    }

    @Test func `a swap of a tree without changes leaves nothing in memory`() throws {
        var fixture = try filled(2_000)
        var file = MemoryFile(3, fixture.files)
        let packed = try Tree.pack(
            fixture.tree.root, files: fixture.files, through: FileNumber(2), into: &file)
        let swapped = try Tree.swap(fixture.tree.root, through: file.number, fixture.owner)
        #expect(swapped == packed)
        fixture.tree.root = swapped
        fixture.commitAlone()
        #expect(fixture.arena.pagesInUse == 0)
        try fixture.verify("swapped")
    }

    @Test func `what an earlier checkpoint wrote isn't written again`() throws {
        var fixture = try filled(3_000)
        var first = MemoryFile(1, fixture.files)
        _ = try Tree.pack(
            fixture.tree.root, files: fixture.files, through: FileNumber(0), into: &first)
        // No swap: the pages stay. One path changes.
        try fixture.insert(Array("key1500x".utf8), 1)
        let held = unsafe fixture.commit()
        var second = MemoryFile(2, fixture.files)
        fixture.tree.root = try Tree.pack(
            fixture.tree.root, files: fixture.files, through: first.number, into: &second)
        #expect(first.nodeCount > 20)
        #expect((2...5).contains(second.nodeCount))
        try fixture.verify("in two files")
        unsafe fixture.arena.free(contentsOf: held)
    }

    @Test func `a failed checkpoint leaves no trace`() throws {
        var fixture = try filled(3_000)
        let pages = Pages.reachable(fixture.tree.root)
        for nodesMax in [0, 1, 7, 20] {
            var failing = MemoryFile(5, fixture.files)
            failing.nodesMax = nodesMax
            #expect(throws: EngineError.self) {
                try Tree.pack(
                    fixture.tree.root, files: fixture.files, through: FileNumber(4), into: &failing)
            }
            Tree.forgetLocations(fixture.tree.root, after: FileNumber(4))
            for page in pages {
                #expect(try #require(NodePage(reference: page)).remembered.word == 0)
            }
        }
        // The file's number isn't used again in a store; here it shows that nothing is left.
        var file = MemoryFile(5, fixture.files)
        fixture.tree.root = try Tree.pack(
            fixture.tree.root, files: fixture.files, through: FileNumber(5), into: &file)
        #expect(file.nodeCount == pages.count)
        try fixture.verify("packed")
    }

    @Test func `forgetting keeps what completed checkpoints wrote`() throws {
        var fixture = try filled(3_000)
        var first = MemoryFile(1, fixture.files)
        let packed = try Tree.pack(
            fixture.tree.root, files: fixture.files, through: FileNumber(0), into: &first)
        Tree.forgetLocations(fixture.tree.root, after: first.number)
        #expect(try Tree.swap(fixture.tree.root, through: first.number, fixture.owner) == packed)
        fixture.commitAlone()
        #expect(fixture.arena.pagesInUse == 0)
    }

    @Test func `a swap ignores what a checkpoint in progress wrote`() throws {
        let fixture = try filled(1_000)
        var file = MemoryFile(9, fixture.files)
        _ = try Tree.pack(
            fixture.tree.root, files: fixture.files, through: FileNumber(8), into: &file)
        let swapped = try Tree.swap(fixture.tree.root, through: FileNumber(8), fixture.owner)
        #expect(swapped == fixture.tree.root)
        #expect(unsafe fixture.owner.retired.isEmpty && fixture.owner.created.isEmpty)
    }

    @Test func `packed nodes have zeros where memory has its own`() throws {
        let fixture = try filled(500)
        var file = MemoryFile(1, fixture.files)
        _ = try Tree.pack(
            fixture.tree.root, files: fixture.files, through: FileNumber(0), into: &file)
        for place in file.places {
            let zeros = Array(18..<24) + Array(40..<64)
            #expect(zeros.allSatisfy { file.byte(place + $0) == 0 })
            let node = file.node(place)
            #expect((node.slotsEnd..<node.heapStart).allSatisfy { file.byte(place + $0) == 0 })
        }
    }

    private func filled(_ count: Int) throws -> TreeFixture {
        var fixture = TreeFixture()
        for step in 0..<count { try fixture.insert(Array("key\(step)".utf8), UInt64(step)) }
        fixture.commitAlone()
        return fixture
    }

    private func change(
        _ fixture: inout TreeFixture, _ shape: KeyShape, _ random: inout SeededRandom, _ count: Int
    ) throws {
        for step in 0..<count {
            if random.chance(2, in: 5), !fixture.model.isEmpty {
                try fixture.remove(fixture.model[random.below(fixture.model.count)].key)
            } else {
                try fixture.insert(shape.key(&random, step), random.next())
            }
        }
    }

    private func same(
        _ a: [(key: [UInt8], value: UInt64)], _ b: [(key: [UInt8], value: UInt64)]
    ) -> Bool {
        a.elementsEqual(b) { $0.key == $1.key && $0.value == $1.value }
    }
}
