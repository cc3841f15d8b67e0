// Deflated records: what is written is read, and no bytes make a reader take more memory than they may, or give what
// wasn't written.
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

struct DeflatedRecordTests {
    private func inflated(_ payload: [UInt8], dictionary: [UInt8]? = nil) throws -> [UInt8] {
        var buffer = InflateBuffer()
        return try unsafe payload.withUnsafeBytes { bytes in
            let deflated = try unsafe DeflatedRecord(bytes)
            guard let dictionary else {
                return unsafe [UInt8](try deflated.inflate(bytes, dictionary: nil, into: &buffer))
            }
            return try unsafe dictionary.withUnsafeBytes {
                unsafe [UInt8](try deflated.inflate(bytes, dictionary: $0, into: &buffer))
            }
        }
    }

    private func payload(_ record: [UInt8], dictionary: [UInt8]? = nil) -> [UInt8]? {
        unsafe record.withUnsafeBytes { record in
            guard let dictionary else { return unsafe DeflatedRecord.payload(record) }
            return unsafe dictionary.withUnsafeBytes {
                unsafe DeflatedRecord.payload(record, dictionary: ($0, 64))
            }
        }
    }

    @Test func `what is deflated is inflated again, with a dictionary and without`() throws {
        var random = SeededRandom(seed: 8)
        for round in 0..<200 {
            let record = random.text(20 + random.below(round < 190 ? 4_000 : 200_000))
            let dictionary = round % 2 == 0 ? random.text(random.below(5_000)) : nil
            guard let payload = payload(record, dictionary: dictionary) else {
                #expect(record.count < 400, "round \(round): \(record.count) bytes don't shrink")
                continue
            }
            #expect(payload.count <= record.count - record.count / 8)
            #expect(try inflated(payload, dictionary: dictionary) == record, "round \(round)")
        }
    }

    @Test func `what doesn't shrink by an eighth stays as it is`() {
        var random = SeededRandom(seed: 9)
        for count in [1, 100, 1_024, 1_025, 5_000, 100_000] {
            #expect(payload(random.bytes(count)) == nil, "\(count) bytes")
        }
        #expect(payload([]) == nil)
    }

    @Test func `a length that isn't the record's is an error`() throws {
        var random = SeededRandom(seed: 10)
        let record = random.text(3_000)
        let payload = try #require(self.payload(record))
        var reader = unsafe try payload.withUnsafeBytes { unsafe try [UInt8](varints(2, $0)) }
        let deflated = Array(payload.dropFirst(reader.count))
        for length in [0, 1, record.count - 1, record.count + 1, 1 << 20, 1 << 24, 1 << 40] {
            reader = []
            reader.appendVarint(UInt64(length))
            reader.appendVarint(0)
            #expect(throws: LogOperationError.self, "\(length)") {
                _ = try inflated(reader + deflated)
            }
        }
        // Nothing, deflated.
        #expect(throws: LogOperationError.self) { _ = try inflated([0, 0, 3, 0]) }
        #expect(throws: LogOperationError.self) { _ = try inflated(payload + [0]) }
        for cut in 1...payload.count {
            #expect(throws: LogOperationError.self, "\(cut) bytes short") {
                _ = try inflated(Array(payload.dropLast(cut)))
            }
        }
    }

    /// The first varints of some bytes.
    private func varints(
        _ count: Int, _ bytes: UnsafeRawBufferPointer
    ) throws -> UnsafeRawBufferPointer {
        var reader = unsafe ByteReader(bytes)
        for _ in 0..<count { _ = unsafe try reader.varint() }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[..<reader.offset])
    }

    @Test func `a bomb is refused before memory is taken for it`() throws {
        let zeros = [UInt8](repeating: 0, count: 16 << 20)
        let payload = try #require(self.payload(zeros))
        #expect(payload.count < 100_000)
        // As long as it says: a record may have that many bytes.
        #expect(try inflated(payload) == zeros)
        // One that claims what its bytes can't give, and one that is over the limit of records.
        for (length, bytes) in [(1 << 20, 100), (Limits.recordBytesMax + 1, 1 << 20)] {
            var bomb: [UInt8] = []
            bomb.appendVarint(UInt64(length))
            bomb.appendVarint(0)
            bomb += payload.suffix(bytes)
            #expect(throws: LogOperationError.self) {
                _ = try unsafe bomb.withUnsafeBytes { try unsafe DeflatedRecord($0) }
            }
        }
        // One that gives more than it says stops at that.
        var short: [UInt8] = []
        short.appendVarint(1_000)
        short.appendVarint(0)
        let deflated = payload.dropFirst(
            unsafe try payload.withUnsafeBytes { unsafe try varints(2, $0).count })
        #expect(throws: LogOperationError.self) { _ = try inflated(short + deflated) }
    }

    @Test func `no bytes are a trap`() throws {
        var random = SeededRandom(seed: 12)
        let record = random.text(900)
        let dictionary = random.text(2_000)
        let payload = try #require(self.payload(record, dictionary: dictionary))
        for _ in 0..<20_000 {
            var changed = random.chance(1, in: 4) ? random.bytes(random.below(300)) : payload
            for _ in 0...random.below(3) where !changed.isEmpty {
                changed[random.below(changed.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = try? inflated(changed, dictionary: dictionary)
            _ = try? inflated(changed)
        }
    }

    @Test func `a record in a body finds its dictionary, and nothing else for one`() throws {
        var random = SeededRandom(seed: 13)
        let dictionary = random.text(1_000)
        let record = random.text(500)
        /// A body of a dictionary and a record that says it is `distance` before.
        func body(
            _ kind: LogOperation.Kind = .dictionary, of collection: UInt32 = 1, distance: Int? = nil
        ) throws -> (bytes: [UInt8], offset: Int) {
            var body: [UInt8] = []
            unsafe dictionary.withUnsafeBytes {
                unsafe LogOperation.append(
                    kind, collection: collection, key: UnsafeRawBufferPointer(start: nil, count: 0),
                    payload: $0, to: &body)
            }
            let offset = body.count
            let payload = try #require(
                unsafe record.withUnsafeBytes { record in
                    unsafe dictionary.withUnsafeBytes {
                        unsafe DeflatedRecord.payload(
                            record, dictionary: ($0, distance ?? offset))
                    }
                })
            unsafe payload.withUnsafeBytes {
                unsafe LogOperation.append(
                    .put, collection: 1, key: $0, payload: $0, isDeflated: true, to: &body)
            }
            unsafe body.withUnsafeMutableBytes {
                unsafe LogOperation.seal($0, firstSequence: 1, isRelative: false)
            }
            return (body, offset)
        }
        func read(_ body: (bytes: [UInt8], offset: Int)) throws -> [UInt8] {
            var buffer = InflateBuffer()
            return try unsafe body.bytes.withUnsafeBytes {
                unsafe [UInt8](try DeflatedRecord.record(at: body.offset, in: $0, &buffer))
            }
        }
        #expect(try read(body()) == record)
        #expect(throws: LogOperationError.self) { _ = try read(body(.put)) }
        #expect(throws: LogOperationError.self) { _ = try read(body(of: 2)) }
        for distance in [0, 8, 1_024, 2_048, 1 << 30] {
            #expect(throws: LogOperationError.self, "\(distance)") {
                _ = try read(body(distance: distance))
            }
        }
        var damaged = try body()
        damaged.bytes[100] ^= 1
        #expect(throws: LogOperationError.self) { _ = try read(damaged) }
    }
}
