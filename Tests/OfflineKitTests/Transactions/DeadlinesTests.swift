import OfflineBytes
import Testing

@testable import OfflineKit

struct DeadlinesTests {
    @Test func `deadlines come due in order, once, and not after they are removed`() {
        let clock = ManualClock()
        let deadlines = Deadlines(clock)
        let fired = Protected<[Int]>([])
        func add(_ number: Int, _ seconds: Int) -> Deadlines.Token {
            deadlines.add(after: .seconds(seconds)) { fired.withLock { $0.append(number) } }
        }
        _ = add(1, 10)
        let removed = add(2, 5)
        _ = add(3, 3)
        _ = add(4, 20)
        clock.advance(by: .seconds(2))
        #expect(fired.withLock { $0 } == [])
        deadlines.remove(removed)
        clock.advance(by: .seconds(4))
        #expect(fired.withLock { $0 } == [3])
        clock.advance(by: .seconds(4))
        #expect(fired.withLock { $0 } == [3, 1])
        clock.advance(by: .seconds(100))
        #expect(fired.withLock { $0 } == [3, 1, 4])
    }

    @Test func `many deadlines of one length ask the clock for one wake`() {
        let clock = ManualClock()
        let deadlines = Deadlines(clock)
        for _ in 0..<1000 { deadlines.remove(deadlines.add(after: .seconds(30)) {}) }
        #expect(clock.pendingCount == 1)
    }

    @Test func `a deadline added by one that fires is kept`() {
        let clock = ManualClock()
        let deadlines = Deadlines(clock)
        let count = Protected(0)
        _ = deadlines.add(after: .seconds(1)) {
            _ = deadlines.add(after: .seconds(1)) { count.withLock { $0 += 1 } }
        }
        clock.advance(by: .seconds(1))
        #expect(count.withLock { $0 } == 0)
        clock.advance(by: .seconds(1))
        #expect(count.withLock { $0 } == 1)
    }

    @Test func `the system's clock wakes`() async {
        let deadlines = Deadlines(SystemStoreClock())
        await withCheckedContinuation { continuation in
            _ = deadlines.add(after: .milliseconds(1)) { continuation.resume() }
        }
    }
}
