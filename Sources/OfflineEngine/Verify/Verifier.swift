// Verification of a whole store, at one published state.
//
// Steps:
// 1. The superblock's slots.
// 2. Every file that the state names: all bytes in use (FileVerifier).
// 3. On maps opened anew, so that nothing counts as checked before: every tree's order, counts and levels; every record
//    that a primary tree points to; each record's derived entries, which must be in the index trees; and that these have
//    no others (their counts are equal, and entries of different records differ).
// 4. The live bytes of each log file.
internal import OfflineBytes

extension Engine {
    /// Reads everything and checks every checksum, every tree, and every index entry against its record. Blocks. Writers
    /// go on: what is checked is the state published when it began.
    package func verify() throws(EngineError) -> VerificationResult {
        // Files that are checked mustn't go meanwhile.
        try maintenance.withLock { _ throws(EngineError) in try verifyNow() }
    }

    private func verifyNow() throws(EngineError) -> VerificationResult {
        if let log = try? log, log.failure == nil { try log.flushAndWait() }
        let state = stateNow
        var files = FileVerifier(files: files)
        for (number, usage) in state.files.sorted(by: { $0.key < $1.key }) {
            files.verify(number, usage)
        }
        var result = files.result
        verifySuperblock(&result)
        // A file that is missing or short must not be mapped: reading it would be a fault, not an error.
        guard result.findings.isEmpty else { return result }
        var verifier = try StateVerifier(state, of: self, derivation: indexDerivation, result)
        verifier.run()
        return verifier.result
    }

    private func verifySuperblock(_ result: inout VerificationResult) {
        do throws(FileSystemError) {
            let contents = try SuperblockFile.read(files.system, files.folder)
            guard let contents else {
                return result.add(
                    VerificationFinding("the file is missing", file: FileNames.superblock))
            }
            for (slot, reading) in contents.slots.enumerated() {
                let offset = UInt64(slot * Superblock.slotSize)
                if case .bad(let reason) = reading {
                    result.add(
                        VerificationFinding(reason, file: FileNames.superblock, offset: offset))
                }
            }
            result.bytesChecked += Int64(Superblock.fileSize)
        } catch {
            result.add(VerificationFinding(EngineError(error)))
        }
    }
}

/// Checks trees and records of one state on maps of its own.
private struct StateVerifier {
    private let state: StoreState
    private let files: OpenFiles
    private let derivation: any IndexDerivation
    private(set) var result: VerificationResult
    private var live: [FileNumber: LiveBytes] = [:]

    init(
        _ state: StoreState, of engine: Engine, derivation: any IndexDerivation,
        _ result: VerificationResult
    ) throws(EngineError) {
        self.state = state
        self.derivation = derivation
        self.result = result
        files = OpenFiles(
            system: engine.files.system, folder: engine.files.folder, store: engine.files.store)
        for (number, usage) in state.files {
            try files.open(number, usage.kind, length: usage.length).closeDescriptor()
        }
    }

    mutating func run() {
        for version in state.collections {
            do {
                // The derivation knows the names of the last opening; writers have added to them since.
                try derivation.load(version.description)
            } catch {
                result.add(
                    VerificationFinding("collection \(version.id) can't be derived: \(error)"))
                continue
            }
            for entry in version.catalogEntry.trees {
                for finding in Tree.check(entry.root, files: files.table, limit: 100) {
                    result.add(
                        VerificationFinding(
                            "collection \(version.id), tree \(entry.index): \(finding)"))
                }
            }
            do throws(EngineError) { try verifyRecords(version) } catch {
                result.add(VerificationFinding(error))
            }
        }
        for (number, usage) in state.files where usage.kind == .log {
            let counted = live[number] ?? LiveBytes()
            let shares = counted.shares + usage.live.shares
            for collection in Set(shares.map(\.collection)).sorted() {
                let found = counted.bytes(of: collection)
                let said = usage.live.bytes(of: collection)
                if found == said { continue }
                result.add(
                    VerificationFinding(
                        "\(found) bytes of collection \(collection) are alive where the catalog says \(said)",
                        file: FileNames.log(number)))
            }
        }
    }

    private mutating func verifyRecords(_ version: CollectionVersion) throws(EngineError) {
        var cursor = Tree(root: version.primary, files: files.table).cursor()
        var counts: [UInt32: UInt64] = [:]
        var bytes: [UInt32: Int64] = [:]
        var key: [UInt8] = []
        var entries = IndexEntries()
        try cursor.seekToFirst()
        while cursor.isValid {
            cursor.copyKey(into: &key)
            let location = Location(word: cursor.value)
            do throws(EngineError) {
                let length = try verifyRecord(version, key, location, &entries)
                bytes[0, default: 0] += Int64(key.count + length)
                for entry in entries.entries {
                    counts[entry.index, default: 0] += 1
                    bytes[entry.index, default: 0] += Int64(entry.range.count)
                }
            } catch {
                result.add(VerificationFinding(error))
            }
            result.recordsChecked += 1
            live[location.file, default: LiveBytes()].add(
                version.id, RecordAccess.sizes(at: location, in: files).entry)
            _ = try cursor.next()
        }
        let isComplete = result.findings.isEmpty
        for entry in version.indexes where entry.root.count != counts[entry.index] ?? 0 {
            result.add(
                VerificationFinding(
                    "index tree \(entry.index) of collection \(version.id) has \(entry.root.count) entries where the records give \(counts[entry.index] ?? 0)"
                ))
        }
        if isComplete { verifyBytes(version, bytes) }
    }

    /// The bytes that the catalog says of trees that are otherwise right.
    private mutating func verifyBytes(_ version: CollectionVersion, _ bytes: [UInt32: Int64]) {
        for entry in version.catalogEntry.trees where entry.root.bytes != bytes[entry.index] ?? 0 {
            result.add(
                VerificationFinding(
                    "tree \(entry.index) of collection \(version.id) has \(bytes[entry.index] ?? 0) bytes where the catalog says \(entry.root.bytes)"
                ))
        }
    }

    /// Reads one record, derives its entries, and looks for each in its tree; how long the record is.
    private mutating func verifyRecord(
        _ version: CollectionVersion, _ key: [UInt8], _ location: Location,
        _ entries: inout IndexEntries
    ) throws(EngineError) -> Int {
        entries.removeAll()
        var buffer = InflateBuffer()
        defer { withExtendedLifetime(buffer) {} }
        let length = try unsafe key.withBytes { keyBytes throws(EngineError) in
            let record = unsafe try RecordAccess.record(
                at: location, collection: version.id, key: keyBytes, in: files, &buffer)
            do {
                try unsafe derivation.derive(
                    collection: version.id, key: keyBytes, record: record, into: &entries)
            } catch {
                throw .corrupted(
                    "a record can't be read: \(error)", file: FileNames.log(location.file),
                    offset: location.offset)
            }
            return record.count
        }
        entries.sort()
        for entry in entries.entries {
            guard let root = version.root(entry.index) else { continue }
            let found = try unsafe entries.withKey(entry) { bytes throws(EngineError) in
                try unsafe Tree(root: root, files: files.table).value(of: bytes)
            }
            result.entriesChecked += 1
            if found == nil {
                result.add(
                    VerificationFinding(
                        "an entry is missing from index tree \(entry.index) of collection \(version.id) for the record here",
                        file: FileNames.log(location.file), offset: location.offset))
            }
        }
        return length
    }
}
