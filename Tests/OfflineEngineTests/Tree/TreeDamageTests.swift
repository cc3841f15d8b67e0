import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeDamageTests {
    @Test func `every damaged byte of every node is reported with its place`() throws {
        // Two leaves and a branch with little in them, so that all bytes can be tried.
        let stored = try StoredTree(count: 260, shape: .structured)
        #expect(stored.file.nodeCount == 3)
        for place in stored.file.places {
            for offset in place..<place + stored.file.node(place).length {
                let byte = stored.file.byte(offset)
                stored.file.setByte(offset, byte ^ 0x10)
                stored.file.forgetVerified()
                let error = #expect(throws: EngineError.self) { try stored.tree.entries() }
                #expect(error?.code == .corrupted && error?.file == "00000001.tree")
                #expect(error?.offset == UInt64(place), "byte \(offset - place)")
                stored.file.setByte(offset, byte)
            }
        }
        stored.file.forgetVerified()
        #expect(try stored.tree.entries().count == stored.tree.count)
    }

    @Test func `a file cut anywhere is reported where a node is missing`() throws {
        let stored = try StoredTree(count: 600, shape: .random)
        for place in stored.file.places {
            for missing in [1, 8, stored.file.node(place).length] {
                stored.file.forgetVerified()
                stored.file.cut(to: place + stored.file.node(place).length - missing)
                let error = #expect(throws: EngineError.self) { try stored.tree.entries() }
                #expect(error?.code == .corrupted)
                // The root is the last node, so whatever is missing, it is.
                #expect(error?.offset == UInt64(try #require(stored.file.places.last)))
            }
        }
    }

    @Test func `a tree in a file that isn't there is damage`() throws {
        let files = FileTable()
        let root = TreeRoot(
            node: Location(file: FileNumber(12), offset: 64, tag: true).word, count: 5,
            valueWidth: 8)
        let tree = Tree(root: root, files: files)
        let error = #expect(throws: EngineError.self) { try tree.value([1]) }
        #expect(error?.code == .corrupted && error?.file == "00000012.tree" && error?.offset == 64)
        #expect(Tree.check(root, files: files, limit: 9).map(\.file) == ["00000012.tree"])
    }

    @Test func `a branch that leads to itself, up, or aside doesn't lead astray`() throws {
        let stored = try StoredTree(count: 30_000, shape: .random)
        let branches = stored.file.places.filter { stored.file.node($0).isBranch }
        #expect(branches.count > 2)
        for branch in branches {
            let slot = stored.file.node(branch).slot(1)
            let child = stored.file.node(branch).child(1)
            for target in branches where stored.file.location(target).word != child {
                unsafe (stored.file.base + branch).storeLittle(
                    stored.file.location(target).word, at: slot.offset)
                stored.file.seal(branch)
                stored.file.forgetVerified()
                // A branch of the right level is only found to be in the wrong place by the check.
                let isLevelRight =
                    stored.file.node(target).level + 1 == stored.file.node(branch).level
                let count = try? stored.tree.entries().count
                #expect((count == nil) != isLevelRight)
                #expect(!Tree.check(stored.tree.root, files: stored.files, limit: 9).isEmpty)
            }
            unsafe (stored.file.base + branch).storeLittle(child, at: slot.offset)
            stored.file.seal(branch)
        }
        #expect(Tree.check(stored.tree.root, files: stored.files, limit: 9) == [])
    }

    @Test func `a leaf in the wrong place is never written into`() throws {
        let stored = try StoredTree(count: 2_000, shape: .structured)
        // Two leaves change places: each node is sound, the tree isn't.
        let root = try #require(stored.file.places.last)
        let node = stored.file.node(root)
        let (second, third) = (node.child(1), node.child(2))
        let page = unsafe NodePage(stored.file.base + root)
        page.setChild(1, third)
        page.setChild(2, second)
        stored.file.seal(root)
        stored.file.forgetVerified()
        let findings = Tree.check(stored.tree.root, files: stored.files, limit: 9)
        #expect(findings.count >= 2)
        let key = stored.file.node(Int(Location(word: second).offset)).key(0)
        var tree = stored.tree
        let owner = PageOwner(arena: PageArena(), files: stored.files, id: 5)
        let error = #expect(throws: EngineError.self) { try tree.insert(key + [1], 1, owner) }
        #expect(error?.code == .corrupted && error?.offset == Location(word: third).offset)
        #expect(tree.root == stored.tree.root)
        #expect(unsafe owner.created.isEmpty)
    }

    @Test func `a wrong count is reported and not written on`() throws {
        let stored = try StoredTree(count: 2_000, shape: .structured)
        let root = try #require(stored.file.places.last)
        let page = unsafe NodePage(stored.file.base + root)
        page.setBelow(1, page.node.below(1) + 7)
        stored.file.seal(root)
        stored.file.forgetVerified()
        #expect(Tree.check(stored.tree.root, files: stored.files, limit: 9).count == 2)
        var tree = stored.tree
        let owner = PageOwner(arena: PageArena(), files: stored.files, id: 5)
        #expect(throws: EngineError.self) { try tree.insert([1], 1, owner) }
        // A position that the leaf hasn't.
        let position = Int(page.node.below(before: 2)) - 1
        #expect(throws: EngineError.self) { try tree.key(at: position) }
    }

    @Test func `a neighbour that can't be read doesn't keep a record from being removed`() throws {
        let stored = try StoredTree(count: 1_000, shape: .random)
        let root = stored.file.node(try #require(stored.file.places.last))
        let count = Int(root.below(0))
        // The second leaf is damaged.
        let damaged = Int(Location(word: root.child(1)).offset)
        stored.file.setByte(damaged + 100, stored.file.byte(damaged + 100) ^ 1)
        stored.file.forgetVerified()
        var tree = stored.tree
        let owner = PageOwner(arena: PageArena(), files: stored.files, id: 5)
        for _ in 0..<count {
            let key = try #require(try tree.key(at: 0))
            #expect(try tree.remove(key, owner) != nil)
        }
        #expect(tree.count == 1_000 - count)
        #expect(Tree.check(tree.root, files: stored.files, limit: 9).count == 1)
    }

    @Test(
        arguments: [KeyShape.tiny, .structured, .longPrefix, .huge, .mixed], SeededRandom.seeds(4))
    func `nodes that lie under a right checksum are refused or harmless`(
        _ shape: KeyShape, _ seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<10 {
            let stored = try StoredTree(count: 400, shape: shape)
            stored.file.trim()
            for _ in 0...random.below(3) {
                let place = stored.file.places[random.below(stored.file.nodeCount)]
                // A change before may have made it say anything.
                let length = min(stored.file.node(place).length, stored.file.length - place)
                // Mostly the header and the slots, where the structure is.
                let offset =
                    place + random.below(random.chance(2, in: 3) ? min(160, length) : length)
                let change =
                    random.chance(1, in: 2) ? UInt8(1 << random.below(8)) : UInt8(random.below(256))
                stored.file.setByte(offset, stored.file.byte(offset) ^ change)
                stored.file.seal(place)
            }
            stored.file.forgetVerified()
            try use(stored, shape, &random)
        }
    }

    /// Does everything that can be done with a tree; any error of the engine's will do.
    private func use(_ stored: StoredTree, _ shape: KeyShape, _ random: inout SeededRandom) throws {
        var tree = stored.tree
        let arena = PageArena()
        let owner = PageOwner(arena: arena, files: stored.files, id: 5)
        for step in 0..<150 {
            let key =
                random.chance(1, in: 2)
                ? stored.model[random.below(stored.model.count)] : shape.key(&random, step)
            do {
                switch random.below(8) {
                case 0: _ = try tree.value(key)
                case 1, 2: _ = try tree.insert(key, 7, owner)
                case 3, 4: _ = try tree.remove(key, owner)
                case 5: _ = try tree.rank(of: key)
                case 6: _ = try tree.key(at: random.below(400))
                default:
                    var cursor = tree.cursor()
                    try cursor.seek(key)
                    for _ in 0..<60 where cursor.isValid {
                        _ = cursor.key
                        if random.chance(1, in: 2) {
                            try cursor.next()
                        } else {
                            try cursor.previous()
                        }
                    }
                }
            } catch is EngineError {}
        }
        _ = Tree.check(tree.root, files: stored.files, limit: 20)
        var file = MemoryFile(2, stored.files, capacity: 4 << 20)
        let packed = try Tree.pack(
            tree.root, files: stored.files, through: FileNumber(1), into: &file)
        _ = Tree.check(packed, files: stored.files, limit: 20)
        #expect(try Tree.swap(tree.root, through: file.number, owner) == packed)
        owner.rollback()
        #expect(arena.pagesInUse == 0)
    }
}

/// A tree that is all in a file.
private struct StoredTree {
    let files = FileTable()
    let file: MemoryFile
    let tree: Tree
    let model: [[UInt8]]

    init(count: Int, shape: KeyShape) throws {
        var random = SeededRandom(seed: UInt64(count))
        let arena = PageArena()
        let owner = PageOwner(arena: arena, files: files, id: 1)
        var tree = Tree(root: .empty(valueWidth: 8), files: files)
        var step = 0
        while tree.count < count && step < 2 * count {
            _ = try tree.insert(shape.key(&random, step), random.next(), owner)
            step += 1
        }
        var file = MemoryFile(1, files, capacity: 4 << 20)
        tree.root = try Tree.pack(tree.root, files: files, through: FileNumber(0), into: &file)
        self.file = file
        self.tree = tree
        model = try tree.entries().map(\.key)
    }
}
