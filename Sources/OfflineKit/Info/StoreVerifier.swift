// Checks what only the store can check: that every record is well-formed and stands under its own
// key, that every index entry derives from exactly one live record, and that none is missing; and
// that what is known of changes fits the records (ChangeVerifier).
//
// Proof of the last two, for every kind of index: each record's entries are derived and looked up.
// Entries of one record are distinct, and different records have different ones (an entry has the
// record's key in it, behind values that end by themselves or are cut), so if all are there and the
// tree has just as many keys as were derived, there are no others. A stamp's key in the order of
// changes is one of them.
internal import OfflineBytes

/// Walks all collections in one view.
struct StoreVerifier {
    private let view: ReadView
    private(set) var report = VerificationReport()
    /// After so many problems of one collection the rest is only counted.
    private static let problemsMax = 100

    init(_ view: ReadView) { self.view = view }

    mutating func run() throws {
        for collection in view.schema.collections {
            var problems = CollectionProblems(collection: collection.name, max: Self.problemsMax)
            try check(collection, &problems)
            report.problems += problems.all
        }
    }

    /// Adds what the backend found below the level of documents.
    mutating func add(_ backend: BackendVerification) {
        report.problems = backend.problems + report.problems
        report.bytesChecked = backend.bytesChecked
    }

    private mutating func check(
        _ collection: CollectionState, _ problems: inout CollectionProblems
    ) throws {
        let changes = ChangeVerifier(collection, view)
        let cursor = try StorageAdapter.mapping(collection) {
            try view.adapter.reader.cursor(TreeID(collection.id), in: .all, descending: false)
        }
        var key: [UInt8] = []
        var entries = DerivedKeys()
        var derived: [UInt32: Int] = [:]
        while try StorageAdapter.mapping(collection, nil, cursor.next) {
            cursor.copyKey(into: &key)
            report.recordsChecked += 1
            entries.removeAll()
            do {
                try StorageAdapter.mapping(collection) {
                    try cursor.withRecord { stored in
                        try derive(stored, key, collection, changes, into: &entries)
                    }
                }
            } catch {
                problems.add("record \(Self.shown(key)): \(error)")
                continue
            }
            for entry in entries.entries {
                derived[entry.index, default: 0] += 1
                let tree = TreeID(collection.id, entry.index)
                let bytes = Array(entries.key(entry))
                if try !view.adapter.contains(tree, of: collection, key: bytes) {
                    problems.add(
                        "record \(Self.shown(key)) lacks an entry in "
                            + Self.name(of: entry.index, collection))
                }
            }
        }
        try checkCounts(collection, derived, &problems)
        try changes?.checkEntries(&problems)
        try changes?.checkOrder(&problems)
        try AccessVerifier(collection, view)?.check(&problems)
    }

    /// Checks a record and its stamp, and derives their entries.
    private func derive(
        _ stored: RawSpan, _ key: [UInt8], _ collection: CollectionState,
        _ changes: ChangeVerifier?, into entries: inout DerivedKeys
    ) throws {
        let names = view.names(of: collection)
        try unsafe stored.withUnsafeBytes { bytes in
            try unsafe StorageAdapter.read(bytes, names.dictionary) { record in
                let document = unsafe Document(copying: record)
                if try RecordKeys.existing(in: document, of: collection) != key {
                    throw OfflineError(
                        .corrupted, "the record stands under a key that isn't its own")
                }
                unsafe names.indexKeys.append(record, key: key.span.bytes, to: &entries)
            }
            guard let stamp = try unsafe RecordStamp(of: bytes) else { return }
            guard let changes else {
                throw OfflineError(.corrupted, "it has a change, but the collection has none")
            }
            if let problem = changes.problem(of: stamp) {
                throw OfflineError(.corrupted, problem)
            }
            unsafe stamp.append(key: key.span.bytes, to: &entries)
        }
    }

    private static func name(of index: UInt32, _ collection: CollectionState) -> String {
        if index == ChangeTrees.number { return "the order of changes" }
        let index = collection.indexes.first { $0.number == index }
        return "index \"\(index?.name ?? "")\""
    }

    private func checkCounts(
        _ collection: CollectionState, _ derived: [UInt32: Int],
        _ problems: inout CollectionProblems
    ) throws {
        var numbers = collection.indexes.map(\.number)
        if collection.changes != nil { numbers.append(ChangeTrees.number) }
        for number in numbers {
            let tree = TreeID(collection.id, number)
            let count = try view.adapter.count(tree, of: collection, in: .all)
            let expected = derived[number] ?? 0
            if count != expected {
                problems.add(
                    "\(Self.name(of: number, collection)) has \(count) entries; \(expected) derive "
                        + "from records")
            }
        }
    }

    static func shown(_ key: [UInt8]) -> String {
        (try? KeyDecoder.value(key).json()) ?? "with a malformed key"
    }
}

/// One collection's problems, as many as are worth reading.
struct CollectionProblems {
    let collection: String
    let max: Int
    private var shown: [String] = []
    private var more = 0

    init(collection: String, max: Int) {
        self.collection = collection
        self.max = max
    }

    mutating func add(_ problem: String) {
        if shown.count < max {
            shown.append("collection \"\(collection)\": \(problem)")
        } else {
            more += 1
        }
    }

    var all: [String] {
        more == 0 ? shown : shown + ["collection \"\(collection)\": and \(more) more problems"]
    }
}

extension StoreCore {
    /// Checks the backend's bytes, then records and indexes.
    func verify() async throws -> VerificationReport {
        let below: BackendVerification
        do {
            below = try await backend.verify()
        } catch {
            throw ErrorMapping.publicError(error)
        }
        var verifier = try StoreVerifier(view())
        try verifier.run()
        verifier.add(below)
        return verifier.report
    }
}
