// A tree beside a sorted array that says what it must hold, and keys of every shape.
import StorageSimulation
import Testing

@testable import OfflineEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What keys a test draws. Small spaces make hits and removals likely; the extremes make nodes
/// split and merge at once.
enum KeyShape: String, CaseIterable, Sendable {
    /// 0 to 3 bytes: the empty key, keys that begin each other, zeros.
    case tiny
    case random
    /// `user:` and digits: heads are equal without the prefix.
    case structured
    /// Hundreds of shared bytes, then a few that differ, in several families.
    case longPrefix
    /// 1,500 to 1,600 bytes, two or three a node.
    case huge
    /// 1 to 1,600 bytes.
    case mixed
    case ascending
    case descending

    func key(_ random: inout SeededRandom, _ step: Int) -> [UInt8] {
        switch self {
        case .tiny: (0..<random.below(4)).map { _ in [0, 1, 0x61, 0xFF][random.below(4)] }
        case .random: random.bytes(16)
        case .structured: Array("user:\(10_000_000_000 + random.below(3_000))".utf8)
        case .longPrefix:
            [UInt8](repeating: UInt8(random.below(4)), count: 400 + 300 * random.below(4))
                + random.bytes(random.below(3))
        case .huge:
            [UInt8](repeating: UInt8(random.below(2)), count: random.below(1_500))
                + random.bytes(100)
        case .mixed:
            [UInt8](repeating: 0x7A, count: random.below(20) * random.below(70))
                + random.bytes(random.below(270))
        case .ascending: Array("k\(1_000_000 + step)".utf8)
        case .descending: Array("k\(9_000_000 - step)".utf8)
        }
    }
}

/// A tree being written by one owner after the other, and what it must hold.
struct TreeFixture {
    let arena: PageArena
    let files: FileTable
    var tree: Tree
    var owner: PageOwner
    /// Ascending by key.
    var model: [(key: [UInt8], value: UInt64)] = []
    private var lastID: UInt64 = 1

    init(
        valueWidth: UInt8 = 8, files: FileTable = FileTable(), arena: PageArena = PageArena()
    ) {
        self.files = files
        self.arena = arena
        tree = Tree(root: .empty(valueWidth: valueWidth), files: files)
        owner = PageOwner(arena: arena, files: files, id: 1)
    }

    /// Ends the owner's work and gives the pages that it replaced.
    mutating func commit() -> [UnsafeMutableRawPointer] {
        let retired = unsafe owner.retired
        lastID += 1
        owner = PageOwner(arena: arena, files: files, id: lastID)
        return unsafe retired
    }

    /// Ends the owner's work where nobody reads older versions.
    mutating func commitAlone() { unsafe arena.free(contentsOf: commit()) }

    /// The first place in the model at or after a key.
    func place(_ key: [UInt8]) -> Int {
        var (low, high) = (0, model.count)
        while low < high {
            let middle = (low + high) / 2
            if ByteString(model[middle].key) < ByteString(key) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    func holds(_ key: [UInt8]) -> Bool {
        let place = place(key)
        return place < model.count && model[place].key == key
    }

    mutating func insert(_ key: [UInt8], _ value: UInt64) throws {
        let value = tree.root.valueWidth == 0 ? 0 : value
        let old = try tree.insert(key, value, owner)
        let place = place(key)
        if holds(key) {
            #expect(old == model[place].value)
            model[place].value = value
        } else {
            #expect(old == nil)
            model.insert((key, value), at: place)
        }
    }

    mutating func remove(_ key: [UInt8]) throws {
        let old = try tree.remove(key, owner)
        let place = place(key)
        if holds(key) {
            #expect(old == model[place].value)
            model.remove(at: place)
        } else {
            #expect(old == nil)
        }
    }

    /// The tree's invariants, and that it holds what the model does.
    func verify(_ note: @autoclosure () -> Comment) throws {
        #expect(Tree.check(tree.root, files: files, limit: 5) == [], note())
        try #require(tree.count == model.count, note())
        var cursor = tree.cursor()
        var isThere = try cursor.seekToFirst()
        for entry in model {
            try #require(isThere, note())
            try #require(cursor.key == entry.key && cursor.value == entry.value, note())
            isThere = try cursor.next()
        }
        #expect(!isThere, note())
        #expect(Pages.reachable(tree.root).count <= arena.pagesInUse, note())
    }
}

/// Bytes in key order, by the system's library and not by what is tested.
struct ByteString: Comparable {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func < (a: ByteString, b: ByteString) -> Bool {
        let order = unsafe memcmp(a.bytes, b.bytes, min(a.bytes.count, b.bytes.count))
        return order < 0 || order == 0 && a.bytes.count < b.bytes.count
    }
}

/// Walks the pages of trees.
enum Pages {
    /// The addresses of a tree's pages in memory.
    static func reachable(_ root: TreeRoot) -> Set<UInt64> {
        var result: Set<UInt64> = []
        collect(root.node, &result)
        return result
    }

    private static func collect(_ reference: UInt64, _ result: inout Set<UInt64>) {
        guard reference & 1 == 0, let page = unsafe UnsafeRawPointer(bitPattern: UInt(reference))
        else { return }
        result.insert(reference)
        let node = unsafe Node(page)
        guard node.isBranch else { return }
        for index in 0..<node.count { collect(node.child(index), &result) }
    }

    /// The page of a reference.
    static func node(_ reference: UInt64) throws -> Node {
        unsafe Node(try #require(UnsafeRawPointer(bitPattern: UInt(reference))))
    }
}

extension Tree {
    func value(_ key: [UInt8]) throws -> UInt64? {
        try unsafe key.withUnsafeBytes { unsafe try value(of: $0) }
    }

    mutating func insert(_ key: [UInt8], _ value: UInt64, _ owner: PageOwner) throws -> UInt64? {
        try unsafe key.withUnsafeBytes { unsafe try insert($0, value: value, owner) }
    }

    mutating func remove(_ key: [UInt8], _ owner: PageOwner) throws -> UInt64? {
        try unsafe key.withUnsafeBytes { unsafe try remove($0, owner) }
    }

    /// All entries, by a cursor.
    func entries() throws -> [(key: [UInt8], value: UInt64)] {
        var result: [(key: [UInt8], value: UInt64)] = []
        var cursor = cursor()
        var isThere = try cursor.seekToFirst()
        while isThere {
            result.append((cursor.key, cursor.value))
            isThere = try cursor.next()
        }
        return result
    }
}
