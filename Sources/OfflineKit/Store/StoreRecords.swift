// What the store keeps for itself, over all collections: small records in a collection of its own, which nobody else writes, so that
// writing one waits for no transaction.
//
//     key                           value
//     "exposed", then the number    varint: creations of that collection up to this number were given out (ExposedChanges)
//     of a collection (4 bytes,
//     big-endian)
//     "version", "keyPaths" …       how far migrations have come (StoredVersion)
internal import OfflineBytes

/// Reads and writes the store's own records.
struct StoreRecords {
    private static let exposed = Array("exposed".utf8)

    static func exposedKey(_ collection: CollectionID) -> [UInt8] {
        var key = exposed
        key.appendBig(collection.value)
        return key
    }

    /// What was given out of each collection.
    static func exposed(
        in reader: any BackendReader, _ collection: CollectionID?
    ) throws -> [CollectionID: UInt64] {
        guard let collection else { return [:] }
        var result: [CollectionID: UInt64] = [:]
        var key: [UInt8] = []
        let range = KeyRange(lower: exposed, upper: exposed + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
        let cursor = try reader.cursor(TreeID(collection), in: range, descending: false)
        while try cursor.next() {
            cursor.copyKey(into: &key)
            guard key.count == exposed.count + 4 else { continue }
            let id = key.suffix(4).reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
            try cursor.withRecord { span in
                result[CollectionID(id)] = try unsafe span.withUnsafeBytes { bytes in
                    var reader = unsafe ByteReader(bytes)
                    return try unsafe reader.varint()
                }
            }
        }
        return result
    }
}

extension StoreCore {
    /// Stores what was given out.
    func storeExposed(_ through: [CollectionID: UInt64]) async throws {
        guard !through.isEmpty, !options.isReadOnly, let collection = schema.storeRecords else {
            return
        }
        let request = LockRequest(exclusive: exclusive([collection]), shared: []) {
            "noting what was given out"
        }
        let hold = try await locks.acquire(request, timeout: transactionTimeout)
        defer { locks.release(hold) }
        do {
            let batch = try backend.begin([collection], reading: [])
            // A few bytes, without which nobody could say what is synchronized.
            batch.useReserve()
            do {
                for (id, number) in through {
                    var value: [UInt8] = []
                    value.appendVarint(number)
                    try batch.put(
                        collection, key: StoreRecords.exposedKey(id), record: value)
                }
                try await batch.commit(appended: { locks.release(hold) }) { [hub] sequences in
                    hub.publish(Commit(sequences: sequences, collections: [:]))
                }
            } catch {
                batch.rollback()
                throw error
            }
        } catch {
            throw ErrorMapping.publicError(error)
        }
        for (id, number) in through { changes.exposed.stored(number, of: id) }
    }
}
