// Whether records that are there already fit when fields of theirs are sealed that weren't so far. That is asked before the definition
// that says so is kept: afterwards there would be no way back.
internal import OfflineBytes
internal import OfflineDocuments

/// Seals stored records for nobody, to see how large they are.
struct SealingBuild {
    /// How many bytes a value may have more when it is sealed, besides the names in it, which are inline then.
    private static let growthMax = 128

    private let reader: any BackendReader

    /// For the records that `reader` has.
    init(_ reader: any BackendReader) { self.reader = reader }

    /// Throws `.invalidOptions`, naming the record, where one is too large when it is sealed. Passes over what is damaged. In time linear in the
    /// collections; few records are so large that they have to be sealed for it.
    func check(_ collections: [CollectionState]) throws {
        for collection in collections {
            if collection.sealing == nil { continue }
            let names = BoundNames(of: collection, in: reader).dictionary
            let longest = reader.names(of: collection.id).map(\.utf8.count).max() ?? 0
            // A value has one byte at least.
            let fitting = RecordLimits.byteCountMax / (Self.growthMax + longest)
            try check(TreeID(collection.id), of: collection, over: fitting, "the record") {
                try Self.encode($1, key: $0, collection, names)
            }
            guard let trees = collection.changes else { continue }
            let base = "what the record was when it was synchronized last"
            try check(trees.entries, of: collection, over: fitting, base) { key, stored in
                let entry = try unsafe stored.withUnsafeBytes { try unsafe ChangeEntry($0) }
                if let base = entry.base {
                    try Self.encode(base.record, key: key, collection, names)
                }
            }
        }
    }

    private func check(
        _ tree: TreeID, of collection: CollectionState, over fitting: Int, _ what: String,
        _ encode: (_ key: [UInt8], _ stored: [UInt8]) throws -> Void
    ) throws {
        guard
            let cursor = try unlessDamaged({ try reader.cursor(tree, in: .all, descending: false) })
        else { return }
        var key: [UInt8] = []
        var stored: [UInt8] = []
        while try unlessDamaged({ try cursor.next() }) == true {
            stored.removeAll(keepingCapacity: true)
            _ = try unlessDamaged {
                try cursor.withRecord { if $0.byteCount > fitting { stored.append($0) } }
            }
            if stored.isEmpty { continue }
            cursor.copyKey(into: &key)
            do {
                _ = try unlessDamaged { try encode(key, stored) }
            } catch let error as OfflineError where error.code == .invalidDocument {
                throw OfflineError(
                    .invalidOptions,
                    "\(what) has no room for sealed fields (\(error.message)); make it smaller, or leave its fields as they are",
                    collection: collection.name, key: try? KeyDecoder.value(key))
            }
        }
    }

    private static func encode(
        _ stored: [UInt8], key: [UInt8], _ collection: CollectionState, _ names: NameDictionary
    ) throws {
        guard let ring = try collection.sealing?.ring() else { return }
        var encoder = SealingEncoder(collection, names)
        try unsafe stored.withUnsafeBytes { bytes in
            try unsafe StorageAdapter.read(bytes, names) { record in
                _ = try unsafe encoder.reseal(record, key: key, ring)
            }
        }
    }

    private func unlessDamaged<Result>(_ body: () throws -> Result) throws -> Result? {
        do {
            return try body()
        } catch {
            let error = ErrorMapping.publicError(error)
            guard let code = (error as? OfflineError)?.code,
                code == .corrupted || code == .decryptionFailed
            else { throw error }
            return nil
        }
    }
}
