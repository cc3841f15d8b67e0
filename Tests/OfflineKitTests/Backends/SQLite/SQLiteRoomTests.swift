// The size limit of a store on SQLite: never exceeded, and a full store can always be emptied.
import OfflineEngine
import Testing

@testable import OfflineKit

#if SQLite
    @Suite struct SQLiteRoomTests {
        private let fixture: SQLiteFixture

        init() throws { fixture = try SQLiteFixture() }

        private func key(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

        @Test(arguments: [(1 << 20, 300), (1 << 20, 40_000), (3 << 20, 5_000)] as [(Int64, Int)])
        func `a full store refuses puts, reads and deletes, and takes puts again`(
            limit: Int64, size: Int
        ) async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open(sizeLimit: limit)
            let record = [UInt8](repeating: 7, count: size)
            for round in 0..<3 {
                var count = 0
                var error: OfflineError?
                while error == nil, count < 60_000 {
                    do {
                        try await store.commit([key(count): record])
                        count += 1
                    } catch let thrown as OfflineError {
                        error = thrown
                    }
                    #expect(try fixture.usedBytes() <= limit, "after \(count) in round \(round)")
                }
                #expect(error?.code == .quotaExceeded)
                let room = try #require(store.backend.room)
                #expect(room < Int64(size) + 40_000, "\(room) bytes in round \(round)")
                // Most of the limit is for data.
                #expect(Int64(count * size) > limit / 3, "\(count) records in round \(round)")
                #expect(try store.records().count == count)
                for number in 0..<count {
                    try await store.commit([:], removing: [key(number)])
                    #expect(try fixture.usedBytes() <= limit, "deleting in round \(round)")
                }
                #expect(try await store.backend.verify().problems == [])
                #expect(store.backend.room.map { $0 > limit / 2 } == true)
                if round == 1 {
                    try await store.backend.compact()
                    #expect(try fixture.usedBytes() < 200_000)
                }
            }
            try await store.backend.close()
        }

        @Test func `a compaction says whether anything is left of what was replaced`() async throws
        {
            defer { fixture.folder.remove() }
            let store = try await fixture.open(sizeLimit: nil)
            let id = PlainStore.collection
            try await store.commit([[1]: [1]])
            try await store.commit([[1]: [2]])
            let batch = try store.backend.begin([id], reading: [])
            #expect(try await !store.backend.compactToTheLast())
            batch.rollback()
            var held: (any BackendReader)? = try store.backend.snapshot()
            #expect(try held?.contains(TreeID(id), key: [1]) == true)
            #expect(try await !store.backend.compactToTheLast())
            held = nil
            #expect(try await store.backend.compactToTheLast())
            #expect(try store.records() == [[1]: [2]])
            try await store.backend.close()
        }

        @Test func `a batch that is too large leaves no trace`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open(sizeLimit: 1 << 20)
            try await store.commit([[1]: [1]])
            let id = PlainStore.collection
            // Too many pages for the database itself, and for the log only.
            for size in [2 << 20, 700_000] {
                await expectError(.quotaExceeded) {
                    try await store.commit([[2]: [UInt8](repeating: 2, count: size)])
                }
                #expect(try fixture.usedBytes() <= 1 << 20)
                #expect(try store.records() == [[1]: [1]])
            }
            let batch = try store.backend.begin([id], reading: [])
            #expect(throws: OfflineError.self) {
                try batch.put(id, key: [2], record: [UInt8](repeating: 2, count: 2 << 20))
            }
            // It is over: what follows would be a commit of its own.
            #expect(throws: OfflineError.self) { try batch.put(id, key: [3], record: [3]) }
            await expectError(.transactionClosed) {
                try await batch.commit(appended: {}, committed: { _ in })
            }
            try await store.commit([[4]: [4]])
            #expect(try store.records() == [[1]: [1], [4]: [4]])
            try await store.backend.close()
        }

        @Test func `clearing works in a full store, in one commit`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open(sizeLimit: 4 << 20)
            var count = 0
            do {
                while true {
                    try await store.commit([key(count): [UInt8](repeating: 1, count: 3_000)])
                    count += 1
                }
            } catch let error as OfflineError {
                #expect(error.code == .quotaExceeded)
            }
            let batch = try store.backend.begin([PlainStore.collection], reading: [])
            try batch.clear(PlainStore.collection)
            try await batch.commit(appended: {}, committed: { _ in })
            #expect(try fixture.usedBytes() <= 4 << 20)
            #expect(try store.records() == [:])
            try await store.backend.compact()
            #expect(try fixture.usedBytes() < 200_000)
            #expect(try await store.backend.verify().problems == [])
            try await store.backend.close()
        }

        @Test func `the log doesn't grow with the number of commits`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            var most: Int64 = 0
            for round in 0..<120 {
                try await store.commit([key(round % 3): [UInt8](repeating: 1, count: 200_000)])
                // A reader in between is no obstacle.
                #expect(try store.records().count == min(round + 1, 3))
                most = max(most, try fixture.usedBytes())
            }
            // 120 commits have 24 MB; a checkpoint is due after 1,000 pages.
            #expect(most < 6_000_000, "\(most)")
            try await store.backend.close()
        }

        @Test func `compacting gives back what deletes have freed`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            var records: PlainStore.Records = [:]
            for number in 0..<5_000 { records[key(number)] = [UInt8](repeating: 3, count: 400) }
            try await store.commit(records)
            try await store.commit(
                [:], removing: (0..<5_000).filter { $0 % 10 != 0 }.map { key($0) })
            let before = try store.backend.space()
            try await store.backend.compact()
            let after = try store.backend.space()
            let live = try store.backend.snapshot().bytes(of: PlainStore.collection).recordBytes
            #expect(live == 500 * 402)
            // Beside the data: pages' headers, the keys' index, the catalog, the log's index.
            #expect(after.usedBytes < live * 3 / 2 + 100_000, "\(before) \(after)")
            #expect(after.usedBytes < before.usedBytes / 4)
            #expect(after.reclaimableBytes == 0)
            try await store.backend.close()
        }
    }
#endif
