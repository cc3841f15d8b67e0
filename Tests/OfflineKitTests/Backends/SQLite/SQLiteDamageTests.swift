// Damage and kills: whatever is in the files, opening, reading and verifying end, and what is wrong is told.
import OfflineEngine
import Testing

@testable import OfflineKit

#if SQLite
    @Suite struct SQLiteDamageTests {
        private static let seed: UInt64 = 2_026

        /// Records of several sizes, so that there are leaves, branches and overflow pages.
        private func fill(_ store: PlainStore) async throws -> PlainStore.Records {
            var records: PlainStore.Records = [:]
            for number in UInt8(0)..<60 {
                records[[number, 1]] = [UInt8](repeating: number, count: Int(number) * 17)
            }
            records[[200]] = [UInt8](repeating: 9, count: 20_000)
            try await store.commit(records)
            return records
        }

        @Test func `no damage to the database goes unnoticed, and none is a crash`() async throws {
            let fixture = try SQLiteFixture()
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            let records = try await fill(store)
            try await store.backend.close()
            let whole = try fixture.bytes("store.sqlite")
            var random = SeededGenerator(seed: Self.seed)
            var counts = (refused: 0, found: 0, harmless: 0)
            // Some bytes of each region of 96, which is finer than any structure of a page.
            for start in stride(from: 0, to: whole.count, by: 96) {
                var damaged = whole
                for _ in 0..<2 {
                    let position = min(start + Int(random.next() % 96), whole.count - 1)
                    damaged[position] ^= UInt8(truncatingIfNeeded: random.next() | 1)
                }
                try fixture.setBytes("store.sqlite", damaged)
                let comment: Comment = "at \(start), seed \(Self.seed)"
                guard let opened = try? await fixture.open(readOnly: true) else {
                    counts.refused += 1
                    continue
                }
                let read = try? opened.records()
                let problems = try await opened.backend.verify().problems
                try await opened.backend.close()
                if read == records, problems.isEmpty {
                    counts.harmless += 1
                } else if problems.isEmpty {
                    // What was read is wrong or couldn't be: verification must have seen it.
                    Issue.record(comment)
                } else {
                    counts.found += 1
                }
                if let read { #expect(read.allSatisfy { records[$0] == $1 }, comment) }
            }
            // The test sees all three, or it tests nothing.
            #expect(counts.refused > 0 && counts.found > 0 && counts.harmless > 0, "\(counts)")
        }

        @Test func `no damage to the log is a crash, and none tears a commit`() async throws {
            let fixture = try SQLiteFixture()
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            var states: [PlainStore.Records] = [[:]]
            for round in UInt8(0)..<8 {
                try await store.commit([
                    [round]: [UInt8](repeating: round, count: 700), [99]: [round],
                ])
                states.append(try store.records())
            }
            let image = try fixture.copy()
            defer { image.folder.remove() }
            try await store.backend.close()
            let whole = try image.bytes("store.sqlite-wal")
            var random = SeededGenerator(seed: Self.seed)
            for start in stride(from: 0, to: whole.count, by: 512) {
                let copy = try image.copy()
                var damaged = whole
                damaged[min(start + Int(random.next() % 512), whole.count - 1)] ^= 1 << 4
                try copy.setBytes("store.sqlite-wal", damaged)
                do {
                    let opened = try await copy.open(readOnly: true)
                    let read = try opened.records()
                    #expect(states.contains(read), "at \(start), seed \(Self.seed)")
                    try await opened.backend.close()
                } catch let error as OfflineError {
                    // The log has the making of the database too: without it there is none.
                    #expect([.corrupted, .storageUnavailable].contains(error.code))
                }
                copy.folder.remove()
            }
        }

        @Test func `a process killed at any moment leaves a whole state`() async throws {
            let fixture = try SQLiteFixture()
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            let id = PlainStore.collection
            var committed: PlainStore.Records = [:]
            for round in UInt8(0)..<30 {
                let batch = try store.backend.begin([id], reading: [])
                try batch.put(id, key: [round], record: [UInt8](repeating: round, count: 3_000))
                try batch.put(id, key: [255], record: [round])
                try await expectState(committed, of: fixture, "in batch \(round)")
                try await batch.commit(appended: {}, committed: { _ in })
                committed = try store.records()
                try await expectState(committed, of: fixture, "after commit \(round)")
                if round % 10 == 9 { try await store.backend.compact() }
            }
            let log = try fixture.copy()
            defer { log.folder.remove() }
            try await store.commit([[1]: [1], [2]: [2], [3]: [UInt8](repeating: 3, count: 30_000)])
            let after = try store.records()
            // The log of the last commit, cut anywhere.
            let whole = try fixture.bytes("store.sqlite-wal")
            for length in stride(from: 0, through: whole.count, by: 1_777) {
                let cut = try log.copy()
                try cut.setBytes("store.sqlite-wal", Array(whole.prefix(length)))
                let opened = try await cut.open()
                let read = try opened.records()
                #expect(read == committed || read == after, "cut at \(length)")
                #expect(try await opened.backend.verify().problems == [])
                try await opened.backend.close()
                cut.folder.remove()
            }
            try await store.backend.close()
        }

        private func expectState(
            _ records: PlainStore.Records, of fixture: SQLiteFixture, _ comment: Comment
        ) async throws {
            let copy = try fixture.copy()
            let opened = try await copy.open()
            #expect(try opened.records() == records, comment)
            #expect(try await opened.backend.verify().problems == [], comment)
            try await opened.backend.close()
            copy.folder.remove()
        }

        /// Changes that SQLite itself finds nothing wrong with.
        static let planted: [(sql: String, problem: String)] = [
            ("UPDATE records_1 SET record = x'00' WHERE rowid = 3", "checksum"),
            ("UPDATE records_1 SET key = x'FFFFFF' WHERE rowid = 3", "checksum"),
            ("UPDATE records_1 SET sequence = 1000 WHERE rowid = 3", "sequence"),
            ("UPDATE records_1 SET sequence = 0 WHERE rowid = 3", "sequence"),
            ("DELETE FROM records_1 WHERE rowid = 3", "bytes"),
            ("UPDATE collections SET index_bytes = 5", "bytes"),
            ("CREATE TABLE mine (a)", "mine"),
        ]

        @Test(arguments: planted)
        func `what only the store can know is verified`(
            sql: String, problem: String
        ) async throws {
            let fixture = try SQLiteFixture()
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            _ = try await fill(store)
            #expect(try await store.backend.verify().problems == [])
            try await store.backend.close()
            try fixture.execute(sql)
            let again = try await fixture.open()
            let problems = try await again.backend.verify().problems
            #expect(problems.contains { $0.contains(problem) }, "\(problems)")
            try await again.backend.close()
        }
    }
#endif
