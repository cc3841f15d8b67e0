import OfflineBytes
import Testing

private struct Failure: Error, Equatable {}

@Suite struct ProtectedTests {
    @Test func `parallel changes are all kept`() async {
        let counter = Protected(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<5000 { counter.withLock { $0 += 1 } }
                }
            }
        }
        #expect(counter.withLock { $0 } == 40_000)
    }

    @Test func `an error passes through and the lock is free again`() {
        let value = Protected([1])
        #expect(throws: Failure()) {
            try value.withLock { list throws(Failure) in
                list.append(2)
                throw Failure()
            }
        }
        #expect(value.withLock { $0 } == [1, 2])
    }

    @Test func `a change in place doesn't copy`() {
        let value = Protected([UInt8](repeating: 0, count: 1000))
        let address = {
            value.withLock { unsafe $0.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
        }
        let before = address()
        value.withLock { $0[5] = 1 }
        #expect(address() == before)
    }
}
