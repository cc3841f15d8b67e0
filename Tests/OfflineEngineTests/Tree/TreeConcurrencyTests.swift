import Dispatch
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeConcurrencyTests {
    private static let commitsMin = 1_000
    private static let checkpointsMin = 3

    /// A writer commits, a checkpoint packs what is published and the writer swaps, and two readers
    /// read whatever version is the newest; versions die on all of these threads.
    @Test(arguments: SeededRandom.seeds(2))
    func `readers, a writer and checkpoints share pages`(_ seed: UInt64) {
        let store = SharedStore()
        let group = DispatchGroup()
        for role in 0..<4 {
            // A serial queue has a thread of its own, however few the processors.
            DispatchQueue(label: "role \(role)").async(group: group) {
                var random = SeededRandom(seed: seed &* 4 &+ UInt64(role))
                do {
                    switch role {
                    case 0: try write(store, &random)
                    case 1: try checkpoint(store)
                    default: try read(store, &random)
                    }
                } catch {
                    Issue.record("role \(role) seed \(seed): \(error)")
                }
                // Whoever fails must not leave the others running.
                store.isDone.withLock { $0 = true }
            }
        }
        group.wait()
        let version = store.newest.withLock { $0 }
        #expect(Tree.check(version.tree.root, files: store.files, limit: 5) == [])
        #expect(version.tree.count == version.sum)
        #expect(store.checkpointCount.withLock { $0 } >= Self.checkpointsMin)
        // All older versions are gone, so only the newest one's pages are left.
        #expect(Pages.reachable(version.tree.root).count == store.arena.pagesInUse)
    }

    /// Each commit inserts three keys and removes one, so that a version's count follows from its
    /// number.
    private func write(_ store: SharedStore, _ random: inout SeededRandom) throws {
        var keys: [[UInt8]] = []
        var commit = 0
        while commit < Self.commitsMin
            || store.checkpointCount.withLock({ $0 }) < Self.checkpointsMin
        {
            if store.isDone.withLock({ $0 }) { return }
            commit += 1
            let base = store.newest.withLock { $0 }
            let owner = PageOwner(arena: store.arena, files: store.files, id: UInt64(commit))
            var tree = base.tree
            if let through = store.finished.withLock({ $0.take() }) {
                tree.root = try Tree.swap(tree.root, through: through, owner)
            }
            for part in 0..<3 {
                keys.append(Array("key\(commit)-\(part)".utf8) + random.bytes(1 + random.below(7)))
                _ = try tree.insert(keys[keys.count - 1], UInt64(commit), owner)
            }
            let removed = keys.remove(at: random.below(keys.count))
            #expect(try tree.remove(removed, owner) != nil)
            store.publish(SharedVersion(tree, sum: 2 * commit, store), after: base, owner)
        }
    }

    private func checkpoint(_ store: SharedStore) throws {
        var number: UInt32 = 0
        while !store.isDone.withLock({ $0 }) {
            let version = store.newest.withLock { $0 }
            // The writer has yet to let go of what the last one wrote.
            if version.sum == 0 || store.finished.withLock({ $0 != nil }) { continue }
            number += 1
            var file = MemoryFile(number, store.files, capacity: 2 << 20)
            store.segments.withLock { $0.append(file) }
            let packed = try Tree.pack(
                version.tree.root, files: store.files, through: FileNumber(number - 1), into: &file)
            let tree = Tree(root: packed, files: store.files)
            #expect(try tree.entries().count == version.sum)
            store.checkpointCount.withLock { $0 += 1 }
            store.finished.withLock { $0 = file.number }
        }
    }

    private func read(_ store: SharedStore, _ random: inout SeededRandom) throws {
        while !store.isDone.withLock({ $0 }) {
            let version = store.newest.withLock { $0 }
            var cursor = version.tree.cursor()
            var count = 0
            var isThere = try cursor.seekToFirst()
            var last: [UInt8]?
            while isThere {
                let key = cursor.key
                if let last { #expect(ByteString(last) < ByteString(key)) }
                last = key
                count += 1
                isThere = try cursor.next()
            }
            #expect(count == version.sum)
            if count > 0 {
                let key = try #require(try version.tree.key(at: random.below(count)))
                #expect(try version.tree.value(key) != nil)
            }
            withExtendedLifetime(version) {}
        }
    }
}

/// What the threads share.
private final class SharedStore: Sendable {
    let arena = PageArena()
    let files = FileTable()
    let newest: Protected<SharedVersion>
    let isDone = Protected(false)
    let finished = Protected<FileNumber?>(nil)
    let checkpointCount = Protected(0)
    let segments = Protected<[MemoryFile]>([])

    init() {
        newest = Protected(
            SharedVersion(Tree(root: .empty(valueWidth: 8), files: files), sum: 0, arena))
    }

    func publish(_ version: SharedVersion, after base: SharedVersion, _ owner: PageOwner) {
        unsafe base.retired = owner.retired
        base.next = version
        newest.withLock { $0 = version }
    }
}

/// A version as the engine has it: it holds the next one, so that the pages replaced after it die
/// with it.
@safe
private final class SharedVersion: @unchecked Sendable {
    // @unchecked: `next` and `retired` are set before the next version is published, and read when
    // this one dies.
    let tree: Tree
    let sum: Int
    let arena: PageArena
    var next: SharedVersion?
    var retired: [UnsafeMutableRawPointer] = unsafe []

    init(_ tree: Tree, sum: Int, _ arena: PageArena) {
        self.tree = tree
        self.sum = sum
        self.arena = arena
    }

    convenience init(_ tree: Tree, sum: Int, _ store: SharedStore) {
        self.init(tree, sum: sum, store.arena)
    }

    deinit {
        unsafe arena.free(contentsOf: retired)
        var following = next.take()
        while isKnownUniquelyReferenced(&following), let version = following.take() {
            following = version.next.take()
        }
    }
}
