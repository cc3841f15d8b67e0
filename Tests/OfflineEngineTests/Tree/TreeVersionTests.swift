import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeVersionTests {
    @Test(arguments: KeyShape.allCases)
    func `versions read the same after thousands of later commits`(_ shape: KeyShape) throws {
        var random = SeededRandom(seed: 21)
        var fixture = TreeFixture()
        // Each with the pages that the following commit replaced, which it needs.
        var versions:
            [(tree: Tree, content: [[UInt8]: UInt64], retired: [UnsafeMutableRawPointer])] =
                unsafe []
        for step in 0..<2_000 {
            let isKept = step % 100 == 0
            if random.chance(2, in: 5), !fixture.model.isEmpty {
                try fixture.remove(fixture.model[random.below(fixture.model.count)].key)
            } else {
                try fixture.insert(shape.key(&random, step), random.next())
            }
            let retired = unsafe fixture.commit()
            if unsafe versions.isEmpty {
                unsafe fixture.arena.free(contentsOf: retired)
            } else {
                unsafe versions[versions.count - 1].retired += retired
            }
            if isKept {
                let content = Dictionary(
                    uniqueKeysWithValues: fixture.model.map { ($0.key, $0.value) })
                unsafe versions.append((fixture.tree, content, []))
            }
        }
        // The oldest goes first, as with a chain of versions.
        while unsafe !versions.isEmpty {
            let version = unsafe versions.removeFirst()
            let entries = unsafe try version.tree.entries()
            let content = unsafe version.content
            #expect(entries.count == content.count)
            #expect(entries.allSatisfy { content[$0.key] == $0.value })
            #expect(unsafe Tree.check(version.tree.root, files: fixture.files, limit: 3) == [])
            unsafe fixture.arena.free(contentsOf: version.retired)
        }
        try fixture.verify("\(shape)")
        #expect(Pages.reachable(fixture.tree.root).count == fixture.arena.pagesInUse)
    }

    @Test(arguments: KeyShape.allCases)
    func `a rollback leaves the version before and frees all that was made`(
        _ shape: KeyShape
    ) throws {
        var random = SeededRandom(seed: 22)
        var fixture = TreeFixture()
        for step in 0..<600 { try fixture.insert(shape.key(&random, step), random.next()) }
        fixture.commitAlone()
        let (before, pagesBefore) = (fixture.tree, fixture.arena.pagesInUse)
        var changed = before
        let owner = PageOwner(arena: fixture.arena, files: fixture.files, id: 1_000)
        for step in 0..<300 {
            _ = try changed.insert(shape.key(&random, step), 1, owner)
            let key = fixture.model[random.below(fixture.model.count)].key
            _ = try changed.remove(key, owner)
        }
        owner.rollback()
        #expect(unsafe owner.created.isEmpty && owner.retired.isEmpty)
        #expect(fixture.arena.pagesInUse == pagesBefore)
        #expect(fixture.tree.root == before.root)
        try fixture.verify("\(shape)")
    }

    @Test func `pages that an owner makes and drops are free at once`() throws {
        var fixture = TreeFixture()
        for round in 0..<10 {
            for number in 0..<400 { try fixture.insert(Array("\(number)".utf8), UInt64(round)) }
            let pages = Pages.reachable(fixture.tree.root)
            #expect(pages.count == fixture.arena.pagesInUse)
            let created = unsafe Set(fixture.owner.created.map { UInt64(UInt(bitPattern: $0)) })
            #expect(created == pages)
            for number in 0..<400 { try fixture.remove(Array("\(number)".utf8)) }
            #expect(fixture.arena.pagesInUse == 0)
            #expect(unsafe fixture.owner.created.isEmpty && fixture.owner.retired.isEmpty)
        }
    }

    @Test func `a value that is set again in the same write stays in its page`() throws {
        var fixture = TreeFixture()
        for number in 0..<1_000 { try fixture.insert(Array("\(number)".utf8), 1) }
        fixture.commitAlone()
        let pages = fixture.arena.pagesInUse
        try fixture.insert(Array("500".utf8), 2)
        let retired = unsafe fixture.owner.retired.count
        #expect(fixture.arena.pagesInUse == pages + retired)
        for value in 3..<20 { try fixture.insert(Array("500".utf8), UInt64(value)) }
        #expect(fixture.arena.pagesInUse == pages + retired)
        try fixture.verify("set")
    }

    @Test func `setting an index entry that is there changes nothing`() throws {
        var fixture = TreeFixture(valueWidth: 0)
        for number in 0..<1_000 { try fixture.insert(Array("\(number)".utf8), 0) }
        fixture.commitAlone()
        let root = fixture.tree.root
        try fixture.insert(Array("77".utf8), 0)
        #expect(fixture.tree.root == root)
        #expect(unsafe fixture.owner.created.isEmpty)
    }

    @Test func `relative values become locations in leaves of this owner's alone`() throws {
        var fixture = TreeFixture()
        let final = Location(file: FileNumber(3), offset: 4_096, tag: false).word
        for number in 0..<2_000 { try fixture.insert(Array("a\(number)".utf8), final) }
        fixture.commitAlone()
        // An index tree of the same owner, whose keys look like anything.
        var index = Tree(root: .empty(valueWidth: 0), files: fixture.files)
        for number in 0..<500 {
            let relative = UInt64(number) << 1 | 1
            try fixture.insert(Array("b\(number)".utf8), relative)
            _ = try index.insert(Array("b\(number)".utf8), 0, fixture.owner)
        }
        let before = try index.entries().map(\.key)
        fixture.owner.resolveRelative(file: FileNumber(9), base: 1 << 20)
        // Again, as for a body that was moved in parts: what is final stays.
        fixture.owner.resolveRelative(file: FileNumber(10), base: 0)
        for number in 0..<500 {
            let wanted = Location(
                file: FileNumber(9), offset: 1 << 20 + UInt64(number) * 8, tag: false)
            #expect(try fixture.tree.value(Array("b\(number)".utf8)) == wanted.word)
        }
        for number in stride(from: 0, to: 2_000, by: 9) {
            #expect(try fixture.tree.value(Array("a\(number)".utf8)) == final)
        }
        #expect(try index.entries().map(\.key) == before)
        #expect(Tree.check(index.root, files: fixture.files, limit: 3) == [])
    }

    @Test func `a key over the limit is refused and changes nothing`() throws {
        var fixture = TreeFixture()
        try fixture.insert([1], 1)
        let tooLong = [UInt8](repeating: 1, count: NodeLayout.keyBytesMax + 1)
        let error = #expect(throws: EngineError.self) {
            try fixture.tree.insert(tooLong, 1, fixture.owner)
        }
        #expect(error?.code == .limit)
        #expect(try fixture.tree.value(tooLong) == nil)
        #expect(try fixture.tree.remove(tooLong, fixture.owner) == nil)
        try fixture.verify("unchanged")
    }
}
