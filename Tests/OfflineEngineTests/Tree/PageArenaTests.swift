import Dispatch
import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct PageArenaTests {
    @Test(arguments: SeededRandom.seeds(2))
    func `pages in use are apart, aligned and keep what is written`(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let arena = PageArena()
        var pages: [(page: UnsafeMutableRawPointer, mark: UInt64)] = unsafe []
        for step in 0..<4_000 {
            // Grows over several chunks, then shrinks.
            if unsafe pages.isEmpty || random.chance(step < 2_400 ? 2 : 1, in: 3) {
                let page = unsafe try arena.reserved()
                #expect(UInt(bitPattern: page) % UInt(NodeLayout.pageSize) == 0)
                let mark = random.next()
                for offset in [0, NodeLayout.pageSize - 8] {
                    unsafe page.storeBytes(of: mark, toByteOffset: offset, as: UInt64.self)
                }
                unsafe pages.append((page, mark))
            } else {
                let entry = unsafe pages.remove(at: random.below(pages.count))
                for offset in [0, NodeLayout.pageSize - 8] {
                    let found = unsafe entry.page.load(fromByteOffset: offset, as: UInt64.self)
                    #expect(unsafe found == entry.mark, "seed \(seed) step \(step)")
                }
                unsafe arena.free(entry.page)
            }
            #expect(unsafe arena.pagesInUse == pages.count)
        }
        #expect(unsafe arena.bytesInUse == pages.count * NodeLayout.pageSize)
        unsafe arena.free(contentsOf: pages.map { unsafe $0.page })
        #expect(arena.pagesInUse == 0)
    }

    @Test func `memory that isn't used goes back to the system`() throws {
        let arena = PageArena()
        let pages = unsafe try (0..<10_000).map { _ in unsafe try arena.reserved() }
        let most = arena.bytesReserved
        #expect(most >= 10_000 * NodeLayout.pageSize)
        unsafe arena.free(contentsOf: pages)
        #expect(arena.bytesReserved <= 8 << 20)
        #expect(arena.bytesReserved < most / 4)
    }

    @Test func `threads may allocate and free at once`() {
        let arena = PageArena()
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            var random = SeededRandom(seed: UInt64(thread))
            var pages: [UnsafeMutableRawPointer] = unsafe []
            for _ in 0..<2_000 {
                if unsafe pages.isEmpty || random.chance(3, in: 5) {
                    guard let page = unsafe try? arena.reserved() else {
                        Issue.record("no memory")
                        return
                    }
                    unsafe page.storeBytes(of: thread, as: Int.self)
                    unsafe pages.append(page)
                } else {
                    let page = unsafe pages.removeLast()
                    if unsafe page.load(as: Int.self) != thread { Issue.record("thread \(thread)") }
                    unsafe arena.free(page)
                }
            }
            unsafe arena.free(contentsOf: pages)
        }
        #expect(arena.pagesInUse == 0)
    }

    @Test func `what is reserved is there, and no more is given than the limit`() throws {
        let chunk = 511
        let arena = PageArena(bytesMax: 4 << 20)
        try arena.reserve(chunk)
        try arena.reserve(chunk - 1)
        #expect(throws: EngineError.self) { try arena.reserve(2) }
        // What was refused took nothing.
        try arena.reserve(1)
        let pages = unsafe (0..<2 * chunk).map { _ in unsafe arena.allocate() }
        #expect(arena.pagesInUse == 2 * chunk)
        unsafe arena.free(contentsOf: pages[..<chunk].map { unsafe $0 })
        try arena.reserve(chunk)
        #expect(throws: EngineError.self) { try arena.reserve(1) }
        arena.unreserve(chunk)
        unsafe arena.free(contentsOf: pages[chunk...].map { unsafe $0 })
        #expect(arena.pagesInUse == 0)
    }

    @Test func `reserved pages stay when others go back to the system`() throws {
        let arena = PageArena(bytesMax: 40 << 20)
        try arena.reserve(9_000)
        let pages = unsafe try (0..<500).map { _ in unsafe try arena.reserved() }
        unsafe arena.free(contentsOf: pages)
        let kept = unsafe (0..<9_000).map { _ in unsafe arena.allocate() }
        #expect(arena.pagesInUse == 9_000)
        unsafe arena.free(contentsOf: kept)
    }

    @Test func `freeing a page twice traps`() async {
        await #expect(processExitsWith: .failure) {
            let arena = PageArena()
            try arena.reserve(2)
            let page = unsafe arena.allocate()
            _ = unsafe arena.allocate()
            unsafe arena.free(page)
            unsafe arena.free(page)
        }
    }
}

extension PageArena {
    /// A page, reserved and allocated at once.
    fileprivate func reserved() throws -> UnsafeMutableRawPointer {
        try reserve(1)
        return unsafe allocate()
    }
}
