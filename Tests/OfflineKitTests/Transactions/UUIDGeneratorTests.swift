import OfflineBytes
import Testing

@testable import OfflineKit

struct UUIDGeneratorTests {
    @Test func `UUIDs ascend, also while the clock stands still and when it goes back`() {
        let time = Protected<UInt64>(1_700_000_000_000)
        let uuids = UUIDGenerator { time.withLock { $0 } }
        var previous = uuids.next()
        for step in 0..<10_000 {
            if step % 1000 == 999 { time.withLock { $0 -= 5 } }
            if step % 1500 == 1499 { time.withLock { $0 += 20 } }
            let next = uuids.next()
            #expect(previous < next)
            previous = next
        }
    }

    @Test func `a UUID has the time, version 7 and the variant, in lower case`() throws {
        let uuid = UUIDGenerator { 0x0123_4567_89AB }.next()
        #expect(uuid.hasPrefix("01234567-89ab-7"))
        let pattern = #/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/#
        #expect(uuid.wholeMatch(of: pattern) != nil)
    }
}
