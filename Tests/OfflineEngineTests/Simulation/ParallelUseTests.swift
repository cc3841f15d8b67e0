// The simulated file system under several threads: each works on a file of its own while others take crash images, map
// and let go.
import Dispatch
import OfflineBytes
import OfflineEngine
import StorageSimulation
import Testing

@Suite struct ParallelUseTests {
    @Test func `threads don't disturb each other, and images are consistent`() throws {
        let files = SimulatedFileSystem()
        let failures = Protected<[String]>([])
        let hooks = Protected(0)
        files.onMutation(every: 7) { _, files in
            hooks.withLock { $0 += 1 }
            _ = files.crashed(keeping: 1)
        }
        DispatchQueue.concurrentPerform(iterations: 6) { worker in
            do {
                if worker == 5 {
                    for seed in 0..<100 as Range<UInt64> { check(files, seed, failures) }
                } else {
                    try work(files, worker)
                }
            } catch { failures.withLock { $0.append("\(error)") } }
        }
        files.onMutation(nil)
        #expect(failures.withLock { $0 } == [])
        #expect(files.filePaths.count == 5)
        #expect(files.openFileCount == 0 && files.mapCount == 0 && files.lockCount == 0)
        #expect(files.usedBytes == 5 * 100 * 40)
        #expect(hooks.withLock { $0 } == files.mutationCount / 7)
    }

    /// Writes 100 runs of 40 bytes, each synced, and reads each back through a map.
    private func work(_ files: SimulatedFileSystem, _ worker: Int) throws {
        let path = "/\(worker)"
        let file = try files.open(path, .create)
        try files.syncDirectory("/")
        for round in 0..<100 {
            try file.write([UInt8](repeating: UInt8(round + 1), count: 40), at: UInt64(round * 40))
            try file.sync()
            let map = try file.map(length: (round + 1) * 40)
            guard map.copy.last == UInt8(round + 1) else {
                throw EngineError(.corrupted, "map of \(path)")
            }
            let lock = try files.lock(path)
            lock.release()
        }
    }

    /// In every image a file holds whole runs in order, but for the last.
    private func check(
        _ files: SimulatedFileSystem, _ seed: UInt64, _ failures: Protected<[String]>
    ) {
        let image = files.crashed(keeping: seed)
        for path in image.filePaths {
            let bytes = (try? image.bytes(of: path)) ?? []
            let runs = bytes.count / 40
            for index in 0..<max(0, runs - 1) * 40 where bytes[index] != UInt8(index / 40 + 1) {
                return failures.withLock { $0.append("\(path) at \(index), seed \(seed)") }
            }
        }
    }
}
